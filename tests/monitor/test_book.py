"""The monitor's memory: what is looked at when, what is to be written, and that this is all that it needs to go on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.alerting.downtime import Downtime, Fixed
from infratest.alerting.due import wake
from infratest.alerting.moments import Moment
from infratest.alerting.owed import Receiver, Route
from infratest.alerting.policy import Attempts, Flap, Policy
from infratest.alerting.status import Acknowledge, Look, Tick, advance, begun
from infratest.alerting.subject import Subject
from infratest.errors import UnknownName, UserError
from infratest.model import Observation, Result, StepResult
from infratest.monitor.book import UNSENT, Book
from infratest.monitor.memory import Memory
from infratest.monitor.receiving import reception

WALL = 1_764_432_000.0
POLICY = Policy(interval=60, retry=15, attempts=Attempts(2, 2), flap=None)
WEB = Subject("web.feature#answers@web-1", "web-1", policy=POLICY)
DISK = Subject("disk.feature#room@web-1", "web-1", policy=POLICY)
BACKUP = Subject("heartbeat#backup@-", policy=replace(POLICY, stale=1e9), looked_at=False)
ALL = (WEB, DISK, BACKUP)


def at(seconds: float) -> Moment:
    return Moment(1000.0 + seconds, WALL + seconds)


def result(id: str, state: str, reason: str = "", number: float | None = None) -> Result:
    seen = () if number is None else (Observation("disk / used", number, "%"),)
    return Result(id, "f", "s", 1, "web-1", state, reason, steps=(StepResult("a", 1, state, reason, seen),))


def a_book(memory: Memory | None = None, subjects=ALL, now: float = 0.0) -> Book:
    routes = [Route(lambda subject, state: True, ("oncall",))]
    book = Book(memory or Memory(), routes, [Receiver("oncall")])
    book.watch(subjects, at(now))
    return book


class Kept:
    """What a store has of all that was written."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.told: list[tuple[str, str]] = []
        self.transitions: list[tuple[str, str, str]] = []

    def write(self, book: Book) -> None:
        changes, memory = book.taken(), self.memory
        for kept, changed in ((memory.statuses, changes.statuses), (memory.entries, changes.entries)):
            for key, value in changed.items():
                if value is None:
                    kept.pop(key, None)
                else:
                    kept[key] = value
        memory.results.update(changes.results)
        memory.sent.update(changes.sent)
        self.told += [(each.outcome, each.level) for each in changes.deliveries]
        self.told += [("withheld", "")] * len(changes.withheld)
        self.transitions += [(each.id, each.before, each.after) for each in changes.changes]

    def copy(self) -> Memory:
        memory = self.memory
        return Memory(dict(memory.statuses), dict(memory.results), dict(memory.entries), dict(memory.sent))


def test_what_is_watched_is_looked_at_at_once_and_then_on_the_grid_of_its_host():
    book = a_book()
    assert sorted(book.due(at(0))) == sorted([WEB.id, DISK.id]), "a heartbeat comes by itself"
    book.begin([WEB.id, DISK.id], at(0), until=1010.0)
    assert book.due(at(5)) == [], "a look that runs is waited for"
    book.end([WEB.id, DISK.id], at(1))
    (first,) = {book.agenda.next()}
    assert first is not None
    assert 1030 <= first < 1090
    assert book.due(Moment(first, WALL)) == sorted([WEB.id, DISK.id]), "what is of one host is due together"


def test_a_failure_is_looked_at_again_soon_and_is_told_once_it_is_hard():
    book, kept = a_book(), Kept()
    book.look(result(WEB.id, "critical", "no answer"), at(0))
    book.settle(at(0))
    assert book.messages((), at(0)) == []
    book.due(at(0))
    assert book.due(at(15)) == [WEB.id], "a soft state is looked at after `retry`"
    book.look(result(WEB.id, "critical", "no answer"), at(15))
    book.settle(at(15))
    ((notice,),) = book.messages((), at(15))
    assert (notice.receiver, notice.id, notice.kind, notice.level) == ("oncall", WEB.id, "problem", "critical")
    assert book.messages(("oncall",), at(15)) == [], "a receiver that is busy is not handed another"
    book.attempt((notice,), at(15))
    kept.write(book)
    assert kept.told == [("queued", "critical"), ("attempted", "critical")]
    book.outcome((notice,), "delivered", "", at(16))
    book.settle(at(17))
    assert book.messages((), at(17)) == []
    kept.write(book)
    assert kept.transitions[-1] == (WEB.id, "ok", "critical")
    assert kept.told[-1] == ("delivered", "critical")


