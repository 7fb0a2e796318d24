"""What every inventory must do: say its hosts whole or refuse in words, name what it reads, keep its deadline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import InventoryError, UserError
from infratest.inventories.base import Answer, Inventory
from infratest.options import build, spelled_out
from infratest.outsiders import get, options_of

#: Seconds that nothing in a case may take.
LONG = 30.0
#: Seconds that an inventory has to end what does not answer, beyond its deadline.
GRACE = 5.0


@dataclass(frozen=True)
class Case:
    """What stands behind an inventory's name in a stack file, in a folder of its own on this machine.

    Args:
        works: its options. files: what lies beside the stack file, by its path; one that begins with `#!` can be
        executed. hosts: what must come, by name: the values that the host has. reads: those of the files that it
        depends on. broken: changes to the files, None for one that is not there, and words of what is then refused.
        slow: a change by which it never answers, where such a thing can be. refused: options that it cannot have.
    """

    works: Any
    files: Mapping[str, str]
    hosts: Mapping[str, Mapping[str, Any]]
    reads: tuple[str, ...] = ()
    broken: tuple[tuple[Mapping[str, str | None], str], ...] = ()
    slow: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[Any, ...] = ()


def opened(name: str, given: Any, folder: Path) -> Inventory:
    """Return an inventory as a stack file in a folder would name it. Raises UserError."""
    kind = get("inventory", name)
    options = options_of(kind)
    assert options is not None
    made: Inventory = kind(build(options, spelled_out(options, given), f"stack.yaml:3: {name}"), folder)
    return made


def written(folder: Path, files: Mapping[str, str | None]) -> None:
    """Write files, and remove those that are None."""
    for name, text in files.items():
        path = folder / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if text.startswith("#!") else 0o644)


class InventoryContract:
    """What holds for all. Two fixtures are asked for: `name`, the inventory's, and `case`, a Case of it."""

    @pytest.fixture
    def folder(self, case: Case, tmp_path: Path) -> Path:
        written(tmp_path, case.files)
        return tmp_path

    @pytest.fixture
    def answer(self, name: str, case: Case, folder: Path) -> Answer:
        return opened(name, case.works, folder).hosts(Deadline(LONG))

    def test_it_names_every_host_with_what_it_says_of_it(self, case: Case, answer: Answer) -> None:
        assert [host.name for host in answer.hosts] == [*case.hosts]
        for host in answer.hosts:
            expected = case.hosts[host.name]
            seen = host.values() | {"groups": host.groups, "labels": dict(host.labels)}
            assert {key: seen.get(key) for key in expected} == expected

    def test_values_are_such_as_a_stack_file_may_have(self, answer: Answer) -> None:
        for host in answer.hosts:
            assert host.port is None or 0 < host.port < 65536
            assert all(isinstance(value, str) for value in host.labels.values())
            assert all(Path(path).is_absolute() for path in (host.key, host.config) if path)

    def test_it_names_what_it_depends_on(self, case: Case, folder: Path, answer: Answer) -> None:
        assert {folder / name for name in case.reads} <= {*answer.files}
        assert all(path.is_absolute() for path in answer.files)

    def test_an_answer_of_a_program_has_an_age(self, name: str, case: Case, folder: Path, answer: Answer) -> None:
        assert opened(name, case.works, folder).max_age > 0 or not answer.asked

    def test_it_says_the_same_twice_and_what_it_is(self, name: str, case: Case, folder: Path, answer: Answer) -> None:
        again = opened(name, case.works, folder)
        assert again.hosts(Deadline(LONG)) == answer
        assert again.describe().startswith(name)
        assert again.describe().isprintable()

    def test_what_is_broken_is_refused_and_never_fewer_hosts(self, name: str, case: Case, tmp_path: Path) -> None:
        for number, (change, words) in enumerate(case.broken):
            folder = tmp_path / str(number)
            written(folder, {**case.files})
            written(folder, change)
            with pytest.raises(InventoryError) as caught:
                opened(name, case.works, folder).hosts(Deadline(LONG))
            assert words in str(caught.value)

    def test_it_keeps_its_deadline(self, name: str, case: Case, folder: Path) -> None:
        if not case.slow:
            return  # it waits for nobody
        written(folder, case.slow)
        began = monotonic()
        with pytest.raises(InventoryError):
            opened(name, case.works, folder).hosts(Deadline(1))
        assert monotonic() - began < 1 + GRACE

    def test_options_it_cannot_have_are_refused(self, name: str, case: Case, tmp_path: Path) -> None:
        for given in (*case.refused, {"nonsense": 1}):
            with pytest.raises(UserError, match=r"stack\.yaml:3: "):
                opened(name, given, tmp_path)
