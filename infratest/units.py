"""Numbers with units: durations, sizes and percentages, as features, stack files and options write them.

Called by thresholds, the tail of sentences, the stack file and the command line. On the plugin program's path.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal

#: Dimension -> unit as written -> factor to the base unit. Sizes: IEC 80000-13 (Ki = 1024) and SI (k = 1000).
DIMENSIONS: dict[str, dict[str, float]] = {
    "time": {
        "ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400, "day": 86400, "days": 86400,
        "millisecond": 0.001, "milliseconds": 0.001, "second": 1, "seconds": 1, "minute": 60, "minutes": 60,
        "hour": 3600, "hours": 3600,
    },
    "size": {
        "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
        "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    },
    "percent": {"%": 1},
    "count": {"": 1},
}  # fmt: skip

#: The units as a message lists them: the short forms. The long words of the table above are read, too.
LISTED = {"time": "ms, s, min, h, days", "size": "B, KiB, MiB, GiB, TiB, kB, MB, GB, TB", "percent": "%"}

EXAMPLE = {"time": "30 s", "size": "2 GiB", "percent": "90 %"}

#: The base unit of each dimension, as perfdata writes it.
BASE = {"time": "s", "size": "B", "percent": "%", "count": ""}


#: So many digits of any decimal number come back from a float: C's DBL_DIG.
DIGITS_OF_FLOATS = 15


def split(text: str) -> tuple[str, str]:
    """Return the number and the unit of `90 %`, `500ms`, `2`."""
    text = text.strip()
    end = 0
    while end < len(text) and text[end] in "0123456789+-.":
        end += 1
    return text[:end], text[end:].strip()


def quantity(text: str, dimension: str, what: str = "value") -> float:
    """Return a number with its unit in the base unit of its dimension.

    Args:
        text: as written, `500 ms`. dimension: `time`, `size`, `percent` or `count`. what: named in the error.
    Raises:
        UserError: no number, or a unit that this dimension does not have.
    """
    number, unit = split(text)
    factors = DIMENSIONS[dimension]
    allowed = "a whole or decimal number without a unit"
    if dimension in LISTED:
        allowed = f"a number with one of {LISTED[dimension]}, as {EXAMPLE[dimension]}"
    try:
        value = float(number) * factors[unit]
    except (ValueError, KeyError):
        raise UserError(f"{what}: {text!r} is not {allowed}") from None
    if value - value != 0:  # more digits than a number can have make infinity
        raise UserError(f"{what}: {cited(text, 20)}... is too large")
    return value


def limit(text: str, dimension: str, what: str = "bound") -> float:
    """Return a number that others are compared with, exactly: a whole one as an int, of any size.

    Raises:
        UserError: as `quantity`; or it has more digits than are compared.
    """
    value, (number, unit) = quantity(text, dimension, what), split(text)
    factor = DIMENSIONS[dimension][unit]
    if number.lstrip("+-").isdecimal() and factor == int(factor):
        return int(number) * int(factor)
    if _digits(number) != _digits(repr(float(number))):
        raise UserError(f"{what}: {text!r} has more digits than a decimal number is compared with; write 15 at most")
    return value


def exact(text: str) -> float | Decimal:
    """Return a number that a text is, as it compares with a `limit` as written: a whole one is an int.

    A float keeps 15 digits; what has more, or an exponent, is a Decimal.

    Raises:
        ValueError: it is none.
    """
    text = text.strip()
    if "_" in text or not -1e300 < float(text) < 1e300:
        raise ValueError(f"{cited(text, 40)} is no number")
    whole, _, fraction = text.partition(".")
    if "e" not in text.lower() and not fraction.strip("0") and whole.lstrip("+-"):
        return int(whole)
    if "e" not in text.lower() and len(_digits(text)) <= DIGITS_OF_FLOATS:
        return float(text)
    from decimal import Decimal

    return Decimal(text)


def _digits(number: str) -> str:
    """Return the digits of a number from the first to the last that is not 0."""
    return number.lower().partition("e")[0].replace(".", "").lstrip("+-0").rstrip("0")


def duration(text: str, what: str = "duration") -> float:
    """Return seconds of `500ms`, `10s`, `2 min`, `1h`, `3 days`; never less than none."""
    return _not_negative(quantity(text, "time", what), text, what)


def size(text: str, what: str = "size") -> int:
    """Return bytes of `256MiB`, `1 GB`; never less than none."""
    return int(_not_negative(quantity(text, "size", what), text, what))


def _not_negative(value: float, text: str, what: str) -> float:
    if value < 0:
        raise UserError(f"{what}: {text!r} is less than zero")
    return value


def plain(number: float) -> str:
    """Write a number as perfdata may hold it: digits, sign and point alone, and read back as the same number."""
    if isinstance(number, int) or (number == int(number) and abs(number) < 1e16):
        return str(int(number))
    text = repr(float(number))
    if "e" not in text and "n" not in text:
        return text
    from decimal import Decimal

    return format(Decimal(text), "f")


def human(number: float, unit: str, digits: int = 3) -> str:
    """Write a number in base units for people, with about so many digits: `3.2 GiB`, `41 ms`, `71 %`."""
    if unit == "B":
        for name in ("TiB", "GiB", "MiB", "KiB"):
            factor = DIMENSIONS["size"][name]
            if abs(number) >= factor:
                return f"{_short(number / factor, digits)} {name}"
        return f"{_short(number, digits)} B"
    if unit == "s":
        if abs(number) < 1:
            return f"{_short(number * 1000, digits)} ms"
        for name in ("days", "h", "min"):
            factor = DIMENSIONS["time"][name]
            if abs(number) >= 2 * factor:
                return f"{_short(number / factor, digits)} {name}"
        return f"{_short(number, digits)} s"
    return f"{_short(number, max(digits, 6))} {unit}".strip()


def _short(number: float, digits: int) -> str:
    """Write a number with about so many digits and without an exponent, which people do not read."""
    if isinstance(number, int):
        return str(number)
    if abs(number) >= 10 ** (digits - 1):
        return f"{number:.0f}"
    text = f"{number:.{digits}g}"
    return text if "e" not in text else f"{number:.9f}".rstrip("0").rstrip(".")


def counted(number: int, what: str) -> str:
    """Return a number with what it counts: `1 host`, `2 hosts`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def share(percent: float) -> str:
    """Return a share as people read it: with few digits, but never as a whole number that it only comes near to."""
    for digits in (4, 6, 9, 12):
        text = f"{percent:.{digits}g}"
        if float(text) != int(float(text)) or float(text) == percent:
            return text
    return repr(percent)
