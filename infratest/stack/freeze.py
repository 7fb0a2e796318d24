"""Times in which nothing is changed without a person, as `freeze:` of heal rules has them. Pure.

Read with the stack file, asked by the gate `change`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from infratest.errors import UserError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY = 24 * 60
_CLOCK = r"([01][0-9]|2[0-3]):([0-5][0-9])"
_WEEKLY = re.compile(rf"({'|'.join(DAYS)}) {_CLOCK} - ({'|'.join(DAYS)}) {_CLOCK}(?: (\S+))?")
_DAILY = re.compile(rf"{_CLOCK} - {_CLOCK}(?: (\S+))?")
_ONCE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d) - (\d{4}-\d\d-\d\d \d\d:\d\d)(?: (\S+))?")
SHAPES = "'Fri 16:00 - Mon 07:00 Europe/Berlin', '22:00 - 06:00', or '2026-12-23 16:00 - 2027-01-04 08:00'"


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """One entry: a window of time, a file that says that a deployment goes on, so long after provisioning, or drift.

    Args:
        window: as it is written. file: its path, relative to the stack file. provisioned: seconds, 0 for none.
        drift: while a file that the scenario looks at was changed since it was last green.
    """

    window: str = ""
    file: str = ""
    provisioned: float = 0.0
    drift: bool = False


def holds(window: str, now: float) -> bool:
    """Return whether a window of time is open now, in seconds since the epoch; its end is no part of it.

    Without a zone its times are UTC.

    Raises:
        UserError: it is no window, or its zone is not known here.
    """
    text = " ".join(window.split())
    if match := _WEEKLY.fullmatch(text):
        first, h1, m1, last, h2, m2, zone = match.groups()
        begin, end = _minute(DAYS.index(first), h1, m1), _minute(DAYS.index(last), h2, m2)
        return _between(begin, end, window, _local(now, zone), 7)
    if match := _DAILY.fullmatch(text):
        h1, m1, h2, m2, zone = match.groups()
        return _between(_minute(0, h1, m1), _minute(0, h2, m2), window, _local(now, zone), 1)
    if match := _ONCE.fullmatch(text):
        try:
            begins, ends = (datetime.fromisoformat(one) for one in match.groups()[:2])
        except ValueError as error:
            raise UserError(f"{window!r} is no time: {error}") from None
        if begins >= ends:
            raise UserError(f"{window!r} ends before it begins")
        return begins <= _local(now, match[3]) < ends
    raise UserError(f"{window!r} is no window of time; write as {SHAPES}")


def _minute(day: int, hour: str, minute: str) -> int:
    return day * DAY + int(hour) * 60 + int(minute)


def _local(now: float, zone: str | None) -> datetime:
    from infratest.cron import zone_of  # most stacks freeze nothing

    return datetime.fromtimestamp(now, zone_of(zone) if zone else UTC).replace(tzinfo=None)


def _between(begin: int, end: int, window: str, local: datetime, days: int) -> bool:
    """Whether a time lies between two minutes of so many days, over the end of these too."""
    if begin == end:
        raise UserError(f"{window!r} ends as it begins: nothing, or everything, would be frozen")
    minute = (local.weekday() % days) * DAY + local.hour * 60 + local.minute
    return begin <= minute < end if begin < end else minute >= begin or minute < end
