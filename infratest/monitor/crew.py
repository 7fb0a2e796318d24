"""Threads that look at hosts: so many at once, each host by one at a time. One that hangs holds up no other.

The unit is a host: what is due of it at one time is asked in one round trip, over its own connection, which stays open
from look to look. What is about several hosts, or none, is a unit too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Condition, Thread

from infratest.alerting.moments import Moment
from infratest.engine.apart import defects_told
from infratest.errors import InfratestError
from infratest.model import Result


@dataclass(frozen=True)
class Errand:
    """What one unit is to be looked at for.

    Args:
        begun: when it was given out; once somebody is on it, when that began.
    """

    unit: str
    ids: tuple[str, ...]
    begun: Moment


@dataclass(frozen=True)
class Findings:
    """What came of an errand. error: why nothing came of it; empty otherwise. seconds: that it took."""

    errand: Errand
    results: tuple[Result, ...] = ()
    error: str = ""
    seconds: float = 0.0


class Crew:
    """Threads that go on errands, begun when there is more to do than there are threads without work.

    Args:
        size: threads at most. look: goes on one errand; called by several threads at once, never by two for one unit.
        done: called with what came of it, by the thread that went. now: tells which moment it is, in any thread.
    """

    def __init__(
        self,
        size: int,
        look: Callable[[Errand], Findings],
        done: Callable[[Findings], None],
        now: Callable[[], Moment],
    ) -> None:
        self._size = size
        self._look = defects_told(look)  # a defect of ours must not end the watch; it is not known then, and said
        self._done = done
        self._now = now
        self._waiting: dict[str, Errand] = {}  # one for each unit, the oldest first
        self._units: set[str] = set()
        self._back = float("-inf")  # when somebody came back last
        self._threads = self._idle = 0
        self._changed = Condition()
        self._ended = False

    def send(self, errand: Errand) -> None:
        """Have somebody go on an errand, now or as soon as there is somebody and its unit is not looked at.

        One that waits for its unit already takes this one along: nobody has to look twice.
        """
        with self._changed:
            if self._ended:
                return
            if (before := self._waiting.get(errand.unit)) is not None:
                self._waiting[errand.unit] = replace(before, ids=tuple(dict.fromkeys((*before.ids, *errand.ids))))
                return
            self._waiting[errand.unit] = errand
            if self._idle < len(self._waiting) and self._threads < self._size:
                self._threads += 1
                Thread(target=self._work, name=f"look-{self._threads}", daemon=True).start()
            self._changed.notify()

    @property
    def queued(self) -> int:
        """How many errands wait for somebody."""
        return len(self._waiting)

    def busy(self, unit: str) -> bool:
        """Whether a unit is looked at just now, or is to be."""
        with self._changed:
            return unit in self._units or unit in self._waiting

    def late(self, now: float) -> float:
        """Return for how many seconds an errand has waited because there is nobody, or nobody comes back.

        One that waits for a look at its own unit alone is not late: that one hangs, and others come back.
        """
        with self._changed:
            since = [
                errand.begun.steady
                for unit, errand in self._waiting.items()
                if unit not in self._units or self._back < errand.begun.steady
            ]
        return max(0.0, now - min(since, default=now))

    def end(self) -> None:
        """Begin no more; who is on an errand is not waited for."""
        with self._changed:
            self._ended = True
            self._waiting.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while (errand := self._next()) is not None:
            try:
                findings = self._look(errand)
            except (InfratestError, OSError) as error:
                findings = Findings(errand, error=str(error))
            finally:
                self._came_back(errand)
            self._done(findings)

    def _came_back(self, errand: Errand) -> None:
        with self._changed:
            self._units.discard(errand.unit)
            self._back = self._now().steady
            if (after := self._waiting.get(errand.unit)) is not None:
                left = tuple(id for id in after.ids if id not in errand.ids)  # of the others it has just been seen
                if left:
                    self._waiting[errand.unit] = replace(after, ids=left)
                else:
                    del self._waiting[errand.unit]
            self._changed.notify()

    def _next(self) -> Errand | None:
        with self._changed:
            self._idle += 1
            try:
                while not self._ended:
                    for unit in self._waiting:
                        if unit not in self._units:
                            self._units.add(unit)
                            return replace(self._waiting.pop(unit), begun=self._now())
                    self._changed.wait()
                return None
            finally:
                self._idle -= 1
