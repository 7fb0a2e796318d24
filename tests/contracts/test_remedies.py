"""Every remedy there is, asked what every remedy must do, over a real transport to this machine, with real programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.outsiders import get
from infratest.remedies.base import Remedy, Surroundings
from infratest.testing.remedies import Case, RemedyContract, surroundings
from infratest.transports.local import Local
from tests.contracts.case_files import cases, programs


@pytest.fixture(params=cases("remedy"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def remedy(name: str) -> type[Remedy]:
    remedy: type[Remedy] = get("remedy", name)
    return remedy


@pytest.fixture
def case(name: str) -> Case:
    case: Case = cases("remedy")[name].CASE
    return case


@pytest.fixture
def around(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Surroundings]:
    monkeypatch.setenv("PATH", f"{programs(tmp_path, case.programs)}:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    plain = surroundings(tmp_path, INFRATEST_HOST="web-1")
    transport = connected(plain, Deadline(5))
    yield replace(plain, transport=transport, connect=lambda deadline: connected(plain, deadline))
    transport.close()


def connected(plain: Surroundings, deadline: Deadline) -> Local:
    transport = Local(plain.host)
    transport.open(deadline)
    return transport


class TestRemedies(RemedyContract):
    """The suite, with each remedy that there is."""
