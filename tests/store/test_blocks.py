"""Blocks of the store: every number comes back bit by bit, and what is not whole is an error, never a shorter one."""

from __future__ import annotations

import hashlib
import struct
import zlib
from fractions import Fraction
from math import inf, isfinite, isnan, nan

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from infratest.errors import StateError
from infratest.store.blocks import MOST, Head, combined, head, hour_of, packed, unpacked

HOUR = 1_764_432_000  # 2025-11-29T16:00:00Z
#: What a machine may put where a number is: all doubles by their bits, NaN with payloads and the signalling one too.
NUMBERS = st.one_of(
    st.floats(),
    st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]),
    st.sampled_from((0.0, -0.0, inf, -inf, nan, 5e-324, 1.7976931348623157e308, 1.0)),
)
TIMES = st.one_of(
    st.integers(0, 3_599_999).map(lambda milliseconds: (HOUR * 1000 + milliseconds) / 1000),
    st.floats(HOUR, HOUR + 3600, exclude_max=True),
    st.sampled_from((float(HOUR), HOUR + 59.999, HOUR + 3599.999)),
)


def bits(points: list[tuple[float, float]]) -> list[tuple[bytes, bytes]]:
    return [(struct.pack("<d", time), struct.pack("<d", value)) for time, value in points]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(points=st.lists(st.tuples(TIMES, NUMBERS), min_size=1, max_size=40))
@example(points=[(HOUR + 1.0, -0.0), (HOUR + 1.0, 0.0), (HOUR + 0.0, nan)])
def test_every_number_comes_back_bit_by_bit(points):
    block = packed(points)
    assert bits(unpacked(block)) == bits(sorted(points, key=lambda point: point[0]))
    finite = [value for _, value in points if isfinite(value)]
    seen = head(block)
    assert (seen.hour, seen.count, seen.finite) == (HOUR, len(points), len(finite))
    if finite:
        assert (seen.least, seen.greatest) == (min(finite), max(finite))
        exact = sum(map(Fraction, finite))
        if abs(exact) < Fraction(2) ** 1023:
            assert abs(Fraction(seen.sum) - exact) <= abs(exact) / 2**52 + Fraction(5e-324)


def test_doubled_and_late_times_are_kept_as_they_came():
    points = [(HOUR + 30.0, 3.0), (HOUR + 10.0, 1.0), (HOUR + 30.0, 2.0), (HOUR + 10.0, 4.0)]
    kept = [(HOUR + 10.0, 1.0), (HOUR + 10.0, 4.0), (HOUR + 30.0, 3.0), (HOUR + 30.0, 2.0)]
    assert unpacked(packed(points)) == kept


@pytest.mark.parametrize(
    "times",
    [[0.0, 0.001], [-0.0, 5.5], [-3600.0, -0.001], [-7200.0], [1e12], [1 / 3], [HOUR + 0.0001], [HOUR + 1e-7]],
)
def test_times_of_any_age_and_fineness(times):
    points = [(time, 1.0) for time in times]
    assert bits(unpacked(packed(points))) == bits(points)


def test_the_format_as_others_read_it():
    """The head is read by struct and the columns by zlib alone, as the module's table says them."""
    block = packed([(HOUR + 0.25, 1.5), (HOUR + 2.0, -2.0), (HOUR + 2.0, inf)])
    fields = struct.unpack_from("<2sBBqIIdddII", block)
    assert fields[:9] == (b"iB", 1, 1, HOUR, 3, 2, -2.0, 1.5, -0.5)
    assert fields[9] == len(block) - 52
    assert fields[10] == zlib.crc32(block[:48] + block[52:])
    columns = zlib.decompress(block[52:])
    steps = b"".join(columns[place:12:3] for place in range(3))
    values = b"".join(columns[12 + place :: 3] for place in range(3))
    assert struct.unpack("<3I", steps) == (250, 1750, 0)
    assert struct.unpack("<3d", values) == (1.5, -2.0, inf)


def drawn(count: int) -> list[float]:
    """Return numbers from 1 to 2 of which each digit is as if by chance, always the same."""
    digests = [hashlib.sha256(b"%d" % each).digest() for each in range(count)]
    return [1 + (int.from_bytes(each[:7], "big") >> 4) / 2**52 for each in digests]


