from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.errors import UserError
from infratest.thresholds import Bound
from infratest.units import DIMENSIONS, counted, duration, exact, human, limit, plain, quantity, size


@pytest.mark.parametrize(
    "text, dimension, value",
    [
        ("500 ms", "time", 0.5),
        ("500ms", "time", 0.5),
        ("2 min", "time", 120),
        ("1h", "time", 3600),
        ("1 day", "time", 86400),
        ("14 days", "time", 14 * 86400),
        ("14 d", "time", 14 * 86400),
        ("90 %", "percent", 90),
        ("-5", "count", -5),
        ("+1.5", "count", 1.5),
        ("1 KiB", "size", 1024),
        ("1 kB", "size", 1000),
        ("1.5 GiB", "size", 1.5 * 2**30),
        ("1 TiB", "size", 2**40),
    ],
)
def test_quantity(text, dimension, value):
    assert quantity(text, dimension) == value


@pytest.mark.parametrize(
    "text, dimension",
    [
        ("", "count"), ("ten", "count"), ("5", "time"), ("5 s", "count"), ("5 KB", "size"), ("1e3 s", "time"),
        ("nan", "count"),
        ("inf", "count"), ("--5", "count"), ("1.2.3 s", "time"), ("٣ s", "time"), ("²", "count"), ("5 %", "time"),
        ("1_0", "count"),
        ("9" * 400, "count"),
    ],
)  # fmt: skip
def test_what_is_no_quantity(text, dimension):
    with pytest.raises(UserError, match=r"^value: "):
        quantity(text, dimension)


#: What a number is made of as text, with and without digits that a float would lose.
TEXTS_OF_NUMBERS = st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,22})?", fullmatch=True) | st.sampled_from(
    [
        "9007199254740992",
        "9007199254740993",
        "9007199254740993.0",
        "0.1",
        "0.10000000000000000001",
        "1e3",
        "1000",
        "-0.0",
        "1E-7",
    ]
)


@given(TEXTS_OF_NUMBERS, TEXTS_OF_NUMBERS)
def test_numbers_are_compared_as_they_are_written(value, bound):
    try:
        low = limit(bound, "count")
    except UserError:  # more digits than a float tells apart, or an exponent: refused
        assert "e" in bound.lower() or Decimal(repr(float(bound))) != Decimal(bound)
        return
    for words, holds in {
        "less than": Decimal(value) < Decimal(bound), "at most": Decimal(value) <= Decimal(bound),
        "exactly": Decimal(value) == Decimal(bound), "more than": Decimal(value) > Decimal(bound),
        "at least": Decimal(value) >= Decimal(bound),
    }.items():  # fmt: skip
        assert Bound(words, low).holds(exact(value)) is holds


@pytest.mark.parametrize("text", ["", "1_0", "nan", "inf", "1e400", "0x10", "1 2", "-"])
def test_what_is_no_number(text):
    with pytest.raises(ValueError, match=r"number|convert"):
        exact(text)


def test_a_message_names_what_and_the_units():
    with pytest.raises(UserError, match=r"^within: '5 sec' is not a number with one of ms, s, min, h, days, as 30 s$"):
        duration("5 sec", "within")


@pytest.mark.parametrize("read, text", [(duration, "-1 s"), (size, "-1 B")])
def test_never_less_than_none(read, text):
    with pytest.raises(UserError, match="less than zero"):
        read(text)


def test_sizes_are_whole():
    assert size("1.5 KiB") == 1536
    assert isinstance(size("0.7 KiB"), int)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_plain_is_read_back_as_the_same_number(number):
    text = plain(number)
    assert float(text) == number
    assert set(text) <= set("-0123456789.")


@pytest.mark.parametrize(
    "number, unit, text",
    [
        (0, "s", "0 ms"),
        (0.041, "s", "41 ms"),
        (0.0412, "s", "41.2 ms"),
        (0.9999, "s", "1000 ms"),
        (1.5, "s", "1.5 s"),
        (119, "s", "119 s"),
        (120, "s", "2 min"),
        (90 * 60, "s", "90 min"),
        (14 * 86400, "s", "14 days"),
        (4000 * 86400, "s", "4000 days"),
        (1e-9, "s", "0.000001 ms"),
        (512, "B", "512 B"),
        (1023 * 1024, "B", "1023 KiB"),
        (3.2 * 2**30, "B", "3.2 GiB"),
        (5000 * 2**40, "B", "5000 TiB"),
        (71, "%", "71 %"),
        (71.25, "%", "71.25 %"),
        (12345678, "", "12345678"),
        (0, "", "0"),
    ],
)
def test_human(number, unit, text):
    assert human(number, unit) == text


@given(st.floats(-1e18, 1e18, allow_nan=False), st.sampled_from(["", "s", "B", "%"]))
def test_people_never_see_an_exponent(number, unit):
    assert "e" not in human(number, unit).partition(" ")[0]


def test_every_dimension_has_a_base_unit_of_factor_one():
    assert all(1 in units.values() for units in DIMENSIONS.values())


def test_what_is_counted_is_in_the_singular_once() -> None:
    assert [counted(number, "host") for number in (0, 1, 2)] == ["0 hosts", "1 host", "2 hosts"]
