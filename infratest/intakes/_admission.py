"""What is let in of what strangers send: keys made plain, numbers and times looked at. Pure; called by all intakes.

A key is of letters, digits, `_`, `-` and dots between its parts, whatever was sent: so none moves a cursor, ends a line
of another format, or names a file. What would have to be guessed is refused, by a reason of those below.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import Any

from infratest.cleaning import clean, masked
from infratest.store.events import METRIC, Event, part

#: Why something is refused: what it is counted by.
NOT_UNDERSTOOD, NOT_FINITE, NOT_UTF8 = "not understood", "no finite number", "not UTF-8"
NO_KEY, LONG_KEY, TIME = "no key", "key too long", "time too far off"
SERIES, FULL, OWN = "too many new series", "no room", "a key of the monitor's own"
TOKEN, LARGE, CONNECTIONS, LOST = "no token that is known", "too large", "too many connections", "lost by the kernel"
UNKNOWN_HEARTBEAT, ORIGIN = "no such heartbeat", "sent by a web page"
REASONS = (
    NOT_UNDERSTOOD, NOT_FINITE, NOT_UTF8, NO_KEY, LONG_KEY, TIME, SERIES, FULL, OWN, TOKEN, LARGE, CONNECTIONS, LOST,
    UNKNOWN_HEARTBEAT, ORIGIN,
)  # fmt: skip

#: Characters of a key; of a label's name and value; labels of an event.
LONGEST, LONGEST_NAME, LONGEST_VALUE, MOST_LABELS = 500, 60, 200, 20
#: Seconds that a time may lie before and behind now: clocks differ, and what was kept for a while is sent late. With a
#: clock that is more ahead, what has fallen silent would have "a value in the last 2 min" for as long as that.
BEFORE, BEHIND = 366 * 86400.0, 60.0
#: Units that are known; others would be a number that nobody can judge.
UNITS = ("", "s", "B", "%")
#: Labels that say what a result is, and are nobody else's to say.
IDENTITY = frozenset(("stack", "env", "kind", "id", "feature", "scenario", "from"))


class Refusal(Exception):
    """Something is not let in. reason: one of those above."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@lru_cache(maxsize=2**16)
def key_of(sent: str | bytes) -> str:
    """Return the key that something is kept under, whatever it was called. Raises Refusal."""
    if len(sent) > LONGEST:
        raise Refusal(LONG_KEY)
    if isinstance(sent, bytes):
        try:
            sent = sent.decode("utf-8")
        except UnicodeDecodeError:
            raise Refusal(NOT_UTF8) from None
    if not sent.isascii() and not _is_text(sent):
        raise Refusal(NOT_UTF8)
    parts = [part(each) for each in masked(sent).split(".") if each.strip()]
    key = ".".join(parts)
    if not any(character.isalnum() for character in key):
        raise Refusal(NO_KEY)
    return key


def number_of(value: object) -> float:
    """Return a number that was sent as one. Raises Refusal."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(NOT_UNDERSTOOD)
    try:
        number = float(value)
    except OverflowError:
        raise Refusal(NOT_FINITE) from None
    if not isfinite(number):
        raise Refusal(NOT_FINITE)
    return number


def written_number(text: bytes) -> float:
    """Return a number that was sent as text, in digits as C writes them. Raises Refusal."""
    if len(text) > 40 or not text or text.strip(b"+-0123456789.eE"):
        named = text[:40].strip().strip(b"+-").lower() in (b"nan", b"inf", b"infinity")
        raise Refusal(NOT_FINITE if named else NOT_UNDERSTOOD)
    try:
        return number_of(float(text))
    except ValueError:
        raise Refusal(NOT_UNDERSTOOD) from None


def time_of(time: float, now: float) -> float:
    """Return a time that was sent. Raises Refusal: it is too far from now, or is NaN."""
    if not now - BEFORE <= time <= now + BEHIND:
        raise Refusal(TIME)
    return time


def event(
    sent: str | bytes, value: float, now: float, *, time: float | None = None, unit: str = "",
    labels: Mapping[str, str] | None = None,
) -> Event:  # fmt: skip
    """Return a number as an event. Raises Refusal.

    Args:
        now: seconds since the epoch. time: as it was sent, None for now.
    """
    at = now if time is None else time_of(time, now)
    if not isfinite(value):
        raise Refusal(NOT_FINITE)
    if unit not in UNITS:
        raise Refusal(NOT_UNDERSTOOD)
    return Event(time=at, key=key_of(sent), value=value, unit=unit, labels={"kind": METRIC, **labels_of(labels or {})})


def labels_of(sent: Mapping[Any, Any]) -> dict[str, str]:
    """Return labels with plain names and clean values. Raises Refusal: there are too many, or one is of a result."""
    if len(sent) > MOST_LABELS:
        raise Refusal(NOT_UNDERSTOOD)
    made = {}
    for name, value in sent.items():
        plain = isinstance(name, str) and isinstance(value, str)
        if not plain or not 0 < len(str(name)) <= LONGEST_NAME or not _is_text(f"{name}{value}"):
            raise Refusal(NOT_UNDERSTOOD)
        if (kept := part(str(name))) in IDENTITY:  # whatever it was called: `id!` would be kept as `id`
            raise Refusal(NOT_UNDERSTOOD)
        made[kept] = clean(str(value), LONGEST_VALUE)
    return made


def _is_text(text: str) -> bool:
    """Whether text is whole: JSON can hold halves of surrogate pairs."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
