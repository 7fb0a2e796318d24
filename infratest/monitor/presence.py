"""Which hosts there are, asked again with each tick: new ones are watched, lost ones told, destroyed ones let go.

One question at a time, in a thread of its own: a provider that is slow, or down, delays no look. While it cannot say,
the hosts that were known are watched on; after PATIENCE it is told that nobody knows which there are. Called by
`foreground` behind each turn, by the loop's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from threading import Thread
from typing import Protocol, cast

from infratest.alerting.moments import Moment
from infratest.alerting.subject import HOSTS
from infratest.engine.apart import defects_told
from infratest.errors import InfratestError
from infratest.hosts import GONE, Host
from infratest.model import Result
from infratest.monitor.keeping import MYSELF
from infratest.monitor.monitor import Call, Monitor
from infratest.monitor.protocols import Watches
from infratest.monitor.roll import DESTROYED, Roll
from infratest.plan.tasks import REACHABLE, reachable_id
from infratest.states import CRITICAL, OK, UNKNOWN
from infratest.store.database.people import Note

log = logging.getLogger(__name__)

#: Seconds between two questions at least, however often scenarios are looked at: an API counts its calls.
LEAST = 5.0
#: Seconds for which the hosts that were known are taken for those that there are.
PATIENCE = 600.0


class Present(Watches, Protocol):
    """What is watched, on which hosts (`watched.Watched`)."""

    @property
    def listed(self) -> bool: ...
    @property
    def interval(self) -> float: ...
    def roll(self) -> Roll | None: ...
    def on(self, roll: Roll) -> Present: ...


class Presence:
    """Has the hosts of a running monitor be those that there are."""

    def __init__(self, monitor: Monitor, patience: float = PATIENCE) -> None:
        self._monitor, self._patience = monitor, patience
        now = monitor.timepiece.now().steady
        self._known, self._asked, self._asking = now, now, False
        self._next = now + self._tick
        #: Why nobody can say which hosts there are; empty where it is known.
        self.problem = ""

    @property
    def _tick(self) -> float:
        return max(LEAST, self._watched.interval)

    @property
    def _watched(self) -> Present:
        return cast(Present, self._monitor.watched)

    def tend(self, now: Moment) -> None:
        """Ask again, where that is due; say that it is not known, where it has not been for too long."""
        watched = self._watched
        if not watched.listed:
            return
        if now.steady - self._known >= self._patience:
            problem = self.problem or "the provider does not answer"
            self._say(UNKNOWN, f"which hosts there are is not known for {self._patience / 60:.0f} min: {problem}", now)
        if not self._asking and now.steady >= self._next:
            self._asking, self._asked, self._next = True, now.steady, now.steady + self._tick
            Thread(target=self._ask, args=(watched,), name="hosts", daemon=True).start()

    def soon(self, now: Moment) -> None:
        """A provider says that something happened: ask as soon as its API may be asked again."""
        self._next = min(self._next, max(now.steady, self._asked + LEAST))

    def _ask(self, watched: Present) -> None:
        """Ask once, and have the loop take in what came of it."""
        roll, made, problem = None, watched, ""
        try:
            roll, made = defects_told(_asked)(watched)
        except (InfratestError, OSError) as error:
            problem = str(error)
        self._monitor.inbox.put(Call(lambda monitor: self._take(watched, made, roll, problem), lambda answer: None))

    def _take(self, before: Present, made: Present, roll: Roll | None, problem: str) -> None:
        now, monitor = self._monitor.timepiece.now(), self._monitor
        self._asking = False
        if problem != self.problem and problem:
            log.warning("monitor: which hosts there are could not be asked: %s; those known are watched on", problem)
        self.problem = problem
        if problem:
            return
        if monitor.watched is not before:
            return  # the project was read anew meanwhile, and its hosts with it
        self._known = now.steady
        if roll is not None:
            for text, name in _told(roll):
                log.warning("monitor: %s: %s", name, text)
                monitor.book.note(Note(now, text, MYSELF, name))
            monitor.adopt(made)
            for result in _gone(roll.hosts):
                monitor.book.look(result, now, final=True)
        if roll is not None and not roll.hosts:
            self._say(UNKNOWN, "nothing is watched: every host was destroyed", now)
        else:
            self._say(UNKNOWN if self._empty else OK, "nothing is watched" if self._empty else "", now)

    @property
    def _empty(self) -> bool:
        return not any(each.looked_at for each in self._monitor.watched.subjects)

    def _say(self, state: str, reason: str, now: Moment) -> None:
        status = self._monitor.book.statuses.get(HOSTS)
        if status is None or (status.seen, status.reason) != (state, reason):
            result = Result(HOSTS, "", HOSTS.partition("@")[0], 0, "-", state, reason)
            self._monitor.book.look(result, now, final=True)


def _asked(watched: Present) -> tuple[Roll | None, Present]:
    roll = watched.roll()
    return roll, watched if roll is None else watched.on(roll)


def _told(roll: Roll) -> Iterator[tuple[str, str]]:
    yield from (("a new host: it is watched from now on", name) for name in roll.came)
    yield from (("it is gone, and was not destroyed from here", name) for name in roll.lost)
    yield from ((DESTROYED, name) for name in roll.went)


def _gone(hosts: Iterable[Host]) -> list[Result]:
    """Return a result for each host that is gone: hard at once, for nobody has to look twice."""
    words = "it is gone, by its provider's word, and was not destroyed from here"
    return [
        Result(
            reachable_id(host.name), "", REACHABLE, 0, host.name, CRITICAL, f"{host.name}: {host.reason or words}",
            host.groups, host.labels,
        )
        for host in hosts
        if host.state == GONE
    ]  # fmt: skip
