"""For how long hosts that were known are taken for those that there are, with a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from infratest.alerting.subject import HOSTS
from infratest.errors import StateError
from infratest.monitor.listening import targets_now
from infratest.monitor.presence import Presence
from infratest.states import OK, UNKNOWN
from tests.monitor.test_monitor import Desk
from tests.worlds import small_project
from tests.worlds.monitor_world import until

STACK = """\
stack: one
provider: {name: simulator, world: world, transport: {otherwise: run}}
hosts: {web: {count: 2}}
monitor: {attempts: 1, tell: []}
"""
FEATURE = 'Feature: f\n  Scenario: root\n    Then the directory "/" exists\n'


def settled(desk: Desk, presence: Presence, holds: Callable[[], bool], what: str) -> None:
    """Have a question asked, and what came of it taken in."""

    def turned() -> bool:
        desk.clock.now += 0.001  # of two looks at one moment the second is none
        presence.tend(desk.monitor.timepiece.now())
        desk.clock.now += 0.001  # what is said above is a look, and what comes of the question is another
        desk.monitor.turn(0.05)
        return holds()

    until(turned, what)


def test_which_hosts_there_are_is_unknown_after_ten_minutes_and_no_sooner(tmp_path: Path):
    project = small_project.write(tmp_path, {"stack.yaml": STACK, "features/x.feature": FEATURE})
    assert small_project.run(project, "infratest", "up").returncode == 0
    desk = Desk(project)
    presence = Presence(desk.monitor)
    statuses = desk.monitor.book.statuses
    desk.clock.now += 61  # beyond the interval, however clocks are rounded
    settled(desk, presence, lambda: statuses[HOSTS].seen == OK, "they are known")
    world = project / "world" / "world.json"
    whole = world.read_text()
    world.write_text("{")
    desk.clock.now += 61  # beyond the interval, however clocks are rounded
    settled(desk, presence, lambda: presence.problem != "", "they could not be asked")
    desk.clock.now += 530
    settled(desk, presence, lambda: True, "one turn")
    assert statuses[HOSTS].state == OK, "what was known stays"
    assert targets_now(desk.monitor, "one", "", 9100) == "[]", "simulated hosts have no port that is reached"
    desk.clock.now += 61  # beyond the interval, however clocks are rounded
    settled(desk, presence, lambda: statuses[HOSTS].state == UNKNOWN, "it is too old")
    assert "is not known for 10 min: " in statuses[HOSTS].reason
    with pytest.raises(StateError, match=r"which hosts there are is not known for 10 min: "):
        targets_now(desk.monitor, "one", "", 9100)  # no list is better than one that is old
    (project / "mended.json").write_text(whole)
    (project / "mended.json").replace(world)  # a question may be on its way, and sees one or the other
    desk.clock.now += 61  # beyond the interval, however clocks are rounded
    settled(desk, presence, lambda: statuses[HOSTS].state == OK, "they are known again")


def test_what_a_provider_says_has_hosts_asked_for_soon_and_its_api_not_too_often(tmp_path: Path):
    project = small_project.write(tmp_path, {"stack.yaml": STACK, "features/x.feature": FEATURE})
    assert small_project.run(project, "infratest", "up").returncode == 0
    desk = Desk(project)
    presence = Presence(desk.monitor)
    statuses, now = desk.monitor.book.statuses, desk.monitor.timepiece.now
    desk.clock.now += 1
    for _ in range(3):
        presence.soon(now())
        presence.tend(now())
    assert not presence._asking, "an API counts its calls"
    desk.clock.now += 4.5
    settled(desk, presence, lambda: statuses[HOSTS].seen == OK, "they are asked long before the minute is over")
