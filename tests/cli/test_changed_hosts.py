"""Hosts that are there and were made from something else than the stack file says now: told, and left alone."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.worlds import forked

INFRATEST = str(Path(sys.executable).with_name("infratest"))

BEFORE = """\
stack: shop
provider: {name: fake, world: world}
environments: {dev: {}}
hosts:
  db: {image: debian-12, user: root, memory: 256MiB, ports: [80, 5432]}
  web: {image: debian-12}
"""
AFTER = """\
stack: shop
provider: {name: fake, world: world}
environments: {dev: {}}
hosts:
  db: {image: debian-13, user: admin, memory: 1GiB, ports: [80]}
  web: {image: debian-12, ports: []}
"""
LINE = (
    "db was made with image: debian-12, the stack file says debian-13; with user: root, the stack file says admin; "
    "with memory: 256MiB, the stack file says 1GiB; with ports: [80, 5432], the stack file says [80]. "
    "It stays as it is; `infratest destroy --host db` and `infratest up --host db` make it anew"
)
KEYS = [
    {"host": "db", "key": "image", "made": "debian-12", "declared": "debian-13"},
    {"host": "db", "key": "user", "made": "root", "declared": "admin"},
    {"host": "db", "key": "memory", "made": "256MiB", "declared": "1GiB"},
    {"host": "db", "key": "ports", "made": "[80, 5432]", "declared": "[80]"},
]


class Place:
    """A folder with a stack that is up as BEFORE, and whose file says AFTER."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "stack.yaml"
        self.file.write_text(BEFORE)
        self.run("up")
        self.made = self.ids()
        self.file.write_text(AFTER)

    def run(self, *words: str, status: int = 0) -> tuple[str, str]:
        done = forked.run(words, cwd=self.folder, env=dict(os.environ), timeout=120)
        assert done.returncode == status, (done.stdout, done.stderr)
        return done.stdout, done.stderr

    def ids(self) -> dict[str, str]:
        found = [json.loads(path.read_text()) for path in (self.folder / "world").glob("*.json")]
        return {one["name"]: one["id"] for one in found}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def about(text: str) -> list[str]:
    return [line for line in text.splitlines() if " was made " in line]


def test_up_tells_what_a_host_was_made_from_and_leaves_it_alone(place: Place) -> None:
    assert about(place.run("up")[1]) == [LINE]
    assert place.ids() == place.made


def test_a_dry_run_and_status_tell_it_too(place: Place) -> None:
    assert about(place.run("up", "--dry-run")[1]) == [LINE]
    assert about(place.run("status")[0]) == [LINE]
    assert json.loads(place.run("status", "--format", "json")[0])["changed"] == KEYS


def test_other_hosts_are_not_told_of(place: Place) -> None:
    assert about(place.run("up", "--host", "web")[1]) == []
    assert about(place.run("status", "--host", "web")[0]) == []


def test_an_up_that_fails_tells_it(place: Place) -> None:
    place.file.write_text(AFTER.replace("world: world", "world: world, transport: {answers: {'true': {exit: 1}}}"))
    assert about(place.run("up", "--timeout", "3s", status=1)[1]) == [LINE]


def test_what_it_says_to_do_makes_it_anew(place: Place) -> None:
    place.run("destroy", "--env", "dev", "--host", "db")
    assert about(place.run("up", "--env", "dev", "--host", "db")[1]) == []
    assert place.ids()["db"] != place.made["db"]
    assert place.ids()["web"] == place.made["web"]
    assert json.loads(place.run("status", "--format", "json")[0])["changed"] == []


def test_a_host_that_is_gone_was_made_from_nothing(place: Place) -> None:
    (place.folder / "world" / f"{place.made['db']}.json").unlink()
    assert about(place.run("status")[0]) == []
    assert about(place.run("up")[1]) == []


def test_a_journal_that_does_not_hold_it_is_read_as_ever(place: Place) -> None:
    journal = place.folder / ".infratest" / "journal.jsonl"
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    assert sorted(record["name"] for record in records if record.pop("spec", None)) == ["db", "web"]
    journal.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert about(place.run("up")[1]) == []
    assert place.ids() == place.made
