"""Several monitors on one PostgreSQL: what a standby, and a machine without a monitor, say of what another one watches;
and sentences about what that keeps. In this process, on a real server.
"""

from __future__ import annotations

import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from infratest.alerting.heartbeats import of_heartbeat
from infratest.cli.main import infratest_command, status
from infratest.monitor.monitor import Monitor
from infratest.monitor.start import started
from infratest.project.prepare import Request
from infratest.project.session import Session
from infratest.store.database.lease import Lease
from infratest.store.database.postgresql import holder
from infratest.store.events import Event
from infratest.testing.waiting import wait_until
from tests.store.conftest import postgresql_port  # noqa: F401 - a fixture
from tests.worlds import servers, small_project
from tests.worlds.tls_servers import free_port

LONG = 60.0
STACK = """\
stack: {name}
provider: local
hosts: {{here: {{}}}}
monitor:
  attempts: 1
  tell: []
  receivers: {{oncall: {{webhook: {{url: "http://127.0.0.1:9/"}}}}}}
  heartbeats: {{backup: {{every: 10 min}}}}
  store: {{url: "postgresql://admin@127.0.0.1:{port}/postgres", password-file: mon.pw}}
"""
FEATURE = """\
Feature: f
  Scenario: there
    Then the file "{there}" exists
"""
ASKS = """\
Feature: asks
  Scenario: orders
    Then the metric "shop.orders" over the last 5 min is more than 10
  Scenario: backup
    Then the heartbeat "backup" is on time
"""
THERE = "features/x.feature#there@here"
Asking = Callable[..., tuple[int, str, str]]


@pytest.fixture
def west(tmp_path: Path, request: pytest.FixtureRequest, postgresql_port: int) -> Path:  # noqa: F811
    """A project whose store is a schema of its own; on another machine is `east`, a copy of it."""
    name = re.sub(r"\W", "-", request.node.name)[:40]
    files = {
        "stack.yaml": STACK.format(name=name, port=postgresql_port),
        "features/x.feature": FEATURE.format(there=tmp_path / "there"),
        "asks/y.feature": ASKS,
        "mon.pw": f"{servers.PASSWORD}\n",
    }
    small_project.write(tmp_path / "east", files)
    return small_project.write(tmp_path / "west", files)


@pytest.fixture
def working(west: Path) -> Iterator[Monitor]:
    """A monitor in the west that has looked at all."""
    with started(Session(stack_path=west / "stack.yaml"), Request(face="check")) as monitor:
        thread = threading.Thread(target=monitor.run)
        thread.start()
        assert wait_until(lambda: monitor.book.statuses[THERE].seen == "critical", LONG)
        try:
            yield monitor
        finally:
            monitor.end()
            thread.join()


class Ended(Exception):
    """A standby waits no longer."""


@pytest.fixture
def standing_by(west: Path, working: Monitor) -> Iterator[None]:
    """A monitor in the east that waits."""
    waits, ended = threading.Event(), threading.Event()

    def waiting(lease: Lease) -> None:
        waits.set()
        if ended.is_set():
            raise Ended

    def stand_by() -> None:
        session = Session(stack_path=west.parent / "east" / "stack.yaml")
        with suppress(Ended), started(session, Request(face="check"), waiting=waiting):
            pass

    thread = threading.Thread(target=stand_by)
    thread.start()
    assert waits.wait(LONG)
    yield
    ended.set()
    thread.join()


@pytest.fixture
def ask(west: Path, capsys: pytest.CaptureFixture[str]) -> Asking:
    """Return what runs a word of `infratest monitor` in the east, and gives its status and both its streams."""

    def run(*words: str) -> tuple[int, str, str]:
        said: list[str] = []
        stack = ("--stack", str(west.parent / "east" / "stack.yaml"))
        ended = status(infratest_command, [*words, *stack], 3, said.append)
        out, err = capsys.readouterr()
        assert servers.PASSWORD not in out + err
        return ended, out, err + "\n".join(said)

    return run


def test_a_standby_says_whose_it_is_and_shows_what_is_kept(working: Monitor, standing_by: None, ask: Asking):
    standby = f"a standby (process {os.getpid()}) of {holder()}"
    for word in ("status", "problems"):
        ended, out, _ = ask("monitor", word)
        assert ended == 2
        head, *rest = out.splitlines()
        assert f"INFRATEST MONITOR CRITICAL - {working.watched.place}" in head
        assert f"; {standby}, which kept this " in head
        assert rest[0].startswith(f"critical {THERE}: ")
        answer = json.loads(ask("monitor", word, "--format", "json")[1])
        assert (answer["state"], answer["monitor"], answer["works"]) == ("critical", None, holder())
        assert answer["standby"] == str(os.getpid())
    ended, out, _ = ask("monitor", "explain", THERE)
    assert (ended, out.splitlines()[0].partition(", which")[0]) == (0, f"critical {THERE}; {standby}")
    for words in (("history", THERE), ("events",), ("explain", THERE, "--at", "1s ago")):
        ended, out, err = ask("monitor", *words)
        assert ended == 0
        assert standby in err, words
        assert standby not in out, "what a program reads is as ever"
    ended, _, err = ask("monitor", "due")
    assert (ended, f"no monitor runs here: {holder()} works" in err) == (3, True)
    ended, out, _ = ask("check", "@infratest-monitor")
    assert (ended, f"{standby}: ask it there" in out) == (3, True), out
    ended, _, err = ask("monitor", "ack", THERE, "--comment", "on it")
    assert (ended, f"{holder()} works, and it alone writes the store; ask it there" in err) == (3, True), err


