"""What a store has of a time that is over, as a past that can be replayed.

Each change of a hard state is kept, when a monitor began and ended, and of each silence why. What a single look saw is
not: of the looks that made a change it is known how many there were, and all others saw what was so already.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from infratest.alerting.ledger import UNSTABLE
from infratest.alerting.moments import Moment
from infratest.alerting.policy import Flap, Policy
from infratest.alerting.problems import ACKNOWLEDGED, DOWNTIME, PAUSED
from infratest.alerting.subject import Subject
from infratest.errors import StateError
from infratest.monitor.book import UNWATCHED
from infratest.monitor.keeping import BEGINS, ENDED, MYSELF
from infratest.monitor.replay import NOTHING, Past, Receipt, Sight, Silence
from infratest.states import CRITICAL, OK, UNKNOWN, WARNING
from infratest.store.database import changes, ledger, meta, people
from infratest.store.database.base import Transaction
from infratest.store.database.changes import Change
from infratest.store.database.ledger import DELIVERED, WITHHELD, Delivery
from infratest.store.database.people import Note

#: Changes and deliveries that are replayed at most.
MOST = 200_000
#: Seconds before a time at which what was so as it began is taken to have begun.
HOUR = 3600.0
#: Seconds between two looks of which one is moved back behind the other.
STEP = 0.001
#: With what the reason of each silence begins, as `problems.Problems.suppression` writes it.
_SILENCES = {PAUSED: "paused for ", DOWNTIME: "downtime ", ACKNOWLEDGED: "acknowledged by "}


@dataclass(frozen=True)
class Recorded:
    """A time, as the store has it.

    Args:
        begin, end: seconds since the epoch. past: what can be replayed. told: notices that arrived in it. changes:
        how many changes of hard states are kept of it. flapped: ids that were unstable, once each time. left: ids that
        were not well and are watched no longer.
    """

    begin: float
    end: float
    past: Past
    told: tuple[Receipt, ...] = ()
    changes: int = 0
    flapped: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def unwatched(self) -> float:
        """Seconds of it in which nobody watched."""
        spans = [(max(begin.wall, self.begin), min(end.wall, self.end)) for begin, end in self.past.lives]
        return max(0.0, self.end - self.begin - sum(max(0.0, end - begin) for begin, end in spans))


def reach(t: Transaction) -> tuple[float, float]:
    """Return from when to when a store says how all was, in seconds since the epoch.

    Raises:
        StateError: nobody ever watched.
    """
    until, change = meta.watched(t), t.row("SELECT min(time) FROM change")
    begun, marked = t.row("SELECT min(time) FROM note WHERE text = ?", BEGINS), t.row("SELECT min(hour) FROM mark")
    times = [float(row[0]) for row in (change, begun) if row is not None and row[0] is not None]
    if marked is not None and marked[0] is not None:
        times.append(float(marked[0]) + HOUR)  # at some time of that hour it was so
    if until is None or not times:
        raise StateError("no monitor has watched anything yet, so nothing can be replayed; infratest monitor run")
    return min(times), until


def recorded(t: Transaction, subjects: Sequence[Subject], begin: float, end: float) -> Recorded:
    """Return what a store has of a time.

    Args:
        subjects: what is watched now, with the policy that is taken to have been in force. begin, end: seconds since
        the epoch.
    Raises:
        StateError: the store is damaged, or has more changes of that time than can be replayed.
    """
    within = end + STEP  # what is of the very end is of that time, too
    kept = changes.changes(t, begin=begin, end=within, most=MOST)
    if len(kept) == MOST:
        raise StateError(f"store: it has {MOST} changes of that time, or more; replay less of it, by --since")
    by_id: dict[str, list[Change]] = {}
    for each in kept:
        by_id.setdefault(each.id, []).append(each)
    starts, ends = _edges(t, kept, begin, end)
    sights: dict[str, list[Sight]] = {}
    flapped: list[str] = []
    for subject in subjects:
        mine = [*_before(t, subject.id, by_id.get(subject.id, ()), starts), *by_id.get(subject.id, ())]
        if any(each.after != OK for each in mine):
            flapped += [each.id for each in mine if each.after == UNSTABLE]
            sights[subject.id] = looks(mine, subject.policy, ends)
    first = min((each[0].at for each in sights.values()), key=lambda at: at.steady, default=starts)
    known = {each.id for each in subjects}
    deliveries = ledger.deliveries(t, end=within, most=MOST)
    told = [each for each in deliveries if each.outcome == DELIVERED and each.at.wall >= begin]
    lives = _lives(people.notes(t, end=within, most=MOST), min(first, starts, key=lambda at: at.steady), ends)
    return Recorded(
        begin,
        end,
        Past(sights, lives, silences(deliveries, ends.steady)),
        tuple(Receipt(each.at, each.receiver, each.id, each.kind, each.level) for each in told),
        len(kept),
        tuple(flapped),
        tuple(sorted(id for id, mine in by_id.items() if id not in known and any(one.after != OK for one in mine))),
    )


def looks(kept: Sequence[Change], policy: Policy, end: Moment) -> list[Sight]:
    """Return what looks saw that made these changes of one result, the earliest first.

    A failure was seen so often as makes it hard before it was hard; so it began that much earlier. While it flapped no
    single change is kept: the fewest are taken that fit.

    Args:
        policy: by which they were made. end: until when it is known.
    """
    found: list[Sight] = []
    before = failure = OK
    for each in _singled(kept, policy.flap or Flap(), end):
        if each.after != before or not found:
            # What is unknown meanwhile fails still, and is seen to by one look.
            times = 1 if failure != OK and each.after in (WARNING, CRITICAL) else _times(each.after, policy)
            found.append(_sight(each, times, policy, found[-1].at.steady + STEP if found else None))
        failure = failure if each.after == UNKNOWN else each.after
        before = each.after
    return found


def silences(deliveries: Iterable[Delivery], end: float) -> tuple[Silence, ...]:
    """Return when nobody was told of what: downtimes, pauses and acknowledgements, as they kept a notice back."""
    made: list[Silence] = []
    open: dict[tuple[str, str], Silence] = {}
    for each in deliveries:
        if each.outcome != WITHHELD:
            continue
        if (one := open.pop((each.receiver, each.id), None)) is not None:
            made.append(replace(one, end=each.at.steady))
        for kind, words in _SILENCES.items():
            if each.reason.startswith(words):
                open[each.receiver, each.id] = Silence(each.id, kind, each.at.steady, end, each.reason)
    return tuple(_joined([*made, *open.values()]))


def _edges(t: Transaction, kept: Sequence[Change], begin: float, end: float) -> tuple[Moment, Moment]:
    """Return begin and end by both clocks: the wall clock may have been set, so each by what is nearest to it."""
    anchor = meta.anchor(t)
    last = Moment(anchor.steady, anchor.wall) if anchor is not None else Moment(end, end)
    first = kept[0].at if kept else last
    return Moment(first.steady - (first.wall - begin), begin), Moment(last.steady - (last.wall - end), end)


def _before(t: Transaction, id: str, mine: Sequence[Change], begin: Moment) -> list[Change]:
    """Return how a result was when a time began, as the change that made it so."""
    earlier = changes.last(t, id, begin.wall)
    if earlier is not None:
        return [] if earlier in mine else [earlier]
    state = mine[0].before if mine else changes.marked(t, id, begin.wall)
    if state in (None, OK, UNWATCHED):
        return []
    # The change itself is kept no longer: it was before that time, and so was who was told of it.
    return [Change(Moment(begin.steady - HOUR, begin.wall - HOUR), id, OK, str(state), "since before that time")]


def _joined(listed: Iterable[Silence]) -> list[Silence]:
    """Return silences of several receivers of one result as one."""
    made: list[Silence] = []
    for one in sorted(listed, key=lambda each: (each.id, each.kind, each.begin)):
        last = made[-1] if made else None
        if last is not None and (last.id, last.kind) == (one.id, one.kind) and one.begin <= last.end:
            made[-1] = replace(last, end=max(last.end, one.end))
        else:
            made.append(one)
    return made


def _times(state: str, policy: Policy) -> int:
    """Return how many looks in a row made a state hard."""
    return policy.recover if state == OK else policy.attempts.failures


def _sight(change: Change, times: int, policy: Policy, least: float | None) -> Sight:
    """Return the first of the looks that made a change.

    Args:
        times: how many there were. least: the earliest that it can have been.
    """
    comes = policy.expected
    nothing = comes and change.after == UNKNOWN and not change.reason and not change.evidence
    lead = (times - 1) * min(policy.retry, policy.interval) if comes else 0.0
    if nothing:
        lead = policy.freshness
    steady = change.at.steady - lead
    if least is not None:
        steady = min(max(steady, least), max(change.at.steady, least))
    at = Moment(steady, change.at.wall - (change.at.steady - steady))
    return Sight(at, NOTHING if nothing else change.after, final=not comes, reason=change.reason)


def _singled(kept: Sequence[Change], flap: Flap, end: Moment) -> list[Change]:
    """Return changes of states alone: those that made it unstable, and the fewest that kept it so."""
    made: list[Change] = []
    trouble, state = CRITICAL, OK
    for place, each in enumerate(kept):
        if each.after == UNWATCHED:
            continue
        if each.after != UNSTABLE:
            if each.before != UNSTABLE:
                made.append(each)
            state = each.after
        else:
            following = kept[place + 1] if place + 1 < len(kept) else None
            made += _flapping(each, following, (state, trouble), flap, end)
            state = made[-1].after
        trouble = state if state != OK else trouble
    return made


def _flapping(
    change: Change, following: Change | None, states: tuple[str, str], flap: Flap, end: Moment
) -> list[Change]:
    """Return the fewest changes that keep a result unstable from one change to the next that is kept.

    Args:
        states: what it was before, and how it is when it is not well.
    """
    state, trouble = states
    other = OK if state != OK else trouble
    over = end.steady if following is None else following.at.steady - flap.calm
    final = None if following is None else following.after
    lasted = over - change.at.steady
    if lasted <= STEP:
        return [replace(change, after=final or other)]
    count = int(lasted // flap.calm) + 1
    last = other if count % 2 == 0 else state
    if final is not None and (last == OK) != (final == OK):
        count += 1
    made = [replace(change, after=other)]
    for number in range(1, count + 1):
        steady = change.at.steady + lasted * number / count
        after = state if number % 2 else other
        at = Moment(steady, change.at.wall + steady - change.at.steady)
        made.append(replace(change, at=at, after=final if number == count and final is not None else after))
    return made


def _lives(notes: Iterable[Note], begin: Moment, end: Moment) -> list[tuple[Moment, Moment]]:
    """Return from when to when somebody watched, within a time; a beginning of before is none of it."""
    own = [each for each in notes if each.author == MYSELF and each.text in (BEGINS, ENDED)]
    made: list[tuple[Moment, Moment]] = []
    begun = begin if not own or own[0].text == ENDED else None
    for note in own:
        if note.text == BEGINS:
            begun = begun or max(note.at, begin, key=lambda one: one.steady)
        elif begun is not None:
            if note.at.steady > begun.steady:
                made.append((begun, note.at))
            begun = None
    return [*made, *([(begun, end)] if begun is not None else [])]
