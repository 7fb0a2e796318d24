"""The two times of a monitor: its own, which nobody sets, and the wall clock's, which people read. Pure.

Whatever lasts (staleness, a calm, an acknowledgement for four hours, a reminder) is counted in the monitor's own time:
a wall clock that is set by an hour or a day neither ends a silence nor makes one longer. Only what people give as a
date (windows of downtime) goes by the wall clock, and only what people read (since when) is written in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment by both clocks.

    Args:
        steady: seconds of the monitor's own time; it goes on over restarts. wall: seconds since the epoch.
    """

    steady: float
    wall: float


class Timed(Protocol):
    """What happened at a moment."""

    @property
    def at(self) -> Moment: ...


T = TypeVar("T", bound=Timed)


def happened(some: Iterable[T]) -> list[T]:
    """Return what happened in the order in which it did: the wall clock may have been set back meanwhile."""
    return sorted(some, key=lambda each: each.at.steady)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the monitor's own time stood when it was last kept: as it starts, and with what it writes from then on.

    Args:
        steady: that time. monotonic, wall: what the machine's clocks had then. boot: the id of its boot, since the
        monotonic clock (Linux: CLOCK_MONOTONIC, one for all processes) begins anew with each.
    """

    steady: float
    monotonic: float
    wall: float
    boot: str

    def moment(self, monotonic: float, wall: float, boot: str) -> Moment:
        """Return the moment at which the clocks have these values.

        Over a boot only the wall clock knows how much time has passed; where it was set back, none has.
        """
        if boot == self.boot and monotonic >= self.monotonic:
            return Moment(self.steady + monotonic - self.monotonic, wall)
        return Moment(self.steady + max(0.0, wall - self.wall), wall)

    def moved(self, monotonic: float, wall: float, boot: str) -> Anchor:
        """Return what is to be kept at this moment."""
        return Anchor(self.moment(monotonic, wall, boot).steady, monotonic, wall, boot)
