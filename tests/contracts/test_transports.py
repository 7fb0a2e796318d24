"""Every transport there is, asked what every transport must do; of SSH each client, of two servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infratest.hosts import Host
from infratest.testing.transports import TransportContract
from tests.contracts.case_files import case_of, cases

WAYS = {(name, way): start for name, case in cases("transport").items() for way, start in case.WAYS.items()}


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with WAYS[request.param](tmp_path_factory.mktemp("world")) as host:
        yield host


@pytest.fixture
def broken(host: Host) -> Mapping[str, Any]:
    broken: Mapping[str, Any] = case_of("transport", host.transport).BROKEN
    return broken


class TestTransports(TransportContract):
    """The suite, with the host of each case."""
