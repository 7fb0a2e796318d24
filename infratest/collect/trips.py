"""Round trips to many places at once, by threads: each is begun when its turn comes, and taken when it has ended.

Called by the collector of many hosts. A place that is slow holds up no other: whoever waits gets what is there. One
that does not end by its deadline, as a name server lets the C library wait, is given up: it must not lose the others.
"""

from __future__ import annotations

from _queue import Empty, SimpleQueue
from collections import deque
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from infratest.check import CONTROLLER
from infratest.collect.asked import Facts
from infratest.errors import DeadlineExceeded
from infratest.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future, ThreadPoolExecutor

    from infratest.collect.asked import Batch, Ended
    from infratest.deadline import Deadline
    from infratest.facts.base import Need

#: Seconds after which who is still asked counts no more among the places at once: it waits, and costs nothing.
PATIENCE = 1.0

#: Seconds, and the part of its time, after its deadline that a trip is waited for: whoever ends by a deadline ends a
#: little behind it. Less than a whole run has behind its own (cli/_checking.py).
LATE, PART = 0.25, 0.05


class Trips:
    """The round trips of one caller, who begins them and waits for their ends.

    Args:
        work: asks one batch and puts what came back into a table of facts. jobs: places that are asked at once.
    Attributes:
        lost: how many were given up; their threads go on, and nobody may wait for them.
    """

    def __init__(
        self,
        work: Callable[[Batch, Iterable[Need], Deadline, Facts], None],
        threads: ThreadPoolExecutor,
        jobs: int,
    ) -> None:
        self._work = work
        self._threads = threads
        self._jobs = jobs
        self._waiting: deque[tuple[Batch, Iterable[Need], Deadline]] = deque()
        self._under_way: dict[Future[None], _Trip] = {}
        self._over: SimpleQueue[Future[None]] = SimpleQueue()
        self.lost = 0

    def begin(self, batch: Batch, needs: Iterable[Need], deadline: Deadline) -> None:
        """Have this asked, at the latest when those before it are done or keep us waiting."""
        self._waiting.append((batch, needs, deadline))

    def ended(self, seconds: float | None) -> Ended | None:
        """Return the next batch that is complete, or None where none is within these seconds."""
        until = None if seconds is None else monotonic() + seconds
        while True:
            self._start()
            left = None if until is None else max(0.0, until - monotonic())
            if self._waiting:
                left = PATIENCE if left is None else min(PATIENCE, left)
            if self._under_way:
                end = max(0.0, self._oldest[1].end - monotonic())
                left = end if left is None else min(end, left)
            try:
                future = self._over.get(timeout=left)
            except Empty:
                if self._under_way and self._oldest[1].end <= monotonic():
                    return self._given_up(*self._oldest)
                if until is not None and monotonic() >= until:
                    return None
                continue
            trip = self._under_way.pop(future, None)
            if trip is None:  # it was given up
                continue
            future.result()  # a bug of ours ends the run
            return trip.batch, trip.facts, trip.began

    @property
    def _oldest(self) -> tuple[Future[None], _Trip]:
        """The trip that was begun first, which must end first, for all of one caller's have the same end."""
        return next(iter(self._under_way.items()))

    def _given_up(self, future: Future[None], trip: _Trip) -> Ended:
        """Return what a trip ends with that does not end."""
        facts = Facts()
        del self._under_way[future]
        self.lost += 1
        words = "it did not end before our own deadline; give it more with --timeout (-t), or see what it waits for"
        at = facts.at(trip.batch if isinstance(trip.batch, str) else CONTROLLER)
        at.update({need: DeadlineExceeded(words) for need in trip.needs})
        return trip.batch, facts, trip.began

    def _start(self) -> None:
        if not self._waiting:
            return
        now = monotonic()
        busy = sum(trip.started > now - PATIENCE for trip in self._under_way.values())
        while self._waiting and busy < self._jobs:
            batch, needs, deadline = self._waiting.popleft()
            facts = Facts()
            future = self._threads.submit(partial(self._work, batch, needs, deadline, facts))
            end = now + deadline.left + LATE + PART * deadline.seconds
            self._under_way[future] = _Trip(batch, needs, facts, deadline.now(), now, end)
            future.add_done_callback(self._over.put)
            busy += 1


class _Trip(Record):
    """What is under way. `began`: by its deadline's clock; `started`, `end`: by ours."""

    batch: Batch
    needs: Iterable[Need]
    facts: Facts
    began: float
    started: float
    end: float
