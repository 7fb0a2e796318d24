"""This machine's clock beside a cloud's: a signature holds for minutes, and clouds blame the key where it is too old.

EC2 and CloudStack are asked by signatures that hold the time (AWS Signature Version 4, "date stamp must be within five
minutes"; CloudStack's API reference, "expires"). What a cloud says of one from another time differs: that it expired,
that it does not match, or that the credentials are wrong. Its answer says what time it has.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from infratest.units import human

#: Seconds by which two clocks may differ before it is worth a word: below them signatures are accepted.
NOTED = 240.0


def advice(headers: Mapping[str, str], now: float | None = None) -> str:
    """Return what to do about this machine's clock, empty where it is as the one of who answered, or that is not known.

    Args:
        headers: of an answer, their names in small letters; `date` is the time of its making (RFC 9110, 6.6.1), which
        it bears no more where a cache kept it (`age`). now: seconds since the epoch, instead of this machine's time.
    """
    from email.utils import parsedate_to_datetime

    try:
        made = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (TypeError, ValueError, OverflowError):
        return ""
    ahead = (time.time() if now is None else now) - made
    if "age" in headers or abs(ahead) < NOTED:
        return ""
    side = "ahead of" if ahead > 0 else "behind"
    return f"this machine's clock is {human(abs(ahead), 's', 2)} {side} the cloud's: set it, as by NTP"