@pytest.mark.parametrize(
    "more, password", [({"jobs: 3", "hints: [processes]"}, "mon.pw"), ({"jobs: 5"}, "other.pw")], ids=["begun", "store"]
)
def test_who_waited_begins_by_the_files_as_they_are_then(west: Path, more: set[str], password: str):
    stack, port = west.parent / "east" / "stack.yaml", free_port()
    waits, went_on = threading.Event(), list[Monitor]()

    def stand_by() -> None:
        with started(Session(stack_path=stack), Request(face="check"), waiting=lambda lease: waits.set()) as monitor:
            went_on.append(monitor)
            monitor.run()

    standby = threading.Thread(target=stand_by)
    with started(Session(stack_path=west / "stack.yaml"), Request(face="check")):
        standby.start()
        assert wait_until(waits.is_set, LONG)
        (stack.parent / password).write_text(f"{servers.PASSWORD}\n")
        words = stack.read_text().replace("mon.pw", password)
        lines = [*sorted(more), f'listen: {{http: {{address: "127.0.0.1:{port}"}}}}']
        stack.write_text(words + "".join(f"  {line}\n" for line in lines))
    assert wait_until(lambda: bool(went_on) or not standby.is_alive(), LONG)
    (monitor,) = went_on
    said = monitor.watched.session.stack.monitor  # type: ignore[attr-defined]
    assert {f"jobs: {said.jobs}", f"hints: [{', '.join(said.hints)}]"} >= more
    assert said.store.password_file == password
    with socket.create_connection(("127.0.0.1", port), LONG):
        pass
    monitor.end()
    standby.join()


def test_a_machine_without_a_monitor_says_who_works_and_after_its_end_nothing_is_known(west: Path, ask: Asking):
    with started(Session(stack_path=west / "stack.yaml"), Request(face="check")) as monitor:
        while monitor.book.statuses[THERE].seen is None:
            monitor.turn(0.2)
        monitor.turn(0)
        ended, out, _ = ask("monitor", "status")
        assert ended == 2
        assert f"; no monitor runs here: {holder()} works, which kept this " in out
        ended, out, _ = ask("check", "@infratest-monitor")
        assert (ended, f"no monitor runs here: {holder()} works: ask it there" in out) == (3, True), out
    ended, out, _ = ask("monitor", "status")
    assert (ended, "; no monitor runs: this is what one knew " in out) == (3, True)
    assert " | " not in out.splitlines()[0], "what is old has no figures"


def checked(ask: Asking) -> tuple[int, dict[str, tuple[str, str]]]:
    ended, out, _ = ask("check", "asks", "--format", "json")
    results = json.loads(out)["results"]
    return ended, {one["scenario"]: (one["state"], one["reason"]) for one in results}


def test_sentences_ask_the_store_wherever_it_is(working: Monitor, west: Path, ask: Asking):
    arrivals, now = working.taking.arrivals, working.timepiece.now().wall  # type: ignore[union-attr]
    _, found = checked(ask)
    assert (found["orders"][0], "was never sent" in found["orders"][1]) == ("unknown", True)
    assert (found["backup"][0], "due for the first time" in found["backup"][1]) == ("unknown", True)
    for value in (10.0, 20.0):
        _, ticket = arrivals.offer("http", [Event(now, "shop.orders", value, "", {})])
        assert ticket.kept(LONG)
    reason, ticket = arrivals.signal("http", "backup", "ok")
    assert (reason, ticket.kept(LONG)) == ("", True)
    assert checked(ask) == (0, {"orders": ("ok", ""), "backup": ("ok", "")})
    _, ticket = arrivals.signal("http", "backup", "fail")
    assert ticket.kept(LONG)
    assert wait_until(lambda: working.book.statuses[of_heartbeat("backup")].state == "critical", LONG)
    ended, found = checked(ask)
    assert (ended, found["backup"][0]) == (2, "critical")


def test_sentences_about_a_store_that_nobody_writes_or_reaches_are_unknown(west: Path, ask: Asking):
    ended, found = checked(ask)
    assert ended == 3
    assert {state for state, _ in found.values()} == {"unknown"}
    assert "the monitor's store cannot be asked: store: postgresql://admin@127.0.0.1:" in found["orders"][1]
    with started(Session(stack_path=west / "stack.yaml"), Request(face="check")) as monitor:
        monitor.turn(0)
    (west.parent / "east" / "mon.pw").write_text("another-one-0815\n")
    ended, found = checked(ask)
    assert (ended, "password authentication failed" in found["backup"][1]) == (3, True)
    (west.parent / "east" / "mon.pw").unlink()
    ended, found = checked(ask)
    assert (ended, "mon.pw could not be read" in found["backup"][1]) == (3, True)
