"""Threads that look at hosts: so many at once, each host by one at a time. One that hangs holds up no other.

The unit is a host: what is due of it at one time is asked in one round trip, over its own connection, which stays open
from look to look. What is about several hosts, or none, is a unit too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread

from infratest.alerting.moments import Moment
from infratest.engine.apart import defects_told
from infratest.errors import InfratestError
from infratest.model import Result


@dataclass(frozen=True)
class Errand:
    """What one unit is to be looked at for. begun: when it was given out."""

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
        done: called with what came of it, by the thread that went.
    """

    def __init__(self, size: int, look: Callable[[Errand], Findings], done: Callable[[Findings], None]) -> None:
        self._size = size
        self._look = defects_told(look)  # a defect of ours must not end the watch; it is not known then, and said
        self._done = done
        self._waiting: deque[Errand] = deque()
        self._units: set[str] = set()
        self._threads = self._idle = 0
        self._changed = Condition()
        self._ended = False

    def send(self, errand: Errand) -> None:
        """Have somebody go on an errand, now or as soon as there is somebody and its unit is not looked at."""
        with self._changed:
            if self._ended:
                return
            self._waiting.append(errand)
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
            return unit in self._units or any(errand.unit == unit for errand in self._waiting)

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
                with self._changed:
                    self._units.discard(errand.unit)
                    self._changed.notify()
            self._done(findings)

    def _next(self) -> Errand | None:
        with self._changed:
            self._idle += 1
            try:
                while not self._ended:
                    for errand in self._waiting:
                        if errand.unit not in self._units:
                            self._waiting.remove(errand)
                            self._units.add(errand.unit)
                            return errand
                    self._changed.wait()
                return None
            finally:
                self._idle -= 1