def test_planes_of_chance_as_others_read_them():
    """Digits without a rule stand behind the stream as they are, and the signs and exponents are in it."""
    values = drawn(60)
    points = [(HOUR + 60.0 * each, value) for each, value in enumerate(values)]
    block = packed(points)
    assert block[3] == 1 | 6 << 4
    raw = struct.pack("<60d", *values)
    assert block[-360:] == b"".join(raw[place::8] for place in range(6))
    steps = struct.pack("<60I", 0, *[60_000] * 59)
    columns = b"".join(steps[place::4] for place in range(4)) + raw[6::8] + raw[7::8]
    assert zlib.decompress(block[52:-360]) == columns
    assert unpacked(block) == points


@pytest.mark.parametrize("count, planes", [(60, 6), (257, 0)])
def test_planes_of_many_numbers_or_of_a_rule_are_in_the_stream(count, planes):
    for values, its in ((drawn(count), planes), ([float(each % 7) for each in range(count)], 0), ([0.1] * count, 0)):
        block = packed([(HOUR + float(each), value) for each, value in enumerate(values)])
        assert block[3] >> 4 == its


def test_a_claim_of_more_planes_than_there_are_is_damage():
    block = bytearray(packed([(HOUR + 1.0, 0.1)] * 9))
    for planes in (9, 15):
        block[3] = 1 | planes << 4
        struct.pack_into("<I", block, 48, zlib.crc32(block[:48] + block[52:]))
        with pytest.raises(StateError, match="contradicts itself"):
            unpacked(bytes(block))


def test_times_finer_than_a_millisecond_are_doubles():
    block = packed([(HOUR + 1e-6, 7.0), (HOUR + 1e-6, 7.0)])
    assert block[3] == 0
    columns = zlib.decompress(block[52:])
    assert struct.unpack("<2d", columns[::2]) == struct.unpack("<2d", columns[1::2]) == (HOUR + 1e-6, 7.0)


def test_a_block_that_was_written_before_is_read():
    """Written by the first version, byte by byte: a store of it is readable for ever."""
    block = bytes.fromhex(
        "6942010180182b69000000000200000002000000000000000000f03f00000000000004400000000000000c40"
        "13000000392002a6789c63486078c580063eb0d83b0000207402be"
    )
    assert unpacked(block) == [(HOUR + 0.0, 1.0), (HOUR + 60.0, 2.5)]
    assert head(block) == Head(HOUR, 2, 2, 1.0, 2.5, 3.5)


def whole() -> bytes:
    return packed([(HOUR + second / 4, second * 1.1) for second in range(50)])


@pytest.mark.parametrize("read", [head, unpacked])
def test_a_cut_block_is_an_error_at_every_length(read):
    block = whole()
    for length in range(len(block)):
        with pytest.raises(StateError, match="damaged"):
            read(block[:length])
    with pytest.raises(StateError, match="damaged"):
        read(block + b"\0")
    with pytest.raises(StateError, match="damaged"):
        read(block + block)


def test_every_bit_that_has_turned_is_an_error():
    block = whole()
    for place in range(len(block)):
        for bit in range(8):
            turned = bytearray(block)
            turned[place] ^= 1 << bit
            for read in (head, unpacked):
                with pytest.raises(StateError):
                    read(bytes(turned))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(foreign=st.binary(max_size=200))
def test_what_is_foreign_is_an_error(foreign):
    for text in (foreign, b"iB\1\1" + foreign):
        with pytest.raises(StateError, match="block"):
            unpacked(text)


def forged(columns: bytes, count: int, kind: int = 1, hour: int = HOUR, version: int = 1) -> bytes:
    """Return a block with a checksum that is right, whatever else is in it."""
    begin = struct.pack("<2sBBqIIdddI", b"iB", version, kind, hour, count, count, 0.0, 0.0, 0.0, len(columns))
    return begin + struct.pack("<I", zlib.crc32(begin + columns)) + columns


def test_a_newer_version_is_named_and_not_guessed_at():
    with pytest.raises(StateError, match="version 2 cannot be read by this infratest, which knows version 1"):
        head(forged(zlib.compress(bytes(12)), 1, version=2))


