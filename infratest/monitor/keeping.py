"""A monitor's changes in the store: all of one turn in one transaction, and what an earlier life left there."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from math import inf

from infratest.alerting.heartbeats import Pulse
from infratest.alerting.moments import Anchor, Moment
from infratest.errors import StateError
from infratest.model import Result
from infratest.monitor.changes import Changes, Number
from infratest.monitor.memory import Memory
from infratest.stack.monitor import Monitor
from infratest.store import events
from infratest.store.database import changes, ledger, meta, numbers, people, retention, statuses, values
from infratest.store.database.base import Store, Transaction
from infratest.store.database.people import Note
from infratest.store.database.retention import Keep
from infratest.store.events import Event

log = logging.getLogger(__name__)

#: By whom the marks of a monitor's life are: a login has no blank. What they say.
MYSELF = "infratest monitor"
#: Whose mark in history a heal is.
HEALER = "infratest heal"
BEGINS, ENDED = "the monitor begins", "the monitor ended, was killed, or stood still"
#: Seconds between two turns that are no standing still, however often is looked: a commit may take some.
STILL = 30.0
#: Seconds that the wall clock may be ahead of the turn before, and those of the monitor's own time for which nothing is
#: taken away as too old where it is more: a clock that is years ahead is set right, and history is gone.
LEAP, SETTLES = 86400.0, 3600.0


class Keeping:
    """What one monitor writes, and reads as it begins.

    Args:
        stack, env: what its numbers are of. keep: how long. watching: whether it watches; not, where it is only told
        something. fresh: seconds for which what it saw says what is so.
    """

    def __init__(
        self, store: Store, stack: str, env: str, keep: Keep, watching: bool = True, fresh: float = inf
    ) -> None:
        self._store, self._keep, self._watching = store, keep, watching
        self._still = max(fresh, STILL)
        self._turn: Moment | None = None
        self._marks: list[Note] = []  # of times without a turn, not written yet
        self._leapt = -SETTLES  # when the wall clock did last
        self._stack, self._env = stack, env
        self._series: dict[str, dict[str, tuple[str, dict[str, str]]]] = {}  # by id, then by the number's name
        #: Why the store is larger than it may be, though all was taken away that may go; empty where it is not.
        self.overgrown = ""

    @property
    def ours(self) -> bool:
        """Whether no other monitor can be the one that works at this moment."""
        return self._store.ours

    def renew(self) -> None:
        """Stay the one that works, where several could. Raises LeaseLost, and StateError where nobody can say."""
        self._store.renew()

    def write(self, made: Changes, anchor: Anchor) -> None:
        """Write all of it, or nothing.

        Raises:
            StateError: the disk does not take it, or the store is damaged.
        """
        now, before = Moment(anchor.steady, anchor.wall), self._turn
        self._stood_still(now)
        with self._store.transaction() as t:
            until = meta.watched(t) if before is None else before.wall
            if until is not None and now.wall - until > LEAP:
                self._leapt = now.steady
            meta.write_anchor(t, anchor)
            if self._watching:
                meta.write_watched(t, anchor.wall)
            people.add_notes(t, self._marks)
            statuses.write(t, {id: one for id, one in made.statuses.items() if one is not None})
            gone = [id for id, one in made.statuses.items() if one is None]
            statuses.remove(t, gone)
            statuses.write_results(t, [result.as_dict() for result in made.results.values()])
            ledger.write(t, made.entries)
            ledger.write_sent(t, made.sent)
            changes.add(t, made.changes)
            ledger.add(t, made.deliveries)
            for at, withheld in made.withheld:
                ledger.withhold(t, at, withheld)
            _keep_people(t, made)
            if made.numbers:
                numbers.keep(t, self._events(made.numbers))
            numbers.keep(t, made.events)
            for id in gone:  # what comes of it again is looked up again
                for key, _ in self._series.pop(id, {}).values():
                    t.lose_sight_of(key)
        self._marks.clear()

    def _stood_still(self, now: Moment) -> None:
        """Have it be kept where nobody watched since the turn before this one: the machine slept, or the loop hung."""
        before, self._turn = self._turn, now
        if self._watching and before is not None and now.wall - before.wall > self._still:
            self._marks += [Note(before, ENDED, MYSELF), Note(now, BEGINS, MYSELF)]

    def begin_anew(self, made: Changes, anchor: Anchor) -> None:
        """Set a damaged store aside, and write all that is known into a new one.

        Raises:
            StateError: there can be none, or it does not take it.
        """
        self._store.begin_anew()
        claim(self._store, self._stack, self._env)
        self.write(made, anchor)

    @property
    def aside(self) -> tuple[str, ...]:
        """Where damaged stores lie that were set aside, the newest last."""
        return self._store.aside

    def tend(self, now: Moment, states: Mapping[str, str]) -> None:
        """Do a part of what keeps it small: pack hours that are over, mark how each is, take away what is old.

        Args:
            states: of all that is watched, by id.
        Raises:
            StateError: as `write`.
        """
        with self._store.transaction() as t:
            packing = numbers.pack(t, now.wall)
            changes.mark(t, now.wall, states)
            settled = now.steady - self._leapt >= SETTLES
            trim = retention.trim(t, self._keep, now.wall if settled else 0.0)
        if packing.damaged:
            log.error("store: %s: blocks that are damaged: %s", self._store.path, packing.damaged)
        before, self.overgrown = self.overgrown, ""
        if trim.over:
            words = "is larger than `store: keep: size` and has no numbers left to take away"
            self.overgrown = f"store: {self._store.path} {words}"
            if not before:
                log.error("%s", self.overgrown)

    def _events(self, seen: list[Number]) -> Iterator[Event]:
        for number in seen:
            mine = self._series.setdefault(number.result.id, {})
            known = mine.get(number.name)
            if known is None:
                known = mine[number.name] = events.series(self._stack, self._env, number.result, number.name)
            key, labels = known
            yield Event(number.time, key, number.value, number.unit, labels)


def freshness(monitor: Monitor | None) -> float:
    """Return the seconds for which what a monitor saw says what is so."""
    given = monitor or Monitor()
    return given.stale * given.interval


def begun(store: Store, now: Moment, fresh: float) -> list[Note]:
    """Return the marks of a life that begins: since when nobody watched, and that somebody does again.

    Args:
        fresh: seconds; where one ended no longer ago, nothing was unknown in between, and there are none: a timer that
        has everything looked at once watches as well as a monitor that stays.
    """
    with store.sight() as t:
        until = meta.watched(t)
    if until is not None and 0 <= now.wall - until <= fresh:
        return []
    marks = [Note(now, BEGINS, MYSELF)]
    return marks if until is None else [Note(Moment(now.steady, min(until, now.wall)), ENDED, MYSELF), *marks]


def _keep_people(t: Transaction, made: Changes) -> None:
    """Keep what people said, and how their jobs do."""
    people.write_heartbeats(t, {name: json.loads(values.written(pulse)) for name, pulse in made.pulses.items()})
    people.write_downtimes(t, [each for each in made.downtimes.values() if each is not None])
    for name, downtime in made.downtimes.items():
        if downtime is None:
            people.remove_downtime(t, name)
    for pause in made.pauses.values():
        if pause is None:
            people.resume(t)
        else:
            people.pause(t, pause)
    people.add_notes(t, made.notes)


def memory(store: Store) -> tuple[Memory, Anchor | None]:
    """Return what an earlier life left, and where the monitor's own time stood. Raises StateError."""
    with store.sight() as t:
        pause = people.paused(t)
        made = Memory(
            statuses=statuses.statuses(t),
            results=_results(t),
            entries=ledger.entries(t),
            sent=ledger.sent(t),
            downtimes=tuple(people.downtimes(t)),
            paused=None if pause is None else pause.until,
            pulses={name: values.read(Pulse, json.dumps(body)) for name, body in people.heartbeats(t).items()},
        )
        return made, meta.anchor(t)


def claim(store: Store, stack: str, env: str) -> None:
    """Have a store be of one environment of a stack.

    To another one, all that is watched here would be gone, and everybody would be told that it is over.

    Raises:
        StateError: it is of another.
    """
    mine = f"{stack}/{env}" if env else stack
    with store.transaction() as t:
        whose = meta.place(t)
        if whose is None:
            meta.write_place(t, mine)
        elif whose != mine:
            raise StateError(f"store: {meta.another(store.path, whose, mine)}")


def _results(t: Transaction) -> dict[str, Result]:
    try:
        return {id: Result.from_dict(data) for id, data in statuses.results(t).items()}
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(f"store: a result in it is none of this version: {error}") from error