def test_what_a_receiver_refuses_is_tried_again_and_three_times_make_it_a_problem():
    book = a_book()
    for time in (0, 15):
        book.look(result(WEB.id, "critical"), at(time))
    now, pauses = 15.0, []
    for tries in (1, 2, 3):
        book.settle(at(now))
        (message,) = book.messages((), at(now))
        book.attempt(message, at(now))
        book.outcome(message, "refused", "550 no such user", at(now))
        assert book.failing("oncall") == tries
        begin = now
        while not book.messages((), at(now)):
            now += 1
        pauses.append(now - begin)
    assert pauses == [10, 20, 40]


def test_what_is_never_taken_does_not_hold_up_what_is_gathered_beside_it():
    book = a_book()
    book.tell(book.routes, [Receiver("oncall", digest=300.0)])
    for id, time in ((WEB.id, 0), (WEB.id, 1), (DISK.id, 60), (DISK.id, 61)):
        book.look(result(id, "critical"), at(time))
    sent: dict[str, list[float]] = {}
    for time in range(1, 1200):
        book.settle(at(time))
        for message in book.messages((), at(time)):
            book.attempt(message, at(time))
            for notice in message:
                sent.setdefault(notice.id, []).append(time)
            book.outcome(message, "lost", "a time-out", at(time))
    assert sent[DISK.id][0] == 301
    assert book.sent["oncall"] == at(301).steady
    (message,) = book.messages((), at(1800))
    book.attempt(message, at(1800))
    assert book.sent["oncall"] == at(301).steady
    book.outcome(message, "delivered", "", at(1801))
    assert book.sent["oncall"] == book.changes.sent["oncall"] == at(1801).steady


def test_whom_a_message_did_not_reach_is_told_of_its_receiver_until_one_reaches_all():
    book = a_book()
    for time in (0, 15):
        book.look(result(WEB.id, "critical"), at(time))

    def handed(outcome: str, reason: str, now: float) -> tuple[str, str]:
        book.settle(at(now))
        (message,) = book.messages((), at(now))
        book.attempt(message, at(now))
        book.outcome(message, outcome, reason, at(now))
        found = reception(book, "oncall")
        book.results[found.id] = found
        return found.state, found.reason

    assert handed("delivered", "for all but gone@example.org: 550", 15) == (
        "warning",
        "for all but gone@example.org: 550",
    )
    assert book.entries["oncall", WEB.id].unsure is False, "the others have it: what follows is told"
    again = Book(Memory(dict(book.statuses), dict(book.results), dict(book.entries)), book.routes, [Receiver("oncall")])
    again.watch(ALL, at(20))
    book = again
    book.look(result(WEB.id, "ok"), at(30))
    assert handed("refused", "451 later", 30)[0] == "warning", "after a restart, too"
    assert handed("delivered", "", 60) == ("ok", "")


def test_a_message_that_was_not_handed_over_is_nobodys_failure_and_goes_at_once():
    book = a_book()
    for time in (0, 15):
        book.look(result(WEB.id, "critical"), at(time))
    book.settle(at(15))
    before = dict(book.entries)
    (message,) = book.messages((), at(15))
    for _ in range(3):
        book.attempt(message, at(15))
        book.outcome(message, UNSENT, "another one may tell", at(15))
        assert (book.entries, book.failing("oncall")) == (before, 0)
        assert book.messages((), at(15)) == [message]
    assert [each.outcome for each in book.taken().deliveries][-2:] == ["attempted", "refused"]


