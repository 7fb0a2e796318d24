"""Moments of reports, against `datetime`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest import rfc3339

MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))


@given(MOMENTS)
def test_our_own_form_is_read_as_datetime_reads_it(moment):
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + f".{moment.microsecond // 1000:03d}Z"
    assert rfc3339.seconds(text) == datetime.fromisoformat(text).timestamp()


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_so_are_the_others(moment, offset):
    there = moment.astimezone(timezone(timedelta(minutes=offset)))
    assert rfc3339.seconds(there.isoformat()) == moment.timestamp()


@given(st.integers(0, 4_000_000_000_000))
def test_what_is_written_is_read_again(milliseconds):
    text = rfc3339.written(milliseconds / 1000 + 0.0001)
    assert rfc3339.seconds(text) == milliseconds / 1000


def test_days_of_leap_years_and_ends_of_months():
    assert rfc3339.seconds("1970-01-01T00:00:00.000Z") == 0
    assert rfc3339.seconds("2000-02-29T12:00:00.500Z") == 951825600.5
    assert rfc3339.seconds("2026-12-31T23:59:59.999Z") == 1798761599.999
    assert rfc3339.written(1798761599.9995) == "2026-12-31T23:59:59.999Z"


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-02-29T12:00:00.000Z", "2026-13-01T12:00:00.000Z", "2026-01-01T24:00:00.000Z",
     "2026-01-31T12:00:00.000", "0000-01-01T00:00:00.000Z", "٢٠٢٦-01-01T00:00:00.000Z"],
)  # fmt: skip
def test_what_is_no_moment_is_an_error(text):
    with pytest.raises(ValueError, match=r"isoformat|time zone|range|must be"):
        rfc3339.seconds(text)
