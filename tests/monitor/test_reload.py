"""HUP: to a monitor that waits until another one works no longer, and with heal rules that cannot be read."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.errors import UserError
from infratest.monitor.foreground import _reachable, standing_by
from infratest.monitor.monitor import PROJECT
from tests.monitor.test_monitor import Desk
from tests.worlds import small_project
from tests.worlds.monitor_world import until

STACK = "stack: one\nprovider: local\nhosts: {here: {}}\nmonitor: {tell: []}\n"
FEATURE = 'Feature: f\n  Scenario: %s\n    Then the directory "/" exists\n'


@pytest.fixture
def hup() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def test_who_waits_is_not_ended_and_reads_anew_when_its_turn_comes(tmp_path: Path, hup: None):
    files = {"stack.yaml": STACK, "features/x.feature": FEATURE % "before"}
    desk = Desk(small_project.write(tmp_path, files))
    standing_by([].append)
    waiting = signal.getsignal(signal.SIGHUP)
    assert callable(waiting), "else this process would end here"
    small_project.write(tmp_path, files | {"features/x.feature": FEATURE % "behind"})
    signal.raise_signal(signal.SIGHUP)
    book, state = desk.monitor.book, desk.monitor.watched.session.state
    state.path.mkdir()
    with _reachable(desk.monitor, state):
        until(lambda: desk.monitor.turn(0.05) or "features/x.feature#behind@here" in book.subjects, "it was read anew")
    assert signal.getsignal(signal.SIGHUP) is waiting, "and after it has lost its lease"
    assert not waiting.heard, "it is followed once"


@pytest.mark.parametrize("where", ["when: {tags: '@web and'}", "when: {tags: '@web'}, neighbours: '@web and'"])
def test_a_heal_rule_that_cannot_be_read_leaves_those_of_before_and_begins_no_monitor(tmp_path: Path, where: str):
    files = {"stack.yaml": STACK, "features/x.feature": FEATURE % "before"}
    desk = Desk(small_project.write(tmp_path, files))
    rule = f"heal: {{again: {{{where}, do: [{{restart-service: nginx}}]}}}}\n"
    small_project.write(tmp_path, files | {"stack.yaml": STACK + rule})
    desk.monitor.reload()
    project = desk.monitor.book.statuses[PROJECT]
    assert project.state == "unknown"
    assert "stack.yaml:5: rule again: tags '@web and' is no tag expression" in project.reason
    assert desk.monitor.watched.session.stack.heal == ()
    with pytest.raises(UserError, match="is no tag expression"):
        Desk(tmp_path)
