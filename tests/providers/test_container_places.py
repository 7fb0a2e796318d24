"""Which engine a stack's containers are in: another one knows none of them, and must not make them a second time."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.providers.base import Resource
from infratest.providers.container.engine import find
from infratest.stack.file import load
from infratest.stack.open import makers, open_provider
from infratest.store.directory import StateDir
from infratest.store.journal import Journal
from infratest.store.records import DONE
from tests.worlds.small_project import run, write

pytestmark = pytest.mark.hosts

STACK = "stack: one\nprovider: {name: container, engine: docker}\nhosts: {web: {}}\n"


def made_by(folder: Path, maker: str) -> Path:
    """Write a stack of which a host was made by somebody, and return its journal."""
    write(folder, {"stack.yaml": STACK})
    state = StateDir(folder / ".infratest")
    with state.lock(purpose="a test"):
        assert state.id
        operation = Journal(state).begin("up", "one", "", maker)
        operation.asked("host", "web")
        operation.made(Resource(kind="host", id="c-1", name="web"))
        operation.end(DONE)
    return folder / ".infratest/journal.jsonl"


def mine(folder: Path) -> str:
    """Return by whom, and where, the stack's hosts would be made now."""
    write(folder, {"stack.yaml": STACK})
    stack = load(folder / "stack.yaml")
    return makers(stack, open_provider(stack, StateDir(folder / ".infratest")))[0]


def test_hosts_of_another_engine_are_told_and_not_made_again(tmp_path: Path) -> None:
    here = mine(tmp_path)
    assert here.startswith("container (docker at unix://")
    former = "container (docker at unix:///elsewhere.sock, id another)"
    journal = made_by(tmp_path, former)
    before = journal.read_bytes()
    for verb in ("up", "halt", "destroy", "reap"):
        done = run(tmp_path, "infratest", verb)
        words = f"provider {former} made host web, and the stack file and the environment say provider {here} now: put"
        assert (done.returncode, words in done.stderr) == (2, True), (verb, done)
    status = run(tmp_path, "infratest", "status")
    assert f"provider {former} made host web" in status.stdout
    assert journal.read_bytes() == before


@pytest.mark.parametrize("former", ["container", "its id"])
def test_the_same_engine_at_another_address_and_one_of_former_journals_are_no_other(
    tmp_path: Path, former: str
) -> None:
    identity = mine(tmp_path).rpartition(", ")[2]
    made_by(tmp_path, former if former == "container" else f"container (docker at unix:///moved.sock, {identity}")
    done = run(tmp_path, "infratest", "destroy")
    assert (done.returncode, "made host web" in done.stderr) == (0, False), done


def test_a_context_of_docker_says_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = find("docker", Deadline(60))
    address = engine.whereabouts(Deadline(30)).removeprefix("docker at ").rpartition(", id ")[0]
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for words in (["create", "near", "--docker", f"host={address}"], ["use", "near"]):
        subprocess.run([engine.program, "context", *words], check=True, capture_output=True)
    assert find("docker", Deadline(60)).whereabouts(Deadline(30)) == engine.whereabouts(Deadline(30)), "the file's"
    monkeypatch.setenv("DOCKER_CONTEXT", "near")
    assert find("docker", Deadline(60)).whereabouts(Deadline(30)) == engine.whereabouts(Deadline(30)), "the variable's"
