"""Numbers of one series in one hour, packed: what the monitor's store keeps of a metric. Pure; called by the store.

A block is a head in clear and two columns, times and values, compressed by zlib. What most questions ask of an hour
(how many, the least, the greatest, the sum) stands in the head, and is read without unpacking anything. Every number
comes back bit by bit: -0.0, infinities, and NaN with its payload; every time as the same float.

    offset  size  what (little-endian)
    0       2     "iB"
    2       1     version, 1
    3       1     bit 0: how the times are written, 0 as doubles, 1 as steps of a millisecond; bits 4 to 7: how many
                  planes of the values, 0 to 8, stand behind the stream as they are
    4       8     hour: seconds since the epoch at which it begins, signed
    12      4     how many numbers
    16      4     how many of them are finite
    20      24    least, greatest and sum of the finite ones, as doubles; 0 where there is none
    44      4     bytes behind the head
    48      4     CRC-32 (zlib's) of the head before it and of all behind it
    52            the times and then the values but for those planes, as one stream of zlib; those planes

Columns are written byte by byte, in planes: the first byte of all numbers, then the second, and so on. Numbers that are
alike have the same sign, exponent and first digits, which zlib then sees as runs (as Blosc's shuffle, and HDF5's, do).
Their last digits are often chance, which zlib makes longer in most of its time: such planes are left as they are.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import fsum, nan
from operator import sub
from struct import Struct, error

from infratest.cleaning import cited
from infratest.errors import StateError

HOUR = 3600
#: Numbers that one block may hold: 291 a second. What is more is refused, and what claims more is damaged.
MOST = 2**20

_MAGIC, _VERSION = b"iB", 1
_HEAD = Struct("<2sBBqIIdddI")
_CHECK = Struct("<I")
_SIZE = _HEAD.size + _CHECK.size
_DOUBLES, _MILLISECONDS = 0, 1
#: Numbers up to which planes are left as they are: one in 15 seconds.
_FEW = 256
#: Bytes of a plane that say whether it looks like chance.
_SAMPLE = 32
#: Seconds from the epoch, to either side, beyond which nothing is a time: milliseconds are exact that far (2^53).
_FAR = 2.0**43
#: A time in seconds since the epoch, and a number.
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a block without unpacking it.

    Args:
        hour: seconds since the epoch at which it begins. count: of the numbers; finite: of those that are neither
        infinite nor NaN. least, greatest, sum: of the finite ones; 0 where there is none.
    """

    hour: int
    count: int
    finite: int
    least: float
    greatest: float
    sum: float

    @property
    def mean(self) -> float | None:
        """The mean of the finite numbers; None where there is none."""
        return self.sum / self.finite if self.finite else None


