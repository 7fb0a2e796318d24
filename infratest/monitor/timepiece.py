"""The monitor's own time on a real machine: an anchor that is kept, the machine's two clocks and the id of its boot."""

from __future__ import annotations

from infratest.alerting.moments import Anchor, Moment
from infratest.clock import REAL, Clock
from infratest.errors import StateError

#: The id of this boot (random(4)); containers see their host's.
BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Timepiece:
    """Tells which moment it is.

    Args:
        anchor: as the store has it; None for a monitor that was never started before.
        clock: the machine's, or a simulated one. boot: the id of its boot.
    """

    def __init__(self, anchor: Anchor | None, clock: Clock = REAL, boot: str | None = None) -> None:
        self._clock = clock
        self._boot = boot_id() if boot is None else boot
        first = Anchor(0.0, clock.monotonic(), clock.time(), self._boot)
        self._anchor = (anchor or first).moved(clock.monotonic(), clock.time(), self._boot)

    def now(self) -> Moment:
        """Return this moment."""
        return self._anchor.moment(self._clock.monotonic(), self._clock.time(), self._boot)

    def anchor(self) -> Anchor:
        """Return what is to be kept now, with whatever else is written now."""
        return self._anchor.moved(self._clock.monotonic(), self._clock.time(), self._boot)


def boot_id() -> str:
    """Return the id of this machine's boot.

    Raises:
        StateError: the kernel does not tell it.
    """
    try:
        with open(BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError) as error:
        raise StateError(f"monitor: {BOOT_ID} could not be read: {error}; is /proc mounted?") from error
