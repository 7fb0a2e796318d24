"""Every act there is, asked what every act must do, by a real shell on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.acts.base import Act
from infratest.outsiders import get
from infratest.testing.acts import ActContract, Case, Recorder
from tests.contracts.case_files import cases, programs


@pytest.fixture(params=cases("act"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def act(name: str) -> type[Act]:
    act: type[Act] = get("act", name)
    return act


@pytest.fixture
def case(name: str) -> Case:
    case: Case = cases("act")[name].CASE
    return case


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def access(case: Case, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOG", str(log))
    monkeypatch.setenv("PATH", f"{programs(tmp_path, case.programs)}:/usr/bin:/bin")
    with case.world(tmp_path):
        access = Recorder()
        yield access
        access.close()


class TestActs(ActContract):
    """The suite, with each act that there is."""