def hour_of(time: float) -> int:
    """Return when the hour begins that a time is in, in seconds since the epoch.

    Raises:
        ValueError: it is no time.
    """
    if not abs(time) < _FAR:
        raise ValueError(f"{time!r} is no time")
    return int(time // HOUR) * HOUR


def packed(points: Iterable[Point]) -> bytes:
    """Return the block of the numbers of one hour, in the order of their times; equal times stay as they came.

    Raises:
        ValueError: there is none or too many, or they are not of one hour.
    """
    listed = list(points)
    return of_columns([time for time, _ in listed], [value for _, value in listed])[1]


def of_columns(times: list[float], values: list[float]) -> tuple[Head, bytes]:
    """Return head and block of the numbers of one hour, given as two lists of floats of one length; as `packed`.

    Raises:
        ValueError: as `packed`.
    """
    if not 0 < len(times) <= MOST:
        raise ValueError(f"a block holds 1 to {MOST} numbers, not {len(times)}")
    ordered = sorted(times)
    if ordered != times:
        places = sorted(range(len(times)), key=times.__getitem__)
        values = [values[place] for place in places]
        ordered = [times[place] for place in places]
    hour = hour_of(ordered[0])
    if not ordered[-1] < hour + HOUR:
        raise ValueError(f"{ordered[-1]!r} is not in the hour of {ordered[0]!r}")
    kind, steps = _steps(ordered, hour)
    planes = _planes(array("d", values))
    chance = _chance(planes)
    columns = _deflated(b"".join([*_planes(steps), *planes[chance:]])) + b"".join(planes[:chance])
    head = _figures(hour, values)
    figures = (head.count, head.finite, head.least, head.greatest, head.sum)
    begin = _HEAD.pack(_MAGIC, _VERSION, kind | chance << 4, hour, *figures, len(columns))
    return head, begin + _CHECK.pack(zlib.crc32(columns, zlib.crc32(begin))) + columns


def head(block: bytes) -> Head:
    """Return what stands in a block's head.

    Raises:
        StateError: it is no block, one of a newer version, or damaged anywhere.
    """
    return _read(block)[0]


def unpacked(block: bytes) -> list[Point]:
    """Return the numbers of a block with their times, in the order of these: all of them, or an error.

    Raises:
        StateError: as `head`.
    """
    return list(zip(*unpacked_columns(block), strict=True))


def unpacked_columns(block: bytes) -> tuple[list[float], array[float]]:
    """Return times and values of a block; as `unpacked`."""
    known, kind = _read(block)
    times, chance = kind & 1, known.count * (kind >> 4)
    split = known.count * (8 if times == _DOUBLES else 4)
    columns = _inflated(block[_SIZE : len(block) - chance], split + known.count * 8 - chance)
    values = _numbers("d", block[len(block) - chance :] + columns[split:])
    return _times(columns[:split], times, known), values


def combined(heads: Sequence[Head]) -> Head:
    """Return the figures of several blocks together; the hour is the first of them.

    Raises:
        ValueError: there is none.
    """
    if not heads:
        raise ValueError("no block has no figures")
    some = [each for each in heads if each.finite]
    return Head(
        min(each.hour for each in heads),
        sum(each.count for each in heads),
        sum(each.finite for each in heads),
        min((each.least for each in some), default=0.0),
        max((each.greatest for each in some), default=0.0),
        _sum([each.sum for each in some]),
    )


def _read(block: bytes) -> tuple[Head, int]:
    """Return the head of a whole block, and how its times are written."""
    try:
        magic, version, kind, hour, count, finite, least, greatest, total, rest = _HEAD.unpack_from(block)
        (check,) = _CHECK.unpack_from(block, _HEAD.size)
    except error:
        raise _damaged(f"{len(block)} bytes are shorter than a block's head") from None
    if magic != _MAGIC:
        raise _damaged(f"it begins with {cited(block, 2)}, not with {_MAGIC!r}")
    if version != _VERSION:
        raise StateError(
            f"store: a block of version {version} cannot be read by this infratest, which knows version {_VERSION}; "
            "use the one that wrote it, or a newer one"
        )
    if len(block) != _SIZE + rest:
        raise _damaged(f"it has {len(block)} bytes, and its head says {_SIZE + rest}")
    if zlib.crc32(block[_SIZE:], zlib.crc32(block[: _HEAD.size])) != check:
        raise _damaged("its checksum is another")
    whole = not kind & 0x0E and kind >> 4 <= 8 and count * (kind >> 4) <= rest
    if not whole or finite > count or not 0 < count <= MOST or hour % HOUR:
        raise _damaged("its head contradicts itself")
    return Head(hour, count, finite, least, greatest, total), kind


def _steps(times: list[float], hour: int) -> tuple[int, array[float] | array[int]]:
    """Return how times in order are written, and their column: as steps of a millisecond where that loses nothing."""
    try:
        ticks = [round(time * 1000) for time in times]
    except (ValueError, OverflowError):
        raise ValueError(f"NaN or infinity is not in the hour of {times[0]!r}") from None
    # The quotient of whole numbers is the float nearest to it, which is what a time with three digits is read as.
    if [tick / 1000 for tick in ticks] != times or (hour == 0 and 0.0 in times):  # of zero the sign would be lost
        return _DOUBLES, array("d", times)
    return _MILLISECONDS, array("I", map(sub, ticks, [hour * 1000, *ticks[:-1]]))


def _times(raw: bytes, kind: int, known: Head) -> list[float]:
    if kind == _DOUBLES:
        times = list(_numbers("d", raw))
        if not all(earlier <= later for earlier, later in pairwise(times)):
            raise _damaged("its times are not in their order")
    else:
        ticks = accumulate(_numbers("I", raw), initial=known.hour * 1000)
        next(ticks)  # the hour itself
        times = [tick / 1000 for tick in ticks]
    if not (known.hour <= times[0] and times[-1] < known.hour + HOUR):
        raise _damaged("its times are not in its hour")
    return times


def _planes(numbers: array[float] | array[int]) -> list[bytes]:
    """Return the first bytes of all numbers, then the second ones, and so on."""
    if sys.byteorder == "big":
        numbers.byteswap()
    raw, width = numbers.tobytes(), numbers.itemsize
    return [raw[place::width] for place in range(width)]


def _chance(planes: list[bytes]) -> int:
    """Return how many planes, from the first, look like chance; those between the first and the last are not asked.

    Of many numbers a few would say too little: bytes that come again and again in the same order may all be there.
    """
    if len(planes[0]) > _FEW or not _by_chance(planes[0]):
        return 0
    last = len(planes) - 2  # of the last one half is the sign and most of the exponent
    while not _by_chance(planes[last]):
        last -= 1
    return last + 1


def _by_chance(plane: bytes) -> bool:
    """Whether of a few bytes almost as many are different as of bytes that are drawn by chance."""
    few = plane[:: -(-len(plane) // _SAMPLE)]
    return len(set(few)) >= 0.85 * 256 * (1 - (255 / 256) ** len(few))


def _numbers(code: str, planes: bytes) -> array[float]:
    """Return the numbers that `_planes` wrote."""
    numbers: array[float] = array(code)
    raw, width = bytearray(len(planes)), numbers.itemsize
    count = len(planes) // width
    for place in range(width):
        raw[place::width] = planes[place * count : (place + 1) * count]
    numbers.frombytes(raw)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _deflated(columns: bytes) -> bytes:
    """Return columns compressed as any zlib reads them, by tables no larger than the columns need.

    To make those that zlib has by default (256 KiB) takes as long as to compress an hour of 60 numbers.
    """
    bits = min(zlib.MAX_WBITS, max(10, len(columns).bit_length()))
    stream = zlib.compressobj(6, zlib.DEFLATED, bits, zlib.DEF_MEM_LEVEL if len(columns) > 4096 else 5)
    return stream.compress(columns) + stream.flush()


def _inflated(columns: bytes, size: int) -> bytes:
    """Return what is compressed, which has to be of this size: never more of it is made."""
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(columns, size + 1)
    except zlib.error as wrong:
        raise _damaged(f"its columns are not zlib's: {wrong}") from None
    if len(raw) != size or not stream.eof or stream.unused_data:
        raise _damaged(f"its columns have another size than {size} bytes")
    return raw


def _figures(hour: int, values: list[float]) -> Head:
    """Return the head of numbers."""
    try:
        total = fsum(values)
    except (OverflowError, ValueError):
        total = nan
    if total - total == 0:  # one that is not finite would have made the sum so
        return Head(hour, len(values), len(values), min(values), max(values), total)
    finite = [value for value in values if value - value == 0]
    figures = (min(finite), max(finite), _sum(finite)) if finite else (0.0, 0.0, 0.0)
    return Head(hour, len(values), len(finite), *figures)


def _sum(values: list[float]) -> float:
    """Return the sum as exact as a float can be; infinite where it is beyond all floats, NaN where it is unknown."""
    try:
        return fsum(values)
    except (OverflowError, ValueError):  # beyond them on the way; or of sums that are beyond them to both sides
        return sum([value / len(values) for value in values]) * len(values)


def _damaged(why: str) -> StateError:
    return StateError(f"store: a block is damaged: {why}; it is set aside, and what it held is lost")
