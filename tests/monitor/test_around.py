"""What is around a failure: since when others are as they are, and that they are looked at before anything is done."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from infratest.alerting.moments import Moment
from infratest.alerting.policy import Attempts, Policy
from infratest.alerting.subject import Subject
from infratest.heal.gates import GATES, Seen
from infratest.heal.looking import overlaid
from infratest.hosts import Host
from infratest.model import Result
from infratest.monitor import around
from infratest.monitor.around import Around, View
from infratest.monitor.book import Book
from infratest.monitor.memory import Memory
from infratest.monitor.monitor import GRACE
from infratest.store.failures import Row
from tests.heal.test_gates import ALLOWED, NOON
from tests.monitor.test_monitor import Desk
from tests.worlds import small_project
from tests.worlds.heal_world import make_report, make_result, make_rule, result_id


def at(seconds: float) -> Moment:
    return Moment(1000 + seconds, NOON + seconds)


def turned_red(hosts: str, looks: int, retry: float) -> tuple[Book, float]:
    """Return what a monitor knows of hosts that hold, and fail a second after each other; and when the first was seen.

    Each is looked at so often since.
    """
    book = Book(Memory())
    policy = Policy(interval=300, retry=retry, attempts=Attempts(3, 3))
    book.watch([Subject(result_id(host), host, policy=policy) for host in hosts], at(-900))
    for n, host in enumerate(hosts):
        book.look(make_result("ok", host), at(-300))
        for look in range(looks):
            book.look(make_result("critical", host), at(n + look * retry))
    return book, NOON + (looks - 1) * retry


def one_cause(view: View, result: Result, looked: float, hosts: str) -> tuple[bool, str]:
    """Ask the gate as the engine does."""
    report = make_report([view.dated(result, looked)], looked)
    situation = replace(
        ALLOWED,
        now=looked + 2,
        looked=looked,
        row=Row(state="critical", failures=3, since=NOON, last=looked),
        hosts={host: Host(host, groups=(f"group-{host}",)) for host in hosts},
        history=overlaid(view.known, report, looked),
    )
    return GATES["one cause"](make_rule(), result, situation)


@pytest.mark.parametrize("hosts", ["abc", "abcde"])
@pytest.mark.parametrize("looks, retry", [(1, 15), (2, 40), (3, 30), (4, 15), (20, 15)])
def test_what_fails_at_one_moment_does_so_however_often_it_is_looked_at(hosts: str, looks: int, retry: float) -> None:
    book, looked = turned_red(hosts, looks, retry)
    result = book.results[result_id("a")]
    view = Around().view(book, at(looked - NOON))
    passed, reason = one_cause(view, result, looked, hosts)
    assert not passed
    assert f"{len(hosts)} of {len(hosts)} hosts that turned red within 60 s share a moment" in reason


def test_it_is_known_over_a_restart_and_ends_with_the_state() -> None:
    book, _ = turned_red("a", 5, 15)
    again = Book(Memory(statuses=book.statuses, results=book.results))
    again.watch(book.subjects.values(), at(100))
    again.look(make_result("critical", "a"), at(101))
    (seen,) = Around().view(again, at(102)).known.values()
    assert (seen.time, seen.since) == (NOON + 101, NOON)
    again.look(make_result("unknown", "a", blocked_by=result_id("b")), at(110))
    again.look(make_result("unknown", "a"), at(120))
    (seen,) = Around().view(again, at(121)).known.values()
    assert seen == Seen(host="a", state="unknown", time=NOON + 120, since=NOON + 120)


STACK = """\
stack: shop
provider: local
hosts: {a: {groups: [one]}, b: {groups: [two]}, c: {groups: [three]}}
monitor: {interval: 5 min, retry: 15s, tell: []}
"""
FEATURE = """\
Feature: f
  Scenario: there
    Then the directory "/" exists
  @interval:1h
  Scenario: dear
    Then the directory "/" exists
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A monitor that has looked at all."""
    small_project.write(tmp_path, {"stack.yaml": STACK, "features/x.feature": FEATURE})
    return Desk(tmp_path).after(0)


def asked_for(desk: Desk) -> set[str]:
    """Return what hints bring forward."""
    now = desk.monitor.timepiece.now().steady
    return {id for id, asked in desk.monitor.book.asked.items() if asked.hint is not None and asked.hint >= now}


def fails(desk: Desk, host: str) -> str:
    """Have a look find that something fails on a host; return its id."""
    book = desk.monitor.book
    id = f"features/x.feature#there@{host}"
    book.look(book.results[id].changed(state="critical", reason="gone"), desk.monitor.timepiece.now())
    return id


def test_others_are_looked_at_once_some_at_a_time_and_not_what_is_dear(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(around, "AT_ONCE", 1)
    one, book, now = Around(), desk.monitor.book, desk.monitor.timepiece.now
    watched = desk.monitor.watched
    one.tend(watched, book, now())
    assert asked_for(desk) == set(), "nothing fails"
    desk.clock.now += 10
    id = fails(desk, "a")
    one.saw(book.results[id], book)
    one.hold([id])
    unseen = []
    for _ in range(3):
        again = one.tend(watched, book, now())
        unseen.append((one.view(book, now()).unseen(id), asked_for(desk), again))
        desk.after(1)
    there = "features/x.feature#there@"
    assert unseen == [(["b", "c"], {f"{there}b"}, []), (["c"], {f"{there}c"}, []), ([], set(), [id])]
    desk.after(15)
    one.saw(book.results[id].changed(state="ok"), book)
    id = fails(desk, "b")
    one.saw(book.results[id], book)
    one.tend(watched, book, now())
    assert asked_for(desk) == {f"{there}c"}, "the next failure has them looked at anew, the longest ago first"


def test_a_host_of_which_no_look_comes_back_is_not_waited_for_for_ever(desk: Desk) -> None:
    one, book, now = Around(), desk.monitor.book, desk.monitor.timepiece.now
    watched = desk.monitor.watched
    one.tend(watched, book, now())
    desk.clock.now += 10
    id = fails(desk, "a")
    one.saw(book.results[id], book)
    one.tend(watched, book, now())
    desk.clock.now += watched.seconds + GRACE - 1
    one.tend(watched, book, now())
    assert one.view(book, now()).unseen(id) == ["b", "c"]
    desk.clock.now += 1
    one.tend(watched, book, now())
    assert one.view(book, now()).unseen(id) == []
    another = fails(desk, "b")
    one.saw(book.results[another], book)
    one.tend(watched, book, now())
    assert one.view(book, now()).unseen(another) == ["a"], "c is still silent"
    desk.after(1)
    fresh = {id.partition("@")[2] for id, seen in book.newest.items() if seen.steady > now().steady - 5}
    assert fresh == {"a", "b", "c"}


def test_nobody_is_starved_by_its_name_and_nobody_asked_again_before_retry_however_much_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(around, "AT_ONCE", 1)
    hosts = [f"h{n}" for n in range(10)]
    stack = STACK.replace(
        "{a: {groups: [one]}, b: {groups: [two]}, c: {groups: [three]}}",
        f"{{{', '.join(f'{host}: {{}}' for host in hosts)}}}",
    )
    small_project.write(tmp_path, {"stack.yaml": stack, "features/x.feature": FEATURE})
    desk = Desk(tmp_path).after(0)
    one, book, now = Around(), desk.monitor.book, desk.monitor.timepiece.now
    asked: list[tuple[float, str]] = []
    for second in range(45):
        desk.clock.now += 1
        id = fails(desk, "h0")
        one.saw(book.results[id], book)  # each second something fails anew
        one.tend(desk.monitor.watched, book, now())
        asked += [(second, id.partition("@")[2]) for id in asked_for(desk)]
        desk.after(0)
        one.saw(book.results[id].changed(state="ok"), book)
    times = {host: [at for at, name in asked if name == host] for host in hosts[1:]}
    assert [len(each) for each in times.values()] == [3] * 9, times
    assert all(later - at >= 15 for each in times.values() for at, later in pairwise(each)), times


def test_what_is_not_well_is_looked_at_when_retry_says_and_not_sooner(desk: Desk) -> None:
    one, book, now = Around(), desk.monitor.book, desk.monitor.timepiece.now
    desk.clock.now += 10
    soft = fails(desk, "b")
    desk.clock.now += 5
    id = fails(desk, "a")
    one.saw(book.results[id], book)
    asked: dict[str, float] = {}
    for _ in range(16):
        one.tend(desk.monitor.watched, book, now())
        asked |= {id.partition("@")[2]: desk.clock.now for id in asked_for(desk)}
        waits = one.view(book, now()).unseen(id)
        if desk.clock.now < 25:
            assert "b" in waits
            assert book.statuses[soft].window.count(True) == 1, "no other attempt"
        desk.clock.now += 1
        desk.monitor.turn(0)
    assert asked["c"] == 15
    assert asked.get("b", 25) >= 25


class Counted(dict[str, Moment]):
    """When each was looked at, and how often somebody asks for that."""

    asked = 0

    def __getitem__(self, id: str) -> Moment:
        self.asked += 1
        return super().__getitem__(id)

    def get(self, id: str, default: Any = None) -> Any:
        self.asked += 1
        return super().get(id, default)


def test_a_turn_costs_the_same_however_many_failures_wait_for_others(desk: Desk) -> None:
    book, now = desk.monitor.book, desk.monitor.timepiece.now
    every = [id for id, each in book.subjects.items() if each.looked_at]
    desk.clock.now += 10
    for id in every:
        if not id.endswith("@c"):
            book.look(book.results[id].changed(state="critical", reason="gone"), now())
    counted = []
    for held in (1, 4):
        one, looks = Around(), Counted(book.newest)
        failed = [id for id in every if book.results[id].state == "critical"]
        assert len(failed) == 4
        for id in failed:
            one.saw(book.results[id], book)
        one.hold(failed[:held])
        one.tend(desk.monitor.watched, book, now())
        book.newest = looks
        for _ in range(3):
            one.tend(desk.monitor.watched, book, now())
        nothing = looks.asked
        book.look(book.results[failed[0]], now())
        one.hold([])
        one.tend(desk.monitor.watched, book, now())
        counted.append((nothing, looks.asked))
    assert counted[0] == counted[1]


def test_a_view_is_made_once_until_something_is_looked_at(desk: Desk) -> None:
    one, book, now, watched = Around(), desk.monitor.book, desk.monitor.timepiece.now, desk.monitor.watched
    one.tend(watched, book, now())
    view = one.view(book, now())
    one.tend(watched, book, now(), news=False)
    assert one.view(book, now()).known is view.known
    desk.clock.now += 10
    fails(desk, "a")
    assert one.view(book, now()).known["features/x.feature#there@a"].state == "critical", "it is not told of yet"
    again = one.view(book, now())
    one.tend(watched, book, now(), news=True)
    assert one.view(book, now()) is not again
