"""Numbers that are not packed yet: what one commit brought for neighbouring series in one hour, as one row. Pure.

    for each number, in the order of their series: 4 bytes, the number of the series
    then for each, in the same order: 8 bytes, the time as a double
    then for each, in the same order: 8 bytes, the value as a double; all little-endian

Numbers that came together mostly come together again, for the same series: then the columns of many parts are joined,
and those of one series are every so-manieth number of them, which is a slice.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from infratest.errors import StoreDamaged

#: How many series are neighbours: a part of them is about a tenth of a page.
STRIPE = 32
_NUMBER, _DOUBLE = 4, 8
_SIZE = _NUMBER + 2 * _DOUBLE

#: Times and values.
Columns = tuple[list[float], list[float]]


def stripe_of(series: int) -> int:
    """Return the stripe that a series is of."""
    return series // STRIPE


def parts(series: list[int], times: list[float], values: list[float]) -> Iterator[tuple[int, bytes]]:
    """Yield stripe and part of numbers that are in the order of their series."""
    numbers, moments, doubles = (_bytes(array(*each)) for each in (("I", series), ("d", times), ("d", values)))
    begin = 0
    while begin < len(series):
        stripe = stripe_of(series[begin])
        end = bisect_left(series, (stripe + 1) * STRIPE, begin)
        eight = slice(begin * _DOUBLE, end * _DOUBLE)
        yield stripe, numbers[begin * _NUMBER : end * _NUMBER] + moments[eight] + doubles[eight]
        begin = end


def columns(bodies: Iterable[bytes], only: int | None = None) -> dict[int, Columns]:
    """Return times and values by series, each in the order in which they came.

    Args:
        only: the series that is asked for; None for all.
    Raises:
        StoreDamaged: one of them is no part.
    """
    alike: dict[bytes, tuple[bytearray, bytearray]] = {}
    for body in bodies:
        count, rest = divmod(len(body), _SIZE)
        if rest or not count:
            raise StoreDamaged(f"store: {len(body)} bytes are no part of open numbers")
        begin, middle = count * _NUMBER, count * (_NUMBER + _DOUBLE)
        times, values = alike.setdefault(body[:begin], (bytearray(), bytearray()))
        times += body[begin:middle]
        values += body[middle:]
    joined: dict[int, Columns] = {}
    for numbers, (times, values) in alike.items():
        series = _array("I", numbers)
        moments, doubles = _array("d", times), _array("d", values)
        for place, one in enumerate(series):
            if only is None or one == only:
                its = joined.setdefault(int(one), ([], []))
                its[0].extend(moments[place :: len(series)])
                its[1].extend(doubles[place :: len(series)])
    return joined


def _bytes(numbers: array[int] | array[float]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _array(code: str, raw: bytes | bytearray) -> array[float]:
    numbers: array[float] = array(code)
    numbers.frombytes(raw)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
