"""A clock whose time is not real: waiting moves it, and takes none of the machine's.

Its time goes on when every thread that it knows of waits, to the moment when the first of them has waited enough; so a
hundred threads that wait ten seconds each end after ten seconds of it, as they would by a real clock. It knows the
thread that it was made for and those that its `workers` begin. Another thread that waits moves it by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition

from infratest.clock import Clock, Workers


class Sleeper:
    """A thread that waits until a moment, or until it is woken."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.awake = False


class VirtualClock(Clock):
    """Time that is made by waiting. Its `time` and its `monotonic` are the same.

    Args:
        now: seconds since the epoch that it begins with.
    """

    def __init__(self, now: float) -> None:
        self.changed = Condition()
        self._now = now
        self._awake = 1
        self._sleepers: list[Sleeper] = []

    def time(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            with self.changed:
                self.wait(Sleeper(self._now + seconds))

    def workers(self) -> Workers:
        return VirtualWorkers(self)

    def move_to(self, moment: float) -> None:
        """Let it be that late; fine where it is later already."""
        with self.changed:
            self._now = max(self._now, moment)

    # What `VirtualWorkers` calls, with `changed` held.

    def wait(self, sleeper: Sleeper) -> None:
        """Wait as this sleeper does."""
        self._sleepers.append(sleeper)
        self.one_less()
        while not sleeper.awake:
            self.changed.wait()

    def wake(self, sleeper: Sleeper) -> None:
        """Let one go on, whatever the time."""
        if not sleeper.awake:
            sleeper.awake = True
            self._sleepers.remove(sleeper)
            self.one_more()
            self.changed.notify_all()

    def one_more(self) -> None:
        """A thread more does something now."""
        self._awake += 1

    def one_less(self) -> None:
        """A thread less does something now; where none does, the time goes on."""
        self._awake -= 1
        if self._awake > 0 or not self._sleepers:
            return
        self._now = max(self._now, min(one.until for one in self._sleepers))
        for one in [one for one in self._sleepers if one.until <= self._now]:
            self.wake(one)


class VirtualWorkers(Workers):
    """Threads that a virtual clock knows of."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock
        self._over_now: deque[int] = deque()
        self._waiting: Sleeper | None = None

    def begin(self, number: int, work: Callable[[], None]) -> None:
        with self._clock.changed:
            self._clock.one_more()
        super().begin(number, work)

    def ended(self, seconds: float) -> int | None:
        with self._clock.changed:
            if not self._over_now:
                self._waiting = Sleeper(self._clock.monotonic() + seconds)
                self._clock.wait(self._waiting)
                self._waiting = None
            return self._over_now.popleft() if self._over_now else None

    def _over(self, number: int) -> None:
        with self._clock.changed:
            self._over_now.append(number)
            if self._waiting is not None:
                self._clock.wake(self._waiting)  # before this one is no more: no time passes in between
            self._clock.one_less()
