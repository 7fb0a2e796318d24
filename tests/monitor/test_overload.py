"""A monitor whose threads all hang at some hosts: what waits does not pile up, and nobody calls that work."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from infratest.monitor.crew import Errand, Findings
from infratest.monitor.monitor import GRACE, LATE
from infratest.monitor.start import Project
from infratest.project.prepare import Request
from infratest.project.session import Session
from tests.monitor.test_monitor import Desk
from tests.worlds import small_project
from tests.worlds.monitor_world import until

NAMES = [f"web-{number}" for number in range(6)]
STACK = f"""\
stack: one
provider: existing
hosts: {{{", ".join(f"{name}: {{transport: local}}" for name in NAMES)}}}
monitor: {{attempts: 1, flap: off, tell: []}}
"""
FEATURE = 'Feature: f\n  Scenario: root\n    Then the directory "/" exists\n'


class Hanging(Project):
    """A project of which some hosts do not answer until they may."""

    hangs: frozenset[str] = frozenset()
    hung: list[str] = []
    go_on = Event()

    def look(self, errand: Errand) -> Findings:
        if errand.unit in Hanging.hangs:
            Hanging.hung.append(errand.unit)
            assert Hanging.go_on.wait(60)
        return super().look(errand)


class Busy(Desk):
    def read(self) -> Project:
        return Hanging.project(Session(stack_path=self.project / "stack.yaml"), Request(face="check"))


def test_what_waits_does_not_pile_up_and_is_no_work_that_is_done(tmp_path: Path, monkeypatch):
    desk = Busy(small_project.write(tmp_path, {"stack.yaml": STACK, "features/x.feature": FEATURE})).after(0)
    monitor, worked, longest = desk.monitor, [], 0
    monitor._worked = worked.append
    desk.after(1)
    assert len(worked) >= 2, "it works"
    monkeypatch.setattr(Hanging, "hangs", frozenset(NAMES[:2]))  # as many as there are threads
    lasts = monitor.watched.seconds + GRACE
    desk.clock.now += 90  # all are due
    monitor.turn(0)
    until(lambda: monitor.turn(0.05) or {*Hanging.hung} == Hanging.hangs, "they hang")
    for _ in range(20):
        desk.clock.now += lasts + 1
        monitor.turn(0)
        longest = max(longest, monitor.looks_waiting)
    assert longest <= len(NAMES)
    assert worked[-1] < monitor.timepiece.now().steady - LATE, "nobody is on what is due"
    Hanging.go_on.set()
    until(lambda: monitor.turn(0.05) or not monitor.busy, "all have answered")
    ended = monitor.timepiece.now().steady
    for name in NAMES[2:]:
        status = monitor.book.statuses[f"features/x.feature#root@{name}"]
        assert (status.state, status.looked) == ("ok", ended), "it was looked at now, and not when it was due"
    assert worked[-1] == ended
