"""Moments as a report writes them: RFC 3339 in UTC with milliseconds, as 2026-01-31T12:00:00.000Z.

Called by whoever makes a report, and by what is kept of it. On the plugin program's path: `datetime` costs a run a
fifth of what the interpreter costs, so it serves the other forms alone.
"""

from __future__ import annotations

from time import gmtime, strftime, time

TO_SECONDS = "%Y-%m-%dT%H:%M:%S"
SHAPE = "0000-00-00T00:00:00.000Z"
DIGITS = str.maketrans("123456789", "000000000")


def written(seconds: float) -> str:
    """Return a moment as text.

    Args:
        seconds: since the epoch; what is finer than a millisecond is cut off.
    """
    return strftime(TO_SECONDS, gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"


def now() -> str:
    """Return the present moment as text."""
    return written(time())


def seconds(text: str) -> float:
    """Return a moment of any form of RFC 3339, in seconds since the epoch.

    Raises:
        ValueError: it is no such text, or has no time zone.
    """
    if text.translate(DIGITS) == SHAPE:
        days = _days(int(text[:4]), int(text[5:7]), int(text[8:10]))
        whole = days * 86400 + int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
        if strftime(TO_SECONDS, gmtime(whole)) == text[:19]:  # so there is such a day, and such a time of day
            return (whole * 1000 + int(text[20:23])) / 1000
    from datetime import datetime

    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.timestamp()


def _days(year: int, month: int, day: int) -> int:
    """Return the days since 1970-01-01, in the proleptic Gregorian calendar with years that begin in March."""
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    return year * 365 + year // 4 - year // 100 + year // 400 + (month * 153 + 2) // 5 + day - 719469
