"""The time that waiting goes by: the machine's own, or that of a cloud which is simulated.

A provider has one (`Provider.clock`); the lifecycle waits, counts and gives deadlines by it, and has its threads begun
by it, so that a clock whose time is not real knows when all of them wait.
"""

from __future__ import annotations

from time import monotonic, sleep, time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Workers:
    """Threads that one thread begins and waits for; daemons, so that one that hangs cannot keep a program from ending.

    Each is known by a number that its beginner gives it.
    """

    def __init__(self) -> None:
        from queue import SimpleQueue

        self._ended: SimpleQueue[int] = SimpleQueue()

    def begin(self, number: int, work: Callable[[], None]) -> None:
        """Begin a thread that does the work and ends."""
        from threading import Thread

        Thread(target=self._run, args=(number, work), daemon=True).start()

    def ended(self, seconds: float) -> int | None:
        """Return the number of one that has ended, waiting for it at most so many seconds; None where none has."""
        from queue import Empty

        try:
            return self._ended.get(timeout=seconds)
        except Empty:
            return None

    def _run(self, number: int, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            self._over(number)

    def _over(self, number: int) -> None:
        self._ended.put(number)


class Clock:
    """The machine's time."""

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time()

    def monotonic(self) -> float:
        """Return seconds of a clock that nobody sets."""
        return monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        sleep(seconds)

    def workers(self) -> Workers:
        """Return what begins threads whose waiting this clock knows of."""
        return Workers()


REAL = Clock()