@pytest.mark.parametrize(
    "block, why",
    [
        (forged(zlib.compress(bytes(12)), 1), None),
        (forged(zlib.compress(bytes(11)), 1), "another size than 12 bytes"),
        (forged(zlib.compress(bytes(13)), 1), "another size than 12 bytes"),
        (forged(zlib.compress(bytes(12)), 2), "another size than 24 bytes"),
        (forged(zlib.compress(bytes(12)) + b"x", 1), "another size"),
        (forged(zlib.compress(bytes(12))[:-4], 1), "another size"),
        (forged(b"not of zlib", 1), "not zlib's"),
        (forged(zlib.compress(bytes(12)), 0), "contradicts itself"),
        (forged(zlib.compress(bytes(12)), MOST + 1), "contradicts itself"),
        (forged(zlib.compress(bytes(12)), 1, kind=2), "contradicts itself"),
        (forged(zlib.compress(bytes(12)), 1, hour=HOUR + 1), "contradicts itself"),
        (forged(zlib.compress(bytes(16)), 1, kind=0), "not in its hour"),
        (forged(zlib.compress(b"\xff\xff\xff\xff" + bytes(8)), 1), "not in its hour"),
        (forged(zlib.compress(struct.pack("<d", nan) + bytes(8)), 1, kind=0), "not in its hour"),
        (forged(zlib.compress(struct.pack("<d", HOUR + 5) + bytes(8)), 1, kind=0), None),
    ],
)
def test_what_is_forged_with_a_right_checksum(block, why):
    if why is None:
        assert unpacked(block)[0][1] == 0.0
    else:
        with pytest.raises(StateError, match=why):
            unpacked(block)


def test_times_that_go_back_are_an_error():
    planes = struct.pack("<2d", HOUR + 5, HOUR + 4)
    columns = b"".join(planes[place::8] for place in range(8)) + bytes(16)
    with pytest.raises(StateError, match="not in their order"):
        unpacked(forged(zlib.compress(columns), 2, kind=0))


def test_a_bomb_is_not_unpacked():
    """256 MiB of zeros in 256 KiB: what is made of it is what the head says, and one byte."""
    import tracemalloc

    squeeze = zlib.compressobj()
    bomb = b"".join(squeeze.compress(bytes(2**20)) for _ in range(256)) + squeeze.flush()
    block = forged(bomb, 60)
    tracemalloc.start()
    with pytest.raises(StateError, match="another size"):
        unpacked(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * len(block) + 2**16


@pytest.mark.parametrize(
    "points, why",
    [
        ([], "not 0"),
        ([(HOUR - 0.001, 1.0), (HOUR + 0.0, 1.0)], "not in the hour"),
        ([(HOUR + 0.0, 1.0), (HOUR + 3600.0, 1.0)], "not in the hour"),
        ([(nan, 1.0)], "nan is no time"),
        ([(HOUR + 1.0, 1.0), (nan, 1.0), (HOUR + 2.0, 1.0)], "not in the hour"),
        ([(inf, 1.0)], "inf is no time"),
        ([(1e300, 1.0)], "is no time"),
    ],
)
def test_what_is_not_of_one_hour_is_refused(points, why):
    with pytest.raises(ValueError, match=why):
        packed(points)


def test_more_numbers_than_a_block_holds_are_refused():
    with pytest.raises(ValueError, match=f"1 to {MOST} numbers, not {MOST + 1}"):
        packed([(HOUR + 0.0, 1.0)] * (MOST + 1))


def test_the_hour_of_a_time():
    assert [hour_of(time) for time in (0.0, -0.001, 3599.999, 3600.0, HOUR + 3599.9)] == [0, -3600, 0, 3600, HOUR]


def test_heads_make_the_figures_of_a_day():
    hours = [packed([(HOUR + 3600.0 * hour + 1, value)]) for hour, value in enumerate((2.0, nan, -5.0, inf, 4.5))]
    day = combined([head(block) for block in hours])
    assert day == Head(HOUR, 5, 3, -5.0, 4.5, 1.5)
    assert day.mean == 0.5
    assert combined([head(hours[1])]).mean is None
    with pytest.raises(ValueError, match="no block"):
        combined([])


def test_sums_beyond_all_numbers():
    assert head(packed([(HOUR + 0.0, 1.5e308), (HOUR + 1.0, 1.5e308)])).sum == inf
    assert head(packed([(HOUR + 0.0, 1.5e308), (HOUR + 1.0, 1.5e308), (HOUR + 2.0, -1.5e308)])).sum == 1.5e308
    both = [head(packed([(HOUR + 0.0, sign * 1.5e308), (HOUR + 1.0, sign * 1.5e308)])) for sign in (1, -1)]
    assert isnan(combined(both).sum)


def test_what_an_hour_weighs():
    """Random doubles, the worst there is, at most 11 bytes a number with their times; what hardly moves a fifth."""
    import random

    draw = random.Random(9)
    noise = [(HOUR + 60.0 * minute + draw.randrange(1000) / 1000, draw.random()) for minute in range(60)]
    assert len(packed(noise)) <= 11 * 60
    assert len(packed([(HOUR + 60.0 * minute, 93.0 + minute // 20) for minute in range(60)])) <= 2.2 * 60
