"""Whether people want a result left alone: asked of a monitor and of a database that may hang, over real sockets."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from infratest.alerting.downtime import Downtime, Fixed
from infratest.deadline import Deadline
from infratest.heal.healing import heal
from infratest.heal.means import NotKnown
from infratest.monitor.control import Control
from infratest.monitor.keeping import claim
from infratest.project.left_alone import left_alone
from infratest.project.session import Session
from infratest.store.database import people
from infratest.store.database.connection import opened
from infratest.store.directory import StateDir
from tests.worlds.heal_world import World, closed, make_result, make_rule

STACK = "stack: shop\nprovider: local\nhosts: {web-1: {}}\nenvironments: {dev: {}, prod: {}}\n"
RED = make_result("critical")


def project(folder: Path, more: str = "", env: str = "prod") -> Session:
    (folder / "stack.yaml").write_text(STACK + more)
    return Session(stack_path=folder / "stack.yaml", env=env)


@contextmanager
def silent(listening: socket.socket) -> Iterator[Callable[[], int]]:
    """Have somebody listen who never answers; yields what counts how often it was connected to."""
    listening.listen(16)
    held: list[socket.socket] = []

    def count() -> int:
        listening.settimeout(0.2)
        try:
            while True:
                held.append(listening.accept()[0])
        except TimeoutError:
            return len(held)

    try:
        yield count
    finally:
        for one in (*held, listening):
            one.close()


def run_of(seconds: float) -> Deadline:
    """A run that has so much left however slow this machine is."""
    return Deadline(seconds, lambda: 0.0)


def test_a_monitor_that_hangs_is_asked_once_in_a_run_and_then_what_it_has_kept(tmp_path: Path) -> None:
    session = project(tmp_path)
    with opened(session.state):
        pass
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(session.state.path / "monitor.sock"))
        with silent(made) as connected:
            look = left_alone(session, "", run_of(6.0))
            assert [look(RED) for _ in range(3)] == [""] * 3
            assert connected() == 1


def test_a_database_that_hangs_is_asked_once_in_a_run_and_nobody_can_say(tmp_path: Path) -> None:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port = made.getsockname()[1]
        session = project(tmp_path, f"monitor:\n  store: {{url: 'postgresql://infratest@127.0.0.1:{port}/monitor'}}\n")
        with silent(made) as connected:
            look = left_alone(session, "", run_of(6.0))
            words = {look(RED) for _ in range(3)}
            assert words == {"whether it is in a downtime, or acknowledged, is not known: "
                             "the monitor's store did not answer in 3 s"}  # fmt: skip
            assert connected() == 1


def test_a_run_without_time_asks_nobody(tmp_path: Path) -> None:
    session = project(tmp_path)
    with opened(session.state):
        pass
    look = left_alone(session, "", run_of(0.0))
    assert look(RED).endswith("is not known: there was no time left to ask; give the run more with --timeout")
    assert isinstance(look(RED), NotKnown), "that is nobody's wish"


@pytest.mark.parametrize("runs", [True, False])
def test_what_people_want_of_another_environment_says_nothing_of_this_one(tmp_path: Path, runs: bool) -> None:
    prod, dev = project(tmp_path), project(tmp_path, env="dev")
    now = time.time()
    move = Downtime("move", Fixed(now, now + 3600.0), frozenset([RED.id]), "ann")
    with opened(prod.state) as store, ExitStack() as stack:
        claim(store, "shop", "prod")
        with store.transaction() as t:
            people.write_downtimes(t, [move])
        if runs:
            # What a monitor answers, of the two words that it is asked.
            words = {"health": {"place": "shop/prod"}, "left alone": {RED.id: "downtime 'move' by ann"}}
            control = Control(prod.state.path, lambda question, user: {"answer": words[question["word"]]})
            stack.callback(control.close)
        assert left_alone(prod, "")(RED).startswith("left alone: downtime 'move' by ann")
        assert left_alone(dev, "")(RED) == ""


def test_nobody_is_asked_about_what_is_refused_without_them(world: World, tmp_path: Path) -> None:
    asked: list[str] = []

    def suppressed(result: object) -> str:
        asked.append("asked")
        return "left alone: downtime 'move' by ann"

    state, means = StateDir(tmp_path / "state"), world.means(suppressed=suppressed)
    world.now += 60
    (record,) = heal(world.report(), [make_rule(confirm=2)], state, means, history={})
    assert (closed(record), asked) == (["confirm"], [])
    # What was not asked is on record as neither yes nor no.
    assert "suppressed" not in [answer.name for answer in record.gates]
    world.now += 60
    (record,) = heal(world.report(), [make_rule(confirm=2, mode="propose")], state, means, history={})
    assert closed(record) == ["suppressed", "mode"]
    assert asked
    assert world.acts == []


def test_a_database_whose_client_is_not_installed_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    session = project(tmp_path, "monitor:\n  store: {url: 'postgresql://infratest@db.invalid/monitor'}\n")
    assert left_alone(session, "")(RED).endswith(
        "is not known: store: PostgreSQL needs psycopg; pip install 'infratest[postgres]'"
    )
