"""`@infratest-monitor` asked of monitors that are ill in each way that its sentences name: by the check, over the
socket, of a loop that works by a clock that is moved by hand.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infratest.cli.main import infratest_command, status
from infratest.monitor.asked import Asked
from infratest.monitor.control import Control
from infratest.store.directory import StateDir
from infratest.testing.waiting import wait_until
from infratest.units import human
from tests.monitor.test_monitor import STACK, Desk, project  # noqa: F401 - a fixture
from tests.worlds import small_project

LONG = 60.0
ALIVE, KEEPS = "the monitor is alive", "the monitor keeps what it sees"
WITHIN = "the monitor keeps its store within its size"
CYCLE = "the last cycle of the monitor is less than 60 s old, warning 30 s"
LATE = "the monitor is less than 60 s late, warning 30 s"
WAITING = "the monitor has less than 100 looks waiting, warning 50"
REACHES = "the monitor reaches every receiver"
WELL = dict.fromkeys((ALIVE, CYCLE, LATE, WAITING, KEEPS, WITHIN, REACHES), "ok")

Check = Callable[[], tuple[int, dict[str, str], str]]


@contextmanager
def answering(desk: Desk) -> Iterator[None]:
    """Have a monitor's loop turn when something comes, and at no other time: what is asked comes first in its turn."""
    ended, monitor = threading.Event(), desk.monitor

    def work() -> None:
        while not ended.is_set():
            if not monitor.inbox.empty():
                monitor.turn(0)
            ended.wait(0.005)

    state = StateDir(desk.project / ".infratest")
    state.make()
    control, thread = Control(state.path, Asked(monitor)), threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        control.close()


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Return what checks it: the exit status, each sentence's state, and all reasons."""

    def run() -> tuple[int, dict[str, str], str]:
        words = ["check", "@infratest-monitor", "--format", "json", "--stack", str(tmp_path / "stack.yaml")]
        ended = status(infratest_command, words, 3)
        results = json.loads(capsys.readouterr().out)["results"]
        found = {step["text"]: step["state"] for one in results for step in one["steps"]}
        return ended, found, "\n".join(one["reason"] for one in results)

    return run


def test_one_that_is_well(project: Path, check: Check):  # noqa: F811
    with answering(Desk(project).after(0)):
        assert check() == (0, WELL, "\n" * 4)


def test_one_that_is_late(project: Path, check: Check):  # noqa: F811
    desk = Desk(project).after(0)
    for seconds, state in ((0, "warning"), (40, "critical")):
        # Nobody turned it since: looks are due every 60 s, and may be spread over as much.
        first = desk.monitor.book.agenda.next()
        assert first is not None
        desk.after(0)
        desk.clock.now += first - desk.monitor.timepiece.now().steady + 35 + seconds
        with answering(desk):
            _, found, reasons = check()
        assert found | {CYCLE: "ok"} == WELL | {LATE: state}, "its last cycle is old, too"
        assert f"the monitor is {human(35 + seconds, 's')} late" in reasons
        desk.after(0)


def test_one_whose_store_takes_nothing(project: Path, check: Check):  # noqa: F811
    desk = Desk(project).after(0)
    desk.shelf.full = True
    desk.after(20).after(5)
    with answering(desk):
        ended, found, reasons = check()
    assert (ended, found) == (2, WELL | {KEEPS: "critical"})
    assert "the monitor does not keep what it sees: monitor.db: no space left on device" in reasons
    for seconds, state in ((15, "warning"), (30, "critical")):
        desk.after(seconds).after(0)
        with answering(desk):
            ended, found, reasons = check()
        assert (ended, found[CYCLE], found[LATE]) == (2, state, "ok")
    assert f"the last cycle of the monitor is {human(70, 's')} old" in reasons
    desk.shelf.full = False
    with answering(desk.after(1)):
        assert check()[:2] == (0, WELL)


def test_one_whose_store_is_damaged(project: Path, check: Check):  # noqa: F811
    desk = Desk(project).after(0)
    desk.shelf.damage = "store: db is damaged"
    with answering(desk.after(10).after(1)):
        ended, found, reasons = check()
    assert (ended, found[KEEPS], "store: db is damaged" in reasons) == (2, "critical", True)


@pytest.mark.parametrize("way", ["overgrown", "untended"])
def test_one_whose_store_grows(project: Path, check: Check, way: str):  # noqa: F811
    desk = Desk(project).after(0)
    setattr(desk.shelf, way, "store: db is larger than `store: keep: size`")
    with answering(desk.after(60).after(0)):
        ended, found, reasons = check()
    assert (ended, found) == (2, WELL | {WITHIN: "critical"})
    assert "within its size: store: db is larger than `store: keep: size`" in reasons
    setattr(desk.shelf, way, "")
    with answering(desk.after(60).after(0)):
        assert check()[:2] == (0, WELL)


@pytest.mark.parametrize("hosts, state, ended", [(60, "warning", 1), (110, "critical", 2)])
def test_one_with_more_to_look_at_than_it_can(tmp_path: Path, check: Check, hosts: int, state: str, ended: int):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    files = {
        "stack.yaml": STACK.replace("{here: {}}", f"{{here: {{count: {hosts}}}}}"),
        "features/x.feature": f'Feature: f\n  Scenario: hangs\n    Then the command "cat {pipe}" exits 0\n',
    }
    desk = Desk(small_project.write(tmp_path, files))
    desk.monitor.turn(0)
    assert wait_until(lambda: desk.monitor.looks_waiting == hosts - 2, LONG), "two are looked at, and hang"
    try:
        with answering(desk):
            found = check()
    finally:
        desk.monitor._crew.end()
        _let_go(pipe, desk)
    assert (found[0], found[1]) == (ended, WELL | {WAITING: state})
    assert f"the monitor has {hosts - 2} looks waiting" in found[2]


def _let_go(pipe: Path, desk: Desk) -> None:
    """Have those who read a pipe come to its end."""

    def came() -> bool:
        os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))
        return desk.monitor.inbox.qsize() >= 2

    assert wait_until(came, LONG)


def test_one_whose_receiver_refuses(project: Path, check: Check):  # noqa: F811
    desk = Desk(project)
    desk.outcome = "refused"
    (project / "there").unlink()
    desk.after(0).after(15)
    for _ in range(3):
        desk.after(50)
    with answering(desk):
        ended, found, reasons = check()
    assert (ended, found) == (2, WELL | {REACHES: "critical"})
    assert "the monitor does not reach oncall" in reasons


def test_one_that_hangs_and_one_that_is_gone(project: Path, check: Check, monkeypatch: pytest.MonkeyPatch):  # noqa: F811
    monkeypatch.setattr("infratest.project.stored.ANSWERED", 0.2)
    desk = Desk(project).after(0)
    state = StateDir(project / ".infratest")
    state.make()
    control = Control(state.path, Asked(desk.monitor))  # its loop does not turn
    for words in ("did not answer in 0.2 s", "no monitor runs on"):
        ended, found, reasons = check()
        assert (ended, found) == (2, dict.fromkeys(WELL, "unknown") | {ALIVE: "critical"})
        assert words in reasons
        control.close()
