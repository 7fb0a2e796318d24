"""The contract of providers on the simulated cloud, with each fault switched on that a provider must get over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infratest.testing.providers import Case, MakingContract, case_of
from tests.contracts.case_files import with_hosts
from tests.contracts.cases.providers.simulator import FAULTS


@pytest.fixture(scope="module", params=FAULTS, ids=str)
def faults(request: pytest.FixtureRequest) -> dict[str, Any]:
    return FAULTS[request.param]


@pytest.fixture(scope="module")
def name() -> str:
    return "simulator"


@pytest.fixture(scope="module")
def case(faults: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    with with_hosts(case_of("simulator", tmp_path_factory.mktemp("simulator"), faults)) as case:
        yield case


class TestWithFaults(MakingContract):
    """All that every provider must do."""