def test_a_receiver_is_left_alone_for_as_long_as_it_asks():
    book = a_book()
    for time in (0, 15):
        book.look(result(WEB.id, "critical"), at(time))
    book.settle(at(15))
    (message,) = book.messages((), at(15))
    book.attempt(message, at(15))
    book.outcome(message, "refused", "429 too many", at(15), after=90.0)
    assert book.messages((), at(104)) == []
    assert book.messages((), at(105)) != []


def test_numbers_are_written_each_time_and_a_look_that_says_the_same_is_not():
    book = a_book()
    book.taken()
    for time in (0, 60, 120, 180):
        book.look(result(DISK.id, "ok", number=70.0 + time), at(time))
    changes = book.taken()
    assert [((each.result.id, each.name), each.value) for each in changes.numbers] == [
        ((DISK.id, "disk / used"), 70.0 + time) for time in (0, 60, 120, 180)
    ]
    book.look(result(DISK.id, "ok", number=1.0), at(240))
    changes = book.taken()
    assert (changes.statuses, changes.results, changes.changes, len(changes.numbers)) == ({}, {}, [], 1)


def test_what_nobody_looked_at_for_two_intervals_is_not_known():
    book, kept = a_book(), Kept()
    book.look(result(WEB.id, "ok"), at(10))
    book.tick(at(119))
    assert book.statuses[WEB.id].state == "ok"
    assert book.statuses[DISK.id].state == "ok"
    book.tick(at(120))
    assert (book.statuses[WEB.id].state, book.statuses[DISK.id].state) == ("ok", "unknown")
    book.tick(at(130))
    assert book.statuses[WEB.id].state == "unknown"
    book.tick(at(1e8))
    assert book.statuses[BACKUP.id].state == "ok", "what comes by itself is never stale"
    kept.write(book)
    assert [each for each in kept.transitions if each[1] != "-"] == [
        (DISK.id, "ok", "unknown"),
        (WEB.id, "ok", "unknown"),
    ]


def test_why_nobody_is_told_is_noted_once_and_not_with_each_second():
    book, kept = a_book(), Kept()
    book.plan([Downtime("move", Fixed(WALL, WALL + 600), frozenset([WEB.id]), "ada", "racks")])
    for time in (0, 15):
        book.look(result(WEB.id, "critical"), at(time))
    for time in range(16, 40):
        book.settle(at(time))
    kept.write(book)
    assert kept.told == [("withheld", "")]
    book.pause(at(400).steady)
    for time in range(40, 80):
        book.settle(at(time))
    kept.write(book)
    assert kept.told == [("withheld", "")] * 2, "a pause is another reason, and its seconds are no news"
    book.pause(None)
    book.plan(())
    book.settle(at(80))
    kept.write(book)
    assert ("queued", "critical") in kept.told


def test_who_has_it_and_what_is_watched_no_longer():
    book = a_book()
    for time in (0, 15):
        book.look(result(WEB.id, "critical"), at(time))
    book.settle(at(15))
    (message,) = book.messages((), at(15))
    book.attempt(message, at(15))
    book.outcome(message, "delivered", "", at(15))
    book.event(WEB.id, Acknowledge(at(20), "ada", "on it"))
    with pytest.raises(UserError, match="no hard problem"):
        book.event(DISK.id, Acknowledge(at(20), "ada", "on it"))
    with pytest.raises(UnknownName, match="did you mean"):
        book.event(WEB.id[:-1], Acknowledge(at(20), "ada", "on it"))
    book.watch([DISK, BACKUP], at(30))
    book.settle(at(30))
    ((notice,),) = book.messages((), at(30))
    assert (notice.kind, notice.reason) == ("recovery", "it is watched no longer")
    assert WEB.id in book.statuses
    book.attempt((notice,), at(30))
    book.outcome((notice,), "delivered", "", at(31))
    book.settle(at(31))
    changes = book.taken()
    assert WEB.id not in book.statuses
    assert not book.wrong
    assert changes.statuses[WEB.id] is None
    assert book.due(at(500)) == [DISK.id]


