"""Where a number is heading, by the readings that are kept of it. Pure; called by the checks that are about a trend.

The slope is the median of the slopes between all pairs of readings (H. Theil 1950, P. K. Sen 1968): up to 29 % of the
readings may be anything, as where a log was rotated or a backup stood on the disk for an hour, and it stays the same.
"""

from __future__ import annotations

from infratest.errors import FactError
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from infratest.store.readings import Reading

#: Readings that a trend needs at least, and the seconds that they must span: a day has its own ups and downs.
LEAST, SPAN = 8, 86400.0

#: Seconds beyond which nothing is foreseen: what is never full is full in ten years or more.
FAR = 3650 * 86400.0


def slope(readings: Sequence[Reading]) -> float:
    """Return by how much a number grows in a second; of readings at one moment alone nothing follows: it is 0."""
    slopes = sorted(
        (later - earlier) / (end - begin)
        for place, (begin, earlier) in enumerate(readings)
        for end, later in readings[place + 1 :]
        if end != begin
    )
    if not slopes:
        return 0.0
    middle = len(slopes) // 2
    return slopes[middle] if len(slopes) % 2 else (slopes[middle - 1] + slopes[middle]) / 2


def known(readings: Sequence[Reading], now: float, window: float) -> list[Reading]:
    """Return the readings of a window, the oldest first.

    Args:
        window: seconds before now. Half of it must be spanned, or SPAN where that is less.
    Raises:
        FactError: there are too few, or they span too little; it says what is missing.
    """
    inside = sorted(each for each in readings if now - window <= each[0] <= now)
    span = inside[-1][0] - inside[0][0] if inside else 0.0
    least = min(SPAN, window / 2)
    if len(inside) < LEAST or span < least:
        raise FactError(
            f"the trend is not known yet: {len(inside)} of at least {LEAST} readings, over {human(span, 's')} of at "
            f"least {human(least, 's')}, are kept in the state directory; each run adds one"
        )
    return inside


def seconds_until(room: float, growth: float) -> float:
    """Return in how many seconds a room is used up at this growth a second, at most FAR."""
    return min(FAR, room / growth) if growth > 0 and room < growth * FAR else (0.0 if room <= 0 else FAR)
