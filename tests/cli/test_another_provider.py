"""The line `provider:` is changed while hosts of the former one stand: they are neither forgotten nor called gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worlds.small_project import run, write

STACK = "stack: one\nprovider: PROVIDER\nhosts:\n  web: {}\n  db: {}\n"
FORMER = "{name: simulator, world: there}"
OTHERS = {
    "another provider": ("fake", "fake"),
    "another place": ("{name: simulator, world: here}", "simulator (here)"),
}
FEATURE = 'Feature: f\n  Scenario: one\n    Then the package "nginx" is installed\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, {"stack.yaml": STACK.replace("PROVIDER", FORMER), "features/a.feature": FEATURE})
    assert run(tmp_path, "infratest", "up").returncode == 0
    return tmp_path


def changed(folder: Path, line: str) -> None:
    write(folder, {"stack.yaml": STACK.replace("PROVIDER", line)})


@pytest.mark.parametrize("line, words", OTHERS.values(), ids=OTHERS)
def test_it_is_told_and_nothing_is_forgotten(project: Path, line: str, words: str) -> None:
    journal = project / ".infratest/journal.jsonl"
    before = journal.read_bytes()
    changed(project, line)
    made = "provider simulator (there) made host db, host web, network one"
    message = f"{made}, and the stack file says provider {words} now: put the former line back and run"
    for verb in ("up", "destroy", "reap", "plan", "run web true"):
        done = run(project, "infratest", *verb.split())
        assert (done.returncode, message in done.stderr) == (2, True), (verb, done)
    check = run(project, "infratest", "check")
    assert (check.returncode, message in check.stdout) == (3, True), check
    test = run(project, "infratest", "test")
    assert (test.returncode, message in test.stdout) == (3, True), test
    status = run(project, "infratest", "status")
    assert (status.returncode, message in status.stdout) == (0, True), status
    assert journal.read_bytes() == before


def test_with_the_former_line_it_is_removed_and_the_other_one_takes_over(project: Path) -> None:
    changed(project, "fake")
    assert run(project, "infratest", "destroy").returncode == 2
    changed(project, FORMER)
    assert run(project, "infratest", "destroy").returncode == 0
    changed(project, "fake")
    up = run(project, "infratest", "up")
    assert (up.returncode, "2 hosts ready" in up.stderr) == (0, True), up.stderr


def test_a_journal_that_names_no_makers_says_nothing_of_them(project: Path) -> None:
    journal = project / ".infratest/journal.jsonl"
    text = journal.read_text()
    assert text.count(', "maker": "simulator (there)"') == 1
    journal.write_text(text.replace(', "maker": "simulator (there)"', ""))
    assert run(project, "infratest", "status").returncode == 0
    assert run(project, "infratest", "destroy").returncode == 0
