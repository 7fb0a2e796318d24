"""How the way into a host is seen: by whoever asks the host, and by nobody where no scenario does."""

from __future__ import annotations

from pathlib import Path

from infratest.hosts import GONE
from infratest.monitor.presence import _gone
from infratest.monitor.roll import Roll
from tests.monitor.test_monitor import Desk
from tests.worlds import small_project

STACK = """\
stack: one
provider: existing
hosts:
  web: {transport: local, address: 127.0.0.1, groups: [all]}
  db: {transport: local, groups: [all]}
  far: {address: 127.0.0.1, port: 1, user: nobody, groups: [all]}
monitor:
  attempts: 1
  flap: off
  receivers: {oncall: {webhook: {url: "http://127.0.0.1:9/"}}}
  tell: [{to: oncall}]
"""
FROM_ELSEWHERE = """\
  Scenario: answers
    Given the host "%s"
    Then "http://{host.address}:9/" does not answer
"""
ON_IT = """\
  Scenario: root
    Given the host "%s"
    Then the directory "/" exists
"""


def desk(tmp_path: Path, *scenarios: str) -> Desk:
    text = "Feature: f\n" + "".join(scenarios)
    return Desk(small_project.write(tmp_path, {"stack.yaml": STACK, "features/x.feature": text}))


def states(desk: Desk) -> dict[str, str | None]:
    """Return how each is that is no part of the monitor itself, by the end of its id."""
    statuses = desk.monitor.book.statuses.items()
    return {id.rpartition("#")[2]: each.seen for id, each in statuses if not id.startswith("monitor#")}


def test_a_host_that_nobody_asks_has_no_way_in_that_could_be_stale(tmp_path: Path):
    skipped = "  @skip:later\n" + ON_IT % "db"
    one = desk(tmp_path, FROM_ELSEWHERE % "web", skipped)
    for _ in range(5):
        one.after(31)
    assert (states(one), one.handed) == ({"answers@web": "ok"}, [])
    assert one.monitor.book.subjects["features/x.feature#answers@web"].needs == ()


def test_a_way_is_seen_by_a_look_that_is_of_no_host(tmp_path: Path):
    mixed = ON_IT % "web" + '    And the address "127.0.0.1:9" is not reachable from "db"\n'
    one = desk(tmp_path, mixed)
    assert one.monitor.watched.unit("features/x.feature#root@web") == "-"
    for _ in range(5):
        one.after(31)
    assert states(one) == {"reachable@web": "ok", "reachable@db": "ok", "root@web": "ok"}
    assert one.handed == []


def test_who_is_asked_from_elsewhere_alone_is_not_reached(tmp_path: Path):
    often = FROM_ELSEWHERE.replace("  Scenario", "  @interval:10s\n  Scenario") % "far"
    one = desk(tmp_path, often, ON_IT % "far")
    seen = set()
    for _ in range(12):
        one.after(5)
        seen.add(states(one)["reachable@far"])
    assert seen == {"critical"}
    assert [each[:3] for each in one.handed] == [("problem", "critical", "reachable@far")]


def test_a_way_that_blocks_nothing_of_a_result_is_told_with_what_was_asked(tmp_path: Path):
    """A scenario that fails on one host is blocked by no other, and the other's way is told all the same."""
    one = desk(tmp_path, '  Scenario: all\n    Then the address "127.0.0.1:9" is reachable from every host in "all"\n')
    one.after(0)
    assert states(one) == {
        "reachable@web": "ok", "reachable@db": "ok", "reachable@far": "critical", "all@-": "critical",
    }  # fmt: skip


def test_that_a_host_is_gone_is_told_of_one_that_nobody_asks(tmp_path: Path):
    one = desk(tmp_path, FROM_ELSEWHERE % "web").after(0)
    watched = one.monitor.watched
    hosts = [host.changed(state=GONE) if host.name == "web" else host for host in watched.hosts.values()]
    one.clock.now += 1
    one.monitor.adopt(watched.on(Roll(watched.session, tuple(hosts), {})))
    for result in _gone(hosts):
        one.monitor.book.look(result, one.monitor.timepiece.now(), final=True)
    for _ in range(5):
        one.after(31)
    assert [each[:3] for each in one.handed] == [("problem", "critical", "reachable@web")]
