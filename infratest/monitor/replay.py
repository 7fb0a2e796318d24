"""A past carried out once more: what looks saw then, by any policy and rules, and who would have been told. Pure.

It is the monitor's own book that decides, by the three functions of `alerting`: here is only what the time was. What is
not known of every look is made up for by looks that saw the same: they are taken when they are due.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import floor, inf

from infratest.alerting.downtime import Downtime, Fixed
from infratest.alerting.due import shift
from infratest.alerting.moments import Moment
from infratest.alerting.owed import Receiver, Route
from infratest.alerting.problems import ACKNOWLEDGED, Picture, Problems
from infratest.alerting.status import Acknowledge, Restart, Status, Unacknowledge
from infratest.alerting.subject import Subject
from infratest.model import Result
from infratest.monitor.book import UNWATCHED, Book
from infratest.monitor.memory import Memory
from infratest.states import OK
from infratest.store.database import ledger

#: What was seen where nobody looked: no look comes, until there is one again.
NOTHING = ""
#: Seconds between two turns of the replayed monitor at least: sums of times are not exact, and time has to pass.
STEP = 0.001


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look saw, and all looks behind it up to the next sight.

    Args:
        at: when it was looked at. state: NOTHING where nobody looked from then on. blocked_by, final, reason: of the
        look.
    """

    at: Moment
    state: str
    blocked_by: str | None = None
    final: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which nobody was told of a result. kind: of `problems`: paused, downtime or acknowledged."""

    id: str
    kind: str
    begin: float
    end: float
    reason: str = ""


@dataclass(frozen=True)
class Past:
    """What was so, in the monitor's own time.

    Args:
        sights: by id, the earliest first. lives: from when to when somebody watched. silences: of each result. whole:
        whether these are all looks that there were, so that none is to be made up.
    """

    sights: Mapping[str, Sequence[Sight]]
    lives: Sequence[tuple[Moment, Moment]]
    silences: Sequence[Silence] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """A notice that arrived."""

    at: Moment
    receiver: str
    id: str
    kind: str
    level: str


@dataclass
class Problem:
    """A time in which a result was hard and not well.

    Args:
        level: what it was at first. end: None where it was not over. follows: whether something else stood in its way
        as it began. told: receivers that were told of it, or of its end.
    """

    id: str
    level: str
    begin: Moment
    end: Moment | None = None
    follows: bool = False
    told: set[str] = field(default_factory=set)


@dataclass
class Replayed:
    """What would have been so."""

    problems: list[Problem] = field(default_factory=list)
    notices: list[Receipt] = field(default_factory=list)


def replayed(
    past: Past,
    subjects: Iterable[Subject],
    routes: Sequence[Route],
    receivers: Iterable[Receiver],
    elsewhen: Collection[str] = (),
) -> Replayed:
    """Return what a monitor would have told of a past; every notice arrives at once.

    Args:
        subjects: with the policy to be tried; those of which the past knows nothing are left out. elsewhen: ids that
        would have been looked at at other times than they were: none of their looks is taken as it was.
    """
    return _Life(past, subjects, routes, receivers, elsewhen).lived()


class _Life:
    """A monitor in a time that is over."""

    def __init__(
        self,
        past: Past,
        subjects: Iterable[Subject],
        routes: Sequence[Route],
        receivers: Iterable[Receiver],
        elsewhen: Collection[str],
    ) -> None:
        self.past, self.made = past, Replayed()
        self.subjects = {
            each.id: replace(each, looked_at=each.policy.expected and not past.whole)
            for each in subjects
            if each.id in past.sights
        }
        self.book = Book(Memory(), routes, receivers)
        self._after = sorted({route.after for route in routes if route.after})
        self._again = sorted({route.again for route in routes if route.again is not None})
        self._times = {id: [each.at.steady for each in past.sights[id]] for id in self.subjects}
        self._sights = sorted(
            (
                (each.at.steady, id, each)
                for id in self.subjects
                for each in past.sights[id]
                if id not in elsewhen and each.state != NOTHING
            ),
            key=lambda one: one[:2],
        )
        edges = [(time, begins, one) for one in past.silences for time, begins in ((one.begin, True), (one.end, False))]
        self._edges = sorted((each for each in edges if each[2].id in self.subjects), key=lambda one: one[0])
        self._next_sight = self._next_edge = 0
        self._silent: list[Silence] = []
        self._open: dict[str, Problem] = {}
        self._last, self._owed_at = -inf, -inf
        self._end = inf
        self._clock = past.lives[0][0] if past.lives else Moment(0.0, 0.0)

    def lived(self) -> Replayed:
        """Return what came of it."""
        for number, (begin, end) in enumerate(self.past.lives):
            self._clock, self._end = begin, end.steady
            now = self._moment(begin.steady)
            if number == 0:
                self.book.watch(self.subjects.values(), now)
            for id in self.subjects if number else ():
                self.book.event(id, Restart(now))
            self._pass(now)
            while (time := self._next()) <= end.steady + STEP:
                self._pass(self._moment(time))
        return self.made

    # Time.

    def _moment(self, steady: float) -> Moment:
        """Return a moment of both clocks, later than the one before."""
        steady = max(steady, self._last + STEP)
        self._last = steady
        return Moment(steady, self._clock.wall + steady - self._clock.steady)

    def _next(self) -> float:
        """Return when something happens next."""
        sight = self._sights[self._next_sight][0] if self._next_sight < len(self._sights) else inf
        edge = self._edges[self._next_edge][0] if self._next_edge < len(self._edges) else inf
        own = self.book.next()
        return min(sight, edge, inf if own is None else own, self._owed_at)

    def _telling(self) -> float:
        """Return when something may be owed by time alone."""
        times = []
        for id in self._open:
            status = self.book.statuses[id]
            begun = (status.unstable or status.opened or status.since).steady
            times += [begun + after for after in self._after]
            # What was in its way and holds again is no reason for silence any longer once it is stale.
            freshness = self.subjects[id].policy.freshness
            times.append(max(status.watched, status.looked or status.watched) + freshness)
        times += [entry.at + again for entry in self.book.entries.values() if entry.open for again in self._again]
        for (name, _), reason in self.book.withheld.items():
            if reason.startswith("gathered") and name in self.book.sent:
                times.append(self.book.sent[name] + self.book.receivers[name].digest)
        return min((time + STEP for time in times if time + STEP > self._last), default=inf)

    # A turn.

    def _pass(self, now: Moment) -> None:
        """Take in what happened by now, and tell what is owed."""
        self._hush(now)
        while self._next_sight < len(self._sights) and self._sights[self._next_sight][0] <= now.steady:
            _, id, sight = self._sights[self._next_sight]
            self._next_sight += 1
            self._clock = sight.at
            self.book.look(_result(id, sight), sight.at, sight.final)
        for id in self.book.due(now):
            self._look(id, now)
        self.book.tick(now)
        self._note(now)
        # Of what fails, a look that says the same may end a silence: it is known again how it is by itself.
        again = any(result.id in self._open for result, _ in self.book.looked)
        self.book.looked.clear()
        if self.book.stirred or again or now.steady >= self._owed_at:
            self._tell(now)
            self._owed_at = self._telling()

    def _look(self, id: str, now: Moment) -> None:
        """A look is due of which it is known only that it changed nothing."""
        place = bisect_right(self._times[id], now.steady) - 1
        sight = self.past.sights[id][place] if place >= 0 else Sight(now, OK)
        if sight.state == NOTHING:
            following = self._times[id][place + 1] if place + 1 < len(self._times[id]) else inf
            self.book.agenda.put(id, max(following, now.steady + STEP))
            return
        before = self.book.statuses[id]
        self.book.look(_result(id, sight), now, sight.final)
        if _same(before, self.book.statuses[id]) and (time := self._unchanged(id, now.steady)) > now.steady:
            # What says the same again and again is passed over, up to the last look before something happens.
            later = Moment(time, now.wall + time - now.steady)
            self.book.look(_result(id, sight), later, sight.final)

    def _unchanged(self, id: str, now: float) -> float:
        """Return when the last look of a result is that changes nothing; `now` where that is not known."""
        subject = self.subjects[id]
        needs = [need for need in subject.needs if need in self.subjects]
        if any(self.book.statuses[each].soft for each in (id, *needs)):
            return now
        until = self._end
        for each in (id, *needs):
            times = self._times[each]
            place = bisect_right(times, now)
            until = min(until, times[place] if place < len(times) else inf)
        status, flap = self.book.statuses[id], subject.policy.flap
        if status.unstable is not None and status.changes and flap is not None:
            until = min(until, status.changes[-1] + flap.calm)  # by then it is calm, at a time of its own
        if until == inf:
            return now
        interval = subject.policy.interval
        begin = shift(subject.host) * interval
        time = begin + floor((until - begin) / interval) * interval
        return time - interval if time >= until - STEP else time

    def _hush(self, now: Moment) -> None:
        """Begin and end silences."""
        while self._next_edge < len(self._edges) and self._edges[self._next_edge][0] <= now.steady:
            _, begins, one = self._edges[self._next_edge]
            self._next_edge += 1
            if one.kind == ACKNOWLEDGED:
                self._acknowledge(one, begins, now)
                continue
            self._silent = [*self._silent, one] if begins else [each for each in self._silent if each is not one]
            self.book.plan(_planned(each) for each in self._silent)

    def _acknowledge(self, one: Silence, begins: bool, now: Moment) -> None:
        """Somebody has it, or no longer; of what was no problem yet nobody could say so."""
        status = self.book.statuses[one.id]
        if begins and status.state != OK:
            self.book.event(one.id, Acknowledge(now, "", one.reason))
        elif not begins and status.ack is not None:
            self.book.event(one.id, Unacknowledge(now))

    def _tell(self, now: Moment) -> None:
        """Have what is owed arrive."""
        self.book.settle(now)
        while messages := self.book.messages((), now):
            for message in messages:
                self.book.attempt(message, now)
                self.book.outcome(message, ledger.DELIVERED, "", now)
                for each in message:
                    self.made.notices.append(Receipt(now, each.receiver, each.id, each.kind, each.level))
                    if each.id in self._open:
                        self._open[each.id].told.add(each.receiver)
            self.book.settle(now)

    def _note(self, now: Moment) -> None:
        """Note which problems begin and end."""
        opened: list[Problem] = []
        for change in self.book.taken().changes:
            if change.before == UNWATCHED:
                continue
            if change.after == OK:
                if (problem := self._open.pop(change.id, None)) is not None:
                    problem.end = change.at
            elif change.id not in self._open:
                opened.append(Problem(change.id, change.after, change.at))
                self._open[change.id] = opened[-1]
        if opened:
            problems = Problems(Picture(now, self.book.subjects, self.book.statuses))
            for each in opened:
                each.follows = problems.cause(each.id) is not None
            self.made.problems += opened


def _same(before: Status, after: Status) -> bool:
    """Whether a look changed nothing but when it was looked at."""
    return replace(before, looked=after.looked, reason=after.reason) == after


def _result(id: str, sight: Sight) -> Result:
    host = id.rpartition("@")[2]
    return Result(id, "", id, 0, host, sight.state, sight.reason, blocked_by=sight.blocked_by)


def _planned(one: Silence) -> Downtime:
    """Return a silence as a window that is open: it is ended as it began, by the monitor's own time."""
    return Downtime(f"{one.id}/{one.begin}", Fixed(-1e15, 1e15), frozenset((one.id,)), comment=one.reason)
