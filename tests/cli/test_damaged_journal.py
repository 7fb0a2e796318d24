"""A line of the journal that cannot be read: `reap` sets it aside and tells, and removes nothing on its account."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worlds.small_project import run, write

STACK = "stack: one\nprovider: {name: fake, world: world}\nhosts:\n  web: {}\n  db: {}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, {"stack.yaml": STACK})
    assert run(tmp_path, "infratest", "up").returncode == 0
    return tmp_path


def damage(folder: Path, line: str) -> Path:
    journal = folder / ".infratest" / "journal.jsonl"
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join([lines[0], line, *lines[1:]]) + "\n")
    return journal


@pytest.mark.parametrize("line", ["garbage", "[1, 2]", '"text"', "\x01\x02\x03"])
def test_it_is_set_aside_and_told(project: Path, line: str) -> None:
    journal = damage(project, line)
    assert run(project, "infratest", "status").returncode == 1
    dry = run(project, "infratest", "reap", "--dry-run")
    assert (dry.returncode, "would be set aside: " in dry.stdout) == (0, True), dry.stderr
    mended = run(project, "infratest", "reap")
    assert (mended.returncode, "set aside in journal.damaged.jsonl: " in mended.stderr) == (0, True), mended.stderr
    assert f"{journal}:2: " in mended.stderr
    assert (journal.parent / "journal.damaged.jsonl").read_text() == line + "\n"
    assert run(project, "infratest", "status").returncode == 0
    assert run(project, "infratest", "reap").stderr == "nothing to reap\n"


def test_what_is_no_longer_known_to_be_live_is_left_once(project: Path) -> None:
    journal = project / ".infratest" / "journal.jsonl"
    lines = journal.read_text().splitlines()
    made = next(place for place, line in enumerate(lines) if '"made"' in line and '"db"' in line)
    journal.write_text("\n".join(["garbage" if place == made else line for place, line in enumerate(lines)]) + "\n")
    left = run(project, "infratest", "reap")
    assert (left.returncode, "left: host db of one" in left.stderr) == (1, True), left.stderr
    assert "removed: host db of one" in run(project, "infratest", "reap").stderr


def test_destroy_does_what_it_says(project: Path) -> None:
    damage(project, "garbage")
    assert run(project, "infratest", "destroy").returncode == 0
    assert run(project, "infratest", "reap").returncode == 0
    assert run(project, "infratest", "status").returncode == 0
