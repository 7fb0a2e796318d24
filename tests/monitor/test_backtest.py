"""A past that is replayed: it tells what the ledger says was told, and with another policy what would have been."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.alerting.downtime import Downtime, Fixed
from infratest.alerting.moments import Anchor, Moment
from infratest.alerting.owed import Receiver, Route
from infratest.alerting.policy import NEVER, Attempts, Flap, Policy
from infratest.alerting.problems import ACKNOWLEDGED, DOWNTIME
from infratest.alerting.status import Acknowledge, Unacknowledge
from infratest.alerting.subject import Subject
from infratest.errors import StateError
from infratest.model import Result
from infratest.monitor import backtest
from infratest.monitor.book import Book
from infratest.monitor.keeping import BEGINS, ENDED, MYSELF, Keeping
from infratest.monitor.memory import Memory
from infratest.monitor.recorded import Recorded, looks, reach, recorded
from infratest.monitor.replay import NOTHING, Past, Receipt, Replayed, Sight, Silence, replayed
from infratest.store.database import changes, connection, ledger, meta, people
from infratest.store.database.changes import Change
from infratest.store.database.people import Note
from infratest.store.database.retention import Keep
from infratest.store.directory import StateDir

WALL, BEAT = 1_795_996_800.0, 10.0
NO_FLAP = Policy(interval=60.0, retry=15.0, attempts=Attempts(3, 3), flap=None)
WEB, DISK = Subject("a.feature#web@web", "web", policy=NO_FLAP), Subject("a.feature#disk@db", "db", policy=NO_FLAP)
RECEIVERS = [Receiver("oncall"), Receiver("boss"), Receiver("team", digest=300.0)]
ROUTES = [
    Route(lambda subject, state: state != "warning", ("oncall",), again=1000.0),
    Route(lambda subject, state: True, ("boss",), after=120.0),
    Route(lambda subject, state: subject.host == "web", ("team",)),
]


def at(seconds: float) -> Moment:
    return Moment(1000.0 + seconds, WALL + seconds)


def result(id: str, state: str, reason: str = "") -> Result:
    return Result(id, "", id, 0, id.rpartition("@")[2], state, reason or f"it is {state}")


#: Of these nobody is told by time alone: what is told hangs on what is seen, not on how soon a turn comes behind it.
PLAIN = [replace(each, after=0.0, again=None) for each in ROUTES[:2]]


class Live:
    """A monitor at work: each of its receivers takes what it is handed, and each of its turns may be written."""

    def __init__(
        self, subjects: Sequence[Subject], keeping: Keeping | None = None, routes: Sequence[Route] = ROUTES
    ) -> None:
        self.book = Book(Memory(), routes, RECEIVERS)
        self.book.watch(subjects, at(0))
        self.keeping = keeping
        self.told: list[Receipt] = []

    def turn(self, now: Moment) -> None:
        self.book.tick(now)
        self.book.settle(now)
        while messages := self.book.messages((), now):
            for message in messages:
                self.book.attempt(message, now)
                self.book.outcome(message, "delivered", "", now)
                self.told += [Receipt(now, one.receiver, one.id, one.kind, one.level) for one in message]
            self.book.settle(now)
        made = self.book.taken()
        if self.keeping is not None and made:
            self.keeping.write(made, Anchor(now.steady, now.steady, now.wall, "boot"))


def rough(told: Sequence[Receipt]) -> list[tuple[object, ...]]:
    """Return what was told in an order that does not hang on what was told in the same beat."""
    return sorted((int((one.at.steady + 2) // 5), one.receiver, one.id, one.kind, one.level) for one in told)


STATES = ("ok", "ok", "warning", "critical", "critical", "unknown")
POLICIES = st.builds(
    lambda failures, more, recover, flap: Policy(60.0, 10.0, Attempts(failures, failures + more), recover, 3.0, flap),
    st.integers(1, 3), st.integers(0, 2), st.integers(1, 2), st.sampled_from((None, Flap(3, 900.0, 300.0))),
)  # fmt: skip
HAPPENING = st.tuples(st.integers(1, 20), st.integers(0, 1), st.sampled_from(STATES))
SILENT = st.tuples(
    st.sampled_from((ACKNOWLEDGED, DOWNTIME)), st.integers(0, 1), st.integers(1, 150), st.integers(1, 80)
)


@settings(max_examples=60, deadline=None)
@given(POLICIES, st.lists(HAPPENING, max_size=25), st.lists(SILENT, max_size=2))
def test_where_all_looks_are_known_it_tells_what_was_told(policy, happened, silent):
    subjects = [replace(WEB, policy=policy, needs=(DISK.id,)), replace(DISK, policy=policy)]
    ids = [each.id for each in subjects]
    # An acknowledgement is one at a time, and each of two silences begins and ends between two looks.
    silences = [
        Silence(ids[which], kind, 1000.0 + BEAT * begin + 5, 1000.0 + BEAT * (begin + length) + 5)
        for number, (kind, which, begin, length) in enumerate(silent)
        if number == 0 or (kind, which) != silent[0][:2]
    ]
    sights: dict[str, list[Sight]] = {id: [] for id in ids}
    time = 0.0
    for pause, which, state in happened:
        time += BEAT * pause
        sights[ids[which]].append(Sight(at(time), state))
    end = at(time + 603.0)
    live = Live([replace(each, looked_at=False) for each in subjects])
    for half in range(int((end.steady - 1000.0) / BEAT) * 2 + 1):
        now = at(half * BEAT / 2)
        silence(live.book, silences, now)
        for id in ids:
            for sight in sights[id]:
                if sight.at == now:
                    live.book.look(result(id, sight.state), now)
        live.turn(now)
    made = replayed(Past(sights, [(at(0), end)], silences, whole=True), subjects, ROUTES, RECEIVERS)
    assert rough(made.notices) == rough(live.told)


def silence(book: Book, silences: Sequence[Silence], now: Moment) -> None:
    planned = [each for each in silences if each.kind == DOWNTIME and each.begin <= now.steady < each.end]
    book.plan(Downtime(str(each), Fixed(0.0, 1e12), frozenset((each.id,))) for each in planned)
    for each in silences:
        status = book.statuses[each.id]
        if each.kind == ACKNOWLEDGED and each.begin == now.steady and status.state != "ok":
            book.event(each.id, Acknowledge(now, "", ""))
        elif each.kind == ACKNOWLEDGED and each.end == now.steady and status.ack is not None:
            book.event(each.id, Unacknowledge(now))


@contextmanager
def store() -> Iterator[connection.FileStore]:
    with TemporaryDirectory() as folder, connection.opened(StateDir(Path(folder) / "state")) as made:
        yield made


def lived(
    subjects: Sequence[Subject], seen: Mapping[str, Callable[[float], str]], seconds: float, keeping: Keeping
) -> list[Receipt]:
    """Have a monitor live and write; it looks when a look is due, and sees what is so then."""
    live, now = Live(subjects, keeping, PLAIN), at(0)
    while now.steady < 1000.0 + seconds:
        for id in live.book.due(now):
            live.book.look(result(id, seen[id](now.steady - 1000.0)), now)
        live.turn(now)
        now = at(now.steady - 1000.0 + 5.0)
    return live.told


@settings(max_examples=8, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 2),
    st.lists(st.tuples(st.integers(100, 700), st.sampled_from(STATES)), max_size=6),
    st.lists(st.tuples(st.integers(100, 700), st.sampled_from(STATES)), max_size=6),
)  # fmt: skip
def test_from_changes_alone_it_tells_what_the_ledger_says(failures, recover, of_web, of_disk):
    policy = replace(NO_FLAP, attempts=Attempts(failures, failures), recover=recover)
    subjects = [replace(WEB, policy=policy), replace(DISK, policy=policy)]
    spans = {WEB.id: of_web, DISK.id: of_disk}

    def seen(id: str) -> Callable[[float], str]:
        def state(seconds: float) -> str:
            for lasts, state in [(200, "ok"), *spans[id]]:
                if seconds < lasts:
                    return state
                seconds -= lasts
            return "ok"

        return state

    seconds = 500.0 + max(sum(lasts for lasts, _ in each) for each in spans.values())
    with store() as made:
        told = lived(subjects, {id: seen(id) for id in spans}, seconds, Keeping(made, "shop", "", Keep()))
        with made.sight() as t:
            begin, end = reach(t)
            found = recorded(t, subjects, begin, end)
    assert [replace(each, at=at(0)) for each in found.told] == [replace(each, at=at(0)) for each in told]
    again = replayed(found.past, subjects, PLAIN, RECEIVERS)
    assert [one[1:] for one in rough(again.notices)] == [one[1:] for one in rough(told)]
    for mine, theirs in zip(rough(again.notices), rough(told), strict=True):
        assert abs(int(str(mine[0])) - int(str(theirs[0]))) <= 2, "a beat, and a turn behind it"


# By hand: what is kept, and what follows.


def kept(
    listed: Sequence[Change], notes: Sequence[Note] = (), until: float = 90_000.0, subjects: Sequence[Subject] = (WEB,)
) -> Recorded:
    """Return what is read back of changes, from a store that somebody watched into from 0 on."""
    with store() as made:
        with made.transaction() as t:
            changes.add(t, [Change(at(0), each.id, "-", "ok") for each in subjects])
            changes.add(t, listed)
            people.add_notes(t, [Note(at(0), BEGINS, MYSELF), *notes])
            meta.write_watched(t, WALL + until)
            meta.write_anchor(t, Anchor(1000.0 + until, 0.0, WALL + until, "boot"))
        with made.sight() as t:
            return recorded(t, subjects, *reach(t))


def outages(*spans: tuple[float, float], id: str = WEB.id, state: str = "critical") -> list[Change]:
    return [
        each
        for begin, end in spans
        for each in (Change(at(begin), id, "ok", state, "no answer"), Change(at(end), id, state, "ok"))
    ]


def by(found: Recorded, policy: Policy, subject: Subject = WEB) -> Replayed:
    return replayed(found.past, [replace(subject, policy=policy)], ROUTES[:1], RECEIVERS)


FIVE = replace(NO_FLAP, attempts=Attempts(5, 5))


def test_five_attempts_three_pages_instead_of_41():
    short = [(2000.0 * number, 2000.0 * number + 15) for number in range(1, 39)]
    long = [(80_000.0 + 3000 * number, 81_000.0 + 3000 * number) for number in range(3)]
    found = kept(outages(*short, *long))
    before, after = by(found, NO_FLAP), by(found, FIVE)
    first, second = (backtest.figures(each, found.begin) for each in (before, after))
    assert (first["problems"], first["notices"]["oncall"]["problem"]) == (41, 41)
    assert (second["problems"], second["notices"]["oncall"]["problem"]) == (3, 3)
    assert [each.seconds for each in backtest.delays(before, after, found.begin)] == pytest.approx([30.0] * 3)
    missed = backtest.missed(before, after, found.begin)
    assert len(missed) == 38
    assert [each.lasted for each in missed] == pytest.approx([15.0] * 38)
    problem = before.problems[0]
    assert problem.end is not None
    assert (problem.begin.wall, problem.end.wall) == (pytest.approx(WALL + 2000), pytest.approx(WALL + 2015))


def test_what_is_looked_at_more_seldom_is_not_seen_at_the_same_moment():
    policy = replace(NO_FLAP, interval=600.0)
    found = kept(outages((5000.0, 8000.0)))
    after = replayed(found.past, [replace(WEB, policy=policy)], ROUTES[:1], RECEIVERS, [WEB.id])
    (delay,) = backtest.delays(by(found, NO_FLAP), after, found.begin)
    assert 1.0 < delay.seconds < 600.0


def test_while_nobody_watches_nobody_is_told():
    notes = [Note(at(3000), ENDED, MYSELF), Note(at(9000), BEGINS, MYSELF)]
    found = kept(outages((2980.0, 9100.0)), notes)
    assert found.unwatched == pytest.approx(6000.0)
    later = by(found, FIVE)  # four looks before the end of the one, the fifth as the other begins
    assert [round(each.begin.steady - 1000) for each in later.problems] == [9000]


def test_how_it_was_before_that_time_is_told_in_it_no_more():
    with store() as made:
        with made.transaction() as t:
            changes.add(t, [Change(at(5000), WEB.id, "critical", "ok")])  # of when it began nothing is kept
            changes.mark(t, WALL, {WEB.id: "critical", DISK.id: "critical"})
            meta.write_watched(t, WALL + 9000)
            meta.write_anchor(t, Anchor(10_000.0, 0.0, WALL + 9000, "boot"))
        with made.sight() as t:
            begin, end = reach(t)
            found = recorded(t, [WEB, DISK], begin, end)
    again = replayed(found.past, [WEB, DISK], ROUTES[:1], RECEIVERS)
    assert backtest.figures(again, begin)["problems"] == 0
    told = [(each.id, each.kind) for each in again.notices if each.at.wall >= begin and each.kind != "reminder"]
    assert told == [(WEB.id, "recovery")]


def test_of_what_flapped_the_fewest_changes_are_taken_that_fit():
    policy = replace(NO_FLAP, flap=Flap(4, 1800.0, 900.0))
    names = ("ok", "critical", "ok", "critical", "unstable")
    listed = [
        Change(at(4000.0 + 200 * number), WEB.id, one, two, "no answer" if two == "critical" else "")
        for number, (one, two) in enumerate(pairwise(names))
    ]
    found = kept([*listed, Change(at(8000), WEB.id, "unstable", "ok")])
    told = [each for each in by(found, policy).notices if each.kind != "reminder"]
    kinds = [(each.kind, round(each.at.steady - 1000)) for each in told]
    assert kinds == [
        ("problem", 4000), ("recovery", 4200), ("problem", 4400), ("flap", 4600), ("recovery", 8000),
    ]  # fmt: skip
    more = [each.kind for each in by(found, replace(policy, flap=Flap(20, 1800.0, 900.0))).notices]
    assert "flap" not in more
    assert more.count("problem") >= 3
    assert found.flapped == (WEB.id,)


def test_where_no_look_came_it_is_stale_by_the_policy():
    stale = [Change(at(3000), WEB.id, "ok", "unknown"), Change(at(4000), WEB.id, "unknown", "ok")]
    found = kept(stale)
    assert [each.state for each in found.past.sights[WEB.id]] == ["ok", NOTHING, "ok"]
    (problem,) = by(found, NO_FLAP).problems
    assert (problem.level, round(problem.begin.steady - 1000, -2)) == ("unknown", 3000)
    assert by(found, replace(NO_FLAP, stale=30.0)).problems == []


def test_what_comes_by_itself_is_hard_at_once_by_any_policy():
    backup = Subject("monitor#heartbeat/backup@-", policy=Policy(attempts=Attempts(1, 1), stale=NEVER), looked_at=False)
    found = kept(outages((5000.0, 5001.0), id=backup.id), subjects=[backup])
    (problem,) = by(found, replace(backup.policy, attempts=Attempts(5, 5)), backup).problems
    assert round(problem.begin.steady - 1000) == 5000


def test_what_follows_from_another_is_no_problem_of_its_own():
    web = replace(WEB, needs=(DISK.id,))
    listed = [*outages((5000.0, 6000.0), id=DISK.id), *outages((5040.0, 6010.0), state="unknown")]
    found = kept(sorted(listed, key=lambda each: each.at.steady), subjects=[web, DISK])
    made = replayed(found.past, [web, DISK], ROUTES[:1], RECEIVERS)
    assert [(each.id, each.follows) for each in made.problems] == [(DISK.id, False), (WEB.id, True)]
    assert backtest.figures(made, found.begin) == {"problems": 1, "notices": {"oncall": {"problem": 1, "recovery": 1}}}


def test_a_silence_that_was_is_one_again():
    with store() as made:
        with made.transaction() as t:
            changes.add(t, [Change(at(0), WEB.id, "-", "ok"), *outages((5000.0, 6000.0))])
            ledger.add(t, [
                ledger.Delivery(at(4990), "withheld", "-", WEB.id, reason="downtime 'move' by ada: racks"),
                ledger.Delivery(at(6500), "withheld", "-", WEB.id, reason=""),
            ])  # fmt: skip
            meta.write_watched(t, WALL + 9000)
            meta.write_anchor(t, Anchor(10_000.0, 0.0, WALL + 9000, "boot"))
        with made.sight() as t:
            found = recorded(t, [WEB], *reach(t))
    assert found.past.silences == (
        Silence(WEB.id, DOWNTIME, 5990.0, 7500.0, "downtime 'move' by ada: racks"),
    )  # fmt: skip
    assert by(found, NO_FLAP).notices == []
    assert len(by(found, NO_FLAP).problems) == 1


def test_a_month_of_many_results_takes_few_looks(monkeypatch: pytest.MonkeyPatch):
    """Looks that say the same are passed over: a month is not carried out minute by minute."""
    counted, whole = [0], Book.look

    def look(self: Book, *words: object) -> None:
        counted[0] += 1
        whole(self, *words)  # type: ignore[arg-type]

    monkeypatch.setattr(Book, "look", look)
    subjects = [replace(WEB, id=f"a.feature#{number}@web") for number in range(20)]
    listed = [one for each in subjects for one in outages((100_000.0, 900_000.0), id=each.id)]
    found = kept(sorted(listed, key=lambda each: each.at.steady), until=30 * 86_400.0, subjects=subjects)
    assert len(replayed(found.past, subjects, ROUTES[:1], RECEIVERS).problems) == 20
    assert counted[0] < 20 * 20


def test_a_store_that_says_nothing_is_refused():
    with store() as made, made.sight() as t, pytest.raises(StateError, match="no monitor has watched anything yet"):
        reach(t)


def test_a_look_is_put_behind_the_one_before_it():
    listed = outages((1000.0, 1005.0), (1010.0, 1015.0))
    times = [each.at.steady for each in looks(listed, replace(NO_FLAP, recover=3), at(5000))]
    assert times == sorted(times)
    assert len(times) == 4
