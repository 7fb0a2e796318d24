"""Times as people write them: of a clock, or so long ago. Pure; called by the words of the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from infratest.errors import UserError
from infratest.units import duration

#: The first year whose times are read: before it nothing was watched, and a slip of the pen is likelier.
FIRST_YEAR = 2000


def instant(text: str, now: float, direction: int = -1) -> float:
    """Return a time in seconds since the epoch: `2026-11-29 03:10` in UTC, with a zone as RFC 3339 has it, or `2h`.

    Args:
        now: seconds since the epoch. direction: what a duration means, -1 for so long ago, 1 for in so long.
    Raises:
        UserError: it is no time.
    """
    words = text.strip()
    try:
        made = datetime.fromisoformat(words.removesuffix(" UTC"))
    except ValueError:
        made = None
    if made is not None:
        if made.year < FIRST_YEAR:
            raise UserError(f"time: {text!r}: nothing was watched before {FIRST_YEAR}")
        return (made if made.tzinfo is not None else made.replace(tzinfo=UTC)).timestamp()
    try:
        return now + direction * duration(words.removesuffix(" ago"))
    except UserError:
        shown = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M")
        before = "2h ago" if direction < 0 else "2h"
        raise UserError(f"time: {text!r} is none; write '{shown}' (in UTC), '{shown}+01:00', or {before!r}") from None


def past(text: str, now: float) -> float:
    """Return a time that is over. Raises UserError: it is none, or still to come."""
    found = instant(text, now)
    if found > now:
        raise UserError(f"time: {text!r} is still to come; what will be nobody knows")
    return found
