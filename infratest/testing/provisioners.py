"""What every provisioner must do: say what it reads, change a host once and leave it so, fail in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.hosts import Host
from infratest.options import build, spelled_out
from infratest.outsiders import get, options_of
from infratest.provisioners.base import Provisioner, Target, provisioners
from infratest.stack.open import opened

#: Seconds that nothing in a case may take.
LONG = 30.0


@dataclass(frozen=True)
class Case:
    """What stands behind a provisioner's name in a stack file, in a folder of its own on this machine.

    Args:
        works, fails: one that can be applied, one that cannot. files: what lies beside the stack file, by its path.
        reads: those of the files that `works` reads. refused: values that it cannot have.
    """

    works: Any
    fails: Any
    files: dict[str, str] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    refused: tuple[Any, ...] = ()


class ProvisionerContract:
    """What holds for all. Two fixtures are asked for: `name`, the provisioner's, and `case`, a Case of it."""

    @pytest.fixture
    def folder(self, case: Case, tmp_path: Path) -> Path:
        for name, text in case.files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    @pytest.fixture
    def told(self) -> list[str]:
        return []

    @pytest.fixture
    def target(self, told: list[str]) -> Iterator[Target]:
        transport = opened(Host(name="web-1", transport="local"), Deadline(LONG))
        yield Target(
            transport=transport, sudo=False, environment={"INFRATEST_HOST_NAME": "web-1"}, log=told.append,
            progress=lambda what, words: told.append(f"{what} {words}"), output=lambda: lambda data: None,
        )  # fmt: skip
        transport.close()

    def made(self, name: str, given: Any, folder: Path) -> Provisioner:
        (one,) = provisioners([{name: given}], folder, "stack.yaml:3")
        return one

    def test_its_options_are_a_class_with_a_schema(self, name: str, case: Case) -> None:
        options = options_of(get("provisioner", name))
        assert options is not None
        assert build(options, spelled_out(options, case.works), name)

    def test_it_says_what_it_would_do(self, name: str, case: Case, folder: Path) -> None:
        words = self.made(name, case.works, folder).describe()
        assert words.startswith(name)
        assert words.isprintable()

    def test_it_names_every_file_that_it_reads(self, name: str, case: Case, folder: Path) -> None:
        assert {*self.made(name, case.works, folder).sources()} == {folder / path for path in case.reads}

    def test_what_it_depends_on_is_one_value(self, name: str, case: Case, folder: Path) -> None:
        before = self.made(name, case.works, folder).digest()
        assert self.made(name, case.works, folder).digest() == before
        assert self.made(name, case.fails, folder).digest() != before
        for path in case.reads:
            (folder / path).write_text(case.files[path] + "\n")
            assert self.made(name, case.works, folder).digest() != before
            (folder / path).unlink()
            assert self.made(name, case.works, folder).digest() != before

    def test_doing_it_twice_is_safe(
        self, name: str, case: Case, folder: Path, target: Target, told: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folder)
        one = self.made(name, case.works, folder)
        assert one.apply(target, Deadline(LONG)) is True
        assert told
        assert one.apply(target, Deadline(LONG)) in (True, False)
        assert target.transport.on_output is None

    def test_a_failure_says_which_host_and_why(self, name: str, case: Case, folder: Path, target: Target) -> None:
        with pytest.raises(InfratestError, match="web-1") as caught:
            self.made(name, case.fails, folder).apply(target, Deadline(LONG))
        assert len(str(caught.value)) > len("web-1: ")
        assert target.transport.on_output is None

    def test_a_value_it_cannot_have_is_refused(self, name: str, case: Case, tmp_path: Path) -> None:
        for given in (*case.refused, {"nonsense": 1}):
            with pytest.raises(UserError, match=r"stack\.yaml:3: "):
                self.made(name, given, tmp_path)
