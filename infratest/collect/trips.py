"""Round trips to many places at once, by threads: each is begun when its turn comes, and taken when it has ended.

Called by the collector of many hosts. A place that is slow holds up no other: whoever waits gets what is there.
"""

from __future__ import annotations

from _queue import Empty, SimpleQueue
from collections import deque
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from infratest.collect.asked import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future, ThreadPoolExecutor

    from infratest.collect.asked import Batch, Ended
    from infratest.deadline import Deadline
    from infratest.facts.base import Need

#: Seconds after which who is still asked counts no more among the places at once: it waits, and costs nothing.
PATIENCE = 1.0


class Trips:
    """The round trips of one caller, who begins them and waits for their ends.

    Args:
        work: asks one batch and puts what came back into a table of facts. jobs: places that are asked at once.
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
        self._under_way: dict[Future[None], tuple[Ended, float]] = {}
        self._over: SimpleQueue[Future[None]] = SimpleQueue()

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
            try:
                future = self._over.get(timeout=left)
            except Empty:
                if until is not None and monotonic() >= until:
                    return None
                continue
            ended, _ = self._under_way.pop(future)
            future.result()  # a bug of ours ends the run
            return ended

    def _start(self) -> None:
        if not self._waiting:
            return
        now = monotonic()
        busy = sum(began > now - PATIENCE for _, began in self._under_way.values())
        while self._waiting and busy < self._jobs:
            batch, needs, deadline = self._waiting.popleft()
            facts = Facts()
            future = self._threads.submit(partial(self._work, batch, needs, deadline, facts))
            self._under_way[future] = ((batch, facts, deadline.now()), now)
            future.add_done_callback(self._over.put)
            busy += 1
