"""`plan` asks a provider where the hosts are only where there may be any, and says so where it cannot ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.providers.base import Resource
from infratest.store.directory import StateDir
from infratest.store.journal import Journal
from infratest.store.records import DONE
from tests.worlds.small_project import run, write

FEATURE = 'Feature: f\n  Scenario: one\n    Then the package "nginx" is installed\n'
STACK = "stack: one\nprovider: PROVIDER\nhosts: {web: {}, db: {}}\n"
PLAN = "features/a.feature\n  one@web: 1 check\n  one@db: 1 check\n"
PROVIDERS = ("container", "virtualbox", "libvirt", "qemu", "{name: cloud, driver: ec2}", "fake", "simulator")


def project(folder: Path, provider: str, *, asked: bool = False, made: bool = False) -> Journal:
    """Write a project whose journal has an `up` that made nothing, or asked for a host, or made one."""
    write(folder, {"stack.yaml": STACK.replace("PROVIDER", provider), "features/a.feature": FEATURE})
    state = StateDir(folder / ".infratest")
    with state.lock(purpose="a test"):
        assert state.id
        operation = Journal(state).begin("up", "one", "")
        if asked:
            operation.asked("host", "web")
        if made:
            operation.made(Resource(kind="host", id="w1", name="web"))
        operation.end(DONE)
    return Journal(state)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_of_what_nothing_was_made_nobody_is_asked(tmp_path: Path, around: dict[str, str], provider: str) -> None:
    project(tmp_path, provider)
    done = run(tmp_path, "infratest", "plan", **around)
    told = [line for line in done.stderr.splitlines() if "what hosts would be made of" not in line]
    assert told == []
    # What hosts would cost is asked of a cloud all the same; that it cannot be is told, and the rest is shown.
    assert done.returncode == (2 if "cloud" in provider else 0), done
    assert done.stdout.startswith(PLAN)
    assert "\nweb: 1 fact in one trip\n  package: nginx\n" in done.stdout


@pytest.mark.parametrize("how", [{"asked": True}, {"asked": True, "made": True}], ids=["asked for", "made"])
@pytest.mark.parametrize(
    "provider, words", [("container", "no container engine is usable"), ("virtualbox", "no VBoxManage in PATH")]
)
def test_who_cannot_be_asked_is_told_and_the_rest_is_shown(
    tmp_path: Path, around: dict[str, str], provider: str, words: str, how: dict[str, bool]
) -> None:
    project(tmp_path, provider, **how)
    done = run(tmp_path, "infratest", "plan", **around)
    assert done.returncode == 1, done
    assert f"where the hosts are is not known: {words}" in done.stderr
    assert done.stderr.endswith("; what is shown goes by the stack file alone\n")
    assert done.stdout.startswith(PLAN)
    dry = run(tmp_path, "infratest", "plan", "--format", "json", **around)
    assert (dry.returncode, '"host": "web"' in dry.stdout) == (1, True), dry


def test_a_journal_that_cannot_be_read_says_nothing_of_what_there_is(tmp_path: Path, around: dict[str, str]) -> None:
    project(tmp_path, "container")
    journal = tmp_path / ".infratest/journal.jsonl"
    journal.write_text("not JSON\n" + journal.read_text())
    assert "where the hosts are is not known" in run(tmp_path, "infratest", "plan", **around).stderr
