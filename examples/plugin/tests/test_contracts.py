"""Each thing of this package, asked what every thing of its kind must do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from infratest.acts.base import Act
from infratest.deadline import Deadline
from infratest.facts.base import Fact
from infratest.outputs.base import Output
from infratest.outsiders import get
from infratest.remedies.base import Remedy, Surroundings
from infratest.testing import acts, remedies
from infratest.testing.acts import ActContract, Recorder
from infratest.testing.facts import FactContract
from infratest.testing.outputs import OutputContract
from infratest.testing.providers import Case, FindingContract, case_of
from infratest.testing.remedies import RemedyContract, surroundings

#: No process has this id: the largest that Linux gives is 2 ** 22.
NOBODY = 2**22 + 1


class TestFact(FactContract):
    @pytest.fixture
    def fact(self) -> Fact:
        fact: Fact = get("fact", "lock-file")()
        return fact

    @pytest.fixture
    def recorded(self) -> Path:
        return Path(__file__).parent / "recorded"


class TestOutput(OutputContract):
    @pytest.fixture
    def output(self) -> Output:
        output: Output = get("output", "csv")()
        return output


class TestProvider(FindingContract):
    @pytest.fixture
    def name(self) -> str:
        return "host-list"

    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        return with_list(tmp_path)

    def states_of_nothing(self, name: str, folder: Path) -> list[str]:
        return [host.state for host in with_list(folder).hosts()][:1]


def with_list(folder: Path) -> Case:
    """Return a provider whose list has both hosts, which are this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hosts.txt").write_text("one 127.0.0.1\ntwo 127.0.0.2 nagios  # a comment\n", encoding="utf-8")
    case = case_of("host-list", folder, {"file": "hosts.txt"})
    case.specs = tuple(replace(spec, transport="local") for spec in case.specs)
    return case


@contextmanager
def stale_lock(folder: Path) -> Iterator[None]:
    """Have the lock of a job that is gone, and one of this process."""
    (folder / "stale.lock").write_text(f"{NOBODY}\n", encoding="utf-8")
    (folder / "no room.lock").write_text("words\n", encoding="utf-8")
    (folder / "held.lock").write_text(f"{os.getpid()}\n", encoding="utf-8")
    yield


class TestAct(ActContract):
    @pytest.fixture
    def act(self) -> type[Act]:
        act: type[Act] = get("act", "lock-file")
        return act

    @pytest.fixture
    def case(self, tmp_path: Path) -> acts.Case:
        return acts.Case(
            works={"path": str(tmp_path / "stale.lock")},
            fails={"path": str(tmp_path / "no room.lock")},
            refused=[{"path": "backup.lock"}, {"path": "/"}],
        )

    @pytest.fixture
    def access(self, tmp_path: Path) -> Iterator[Recorder]:
        with stale_lock(tmp_path):
            access = Recorder()
            yield access
            access.close()

    @pytest.fixture
    def log(self, tmp_path: Path) -> Path:
        return tmp_path / "log"


class TestRemedy(RemedyContract):
    @pytest.fixture
    def name(self) -> str:
        return "remove-stale-lock"

    @pytest.fixture
    def remedy(self, name: str) -> type[Remedy]:
        remedy: type[Remedy] = get("remedy", name)
        return remedy

    @pytest.fixture
    def case(self, tmp_path: Path) -> remedies.Case:
        return remedies.Case(
            works={"path": str(tmp_path / "absent.lock")},
            fails=str(tmp_path / "no room.lock"),
            refused=(None, 5, "backup.lock", "/run/", {}, {"file": "/run/x"}),
        )

    @pytest.fixture
    def around(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Surroundings]:
        monkeypatch.chdir(tmp_path)
        with stale_lock(tmp_path):
            plain = surroundings(tmp_path)
            transport = get("transport", "local")(plain.host)
            transport.open(Deadline(5))
            yield replace(plain, transport=transport)
            transport.close()
