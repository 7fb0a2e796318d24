"""A moment by which something must have ended; handed down so that no layer invents time-outs of its own."""

from __future__ import annotations

from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Deadline:
    """`seconds` from now, on the monotonic clock, so that a clock that is set does not move it.

    Args:
        now: another clock to go by, as that of a provider which is simulated (`Clock.monotonic`).
    """

    __slots__ = ("seconds", "_end", "_now")

    def __init__(self, seconds: float, now: Callable[[], float] = monotonic) -> None:
        self.seconds = seconds
        self._now = now
        self._end = now() + seconds

    def now(self) -> float:
        """Return the moment that it is, in seconds, by the clock that this goes by."""
        return self._now()

    @property
    def left(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - self._now())

    @property
    def passed(self) -> bool:
        return self._now() >= self._end

    def at_most(self, seconds: float) -> Deadline:
        """Return the earlier of this deadline and `seconds` from now."""
        return Deadline(min(self.left, seconds), self._now)

    def sooner(self, seconds: float) -> Deadline:
        """Return this deadline so many seconds earlier, by its own name: the rest is for what must come after it."""
        earlier = Deadline(self.seconds, self._now)
        earlier._end = self._end - seconds
        return earlier

    def __repr__(self) -> str:
        return f"Deadline({self.left:.3f} s left)"
