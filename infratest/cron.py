"""Dates that come again, as `0 3 * * *` in Europe/Berlin: five fields, read as Debian's cron reads them. By cronsim.

A time zone has its summer time: a date in the hour that is left out comes at its end, and one in the hour that comes
twice comes once. Asked for windows of downtime and for heartbeats. All times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from infratest.errors import UserError

#: Seconds by which a search begins earlier: an hour that comes twice has its dates before it.
_TWICE = 7200.0


def check(text: str, zone: str) -> None:
    """Refuse what is no such text, or no time zone.

    Raises:
        UserError: saying which of both, and how it is written.
    """
    from cronsim import CronSim, CronSimError

    try:
        if len(text.split()) != 5:
            raise CronSimError("it has not five fields")
        CronSim(text, datetime.fromtimestamp(0, zone_of(zone)))
    except CronSimError as error:
        raise UserError(f"{text!r} is no cron expression ({error}); write as '0 2 * * 0'") from None


@lru_cache(maxsize=1024)
def newest(text: str, zone: str, minute: int) -> float | None:
    """Return the newest date that is no later than a minute; None where there is none in fifty years."""
    last = None
    for date in _before(text, minute + _TWICE, zone):
        if date <= minute:
            last = date if last is None else max(last, date)
        # Where an hour comes twice, a date before another one may be the later moment, by that hour and no more.
        if date < minute - _TWICE:
            break
    return last


@lru_cache(maxsize=1024)
def following(text: str, zone: str, wall: float, number: int) -> tuple[float, ...]:
    """Return the first dates after a time. Each comes within fifty years of the one before, as cronsim has it."""
    from cronsim import CronSim

    dates: list[float] = []
    for each in CronSim(text, datetime.fromtimestamp(int(wall) - _TWICE, zone_of(zone))):
        date = each.timestamp()
        # Several dates of an hour that is left out are one, at its end.
        if date > wall and (not dates or date > dates[-1]):
            dates.append(date)
        if len(dates) == number:
            break
    return tuple(dates)


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone of IANA.

    Raises:
        UserError: this machine does not know it.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UserError(
            f"zone: {name!r} is not in this machine's table of time zones; write as Europe/Berlin, and where that is "
            "right install tzdata"
        ) from None


def _before(text: str, wall: float, zone: str) -> Iterator[float]:
    """Yield the dates before a time, the newest first; none is more than 50 years off."""
    from cronsim import CronSim

    for date in CronSim(text, datetime.fromtimestamp(wall, zone_of(zone)), reverse=True):
        yield date.timestamp()