def test_what_flaps_is_told_while_it_holds_too():
    policy = replace(POLICY, attempts=Attempts(1, 1), flap=Flap(changes=2, within=600, calm=300))
    book = a_book(subjects=[replace(WEB, policy=policy)])
    for seconds, state in ((10, "critical"), (20, "ok")):
        book.look(result(WEB.id, state), at(seconds))
    book.settle(at(20))
    ((notice,),) = book.messages((), at(20))
    assert (notice.kind, book.statuses[WEB.id].state) == ("flap", "ok")
    book.look(result(WEB.id, "ok"), at(400))
    assert not book.wrong, "it is calm again"


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("look"), st.sampled_from([WEB.id, DISK.id]), st.sampled_from(["ok", "critical", "unknown"])),
        st.tuples(st.just("tick"), st.integers(1, 200), st.just("")),
        st.tuples(st.just("ack"), st.sampled_from([WEB.id, DISK.id]), st.just("")),
        st.tuples(st.just("post"), st.sampled_from(["delivered", "refused", "lost", UNSENT]), st.just("")),
        st.tuples(st.just("kill"), st.just(0), st.just("")),
    ),
    max_size=25,
)


class Life:
    """One monitor's life: a book, what is written of it, and what was told."""

    def __init__(self, mortal: bool) -> None:
        self.book, self.kept, self.mortal = a_book(), Kept(), mortal
        self.told: list[tuple[str, str]] = []

    def move(self, what: str, about: str, state: str, now: float) -> None:
        if what == "look":
            self.book.look(result(about, state, state), at(now))
        elif what == "ack":
            try:
                self.book.event(about, Acknowledge(at(now), "ada", "on it", 100.0))
            except UserError:
                self.told.append((about, "no"))
        elif what == "kill":
            self.kill(now)
        self.book.tick(at(now))
        self.book.settle(at(now))
        if what == "post":
            self.post(about, now)
        self.kept.write(self.book)

    def kill(self, now: float) -> None:
        if self.mortal:
            self.book = a_book(self.kept.copy(), now=now)
            return
        # Who lives on knows, as a restart has it, that nothing need have come meanwhile.
        for id, status in self.book.statuses.items():
            self.book.statuses[id] = replace(status, watched=at(now).steady)

    def post(self, outcome: str, now: float) -> None:
        for message in self.book.messages((), at(now)):
            self.book.attempt(message, at(now))
            self.kept.write(self.book)
            self.told += [(each.key, each.kind) for each in message]
            self.book.outcome(message, outcome, "", at(now))

    def knows(self) -> object:
        statuses = {id: (one.state, one.soft) for id, one in self.book.statuses.items()}
        return self.told, self.book.entries, statuses


@settings(max_examples=100, deadline=None)
@given(MOVES)
def test_what_was_written_is_all_that_a_monitor_needs_to_go_on(moves):
    """Two live the same life, and one of them is killed now and then: they know the same, and tell the same."""
    lives, now = [Life(mortal=False), Life(mortal=True)], 0.0
    for what, about, state in moves:
        now += about if what == "tick" else 20.0
        for life in lives:
            life.move(what, about, state, now)
            failing = {id for id, one in life.book.statuses.items() if one.state != "ok"}
            assert life.book.wrong == failing, "what is owed is asked of these alone"
        assert lives[0].knows() == lives[1].knows()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 90), st.sampled_from(["ok", "critical", "unknown", "ack"])), max_size=12),
    st.sampled_from([None, 1, 2]),
    st.integers(1, 400),
)
def test_between_now_and_its_wake_time_alone_changes_nothing(events, flap, later):
    policy = Policy(flap=None) if flap is None else Policy(attempts=Attempts(1, 1))
    status, now = begun(at(0)), 0.0
    for wait, what in events:
        now += wait
        if what == "ack" and status.state == "ok":
            continue
        event = Acknowledge(at(now), "ada", "", 50.0) if what == "ack" else Look(at(now), what)
        status = advance(status, event, policy)
    time = wake(status, policy)
    then = at(now + later)
    if time is None or then.steady < time:
        assert advance(status, Tick(then), policy) is status
    else:
        assert advance(status, Tick(then), policy) is not status
