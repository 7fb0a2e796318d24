"""Dates that come again, by hand: Berlin has no hour from two to three on 2026-03-29, and 2026-10-25 has it twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest import cron
from infratest.errors import UserError

BERLIN = "Europe/Berlin"


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "zone", "after", "dates"),
    [
        ("0 3 * * *", "UTC", "2026-11-29 02:59:59", ["2026-11-29 03:00", "2026-11-30 03:00"]),
        ("0 3 * * *", "UTC", "2026-11-29 03:00:00", ["2026-11-30 03:00"]),
        ("0 3 * * *", BERLIN, "2026-07-01 00:00", ["2026-07-01 01:00"]),
        ("0 3 * * *", BERLIN, "2026-12-01 00:00", ["2026-12-01 02:00"]),
        # Left out: at the end of the hour, once, however many dates are in it.
        ("30 2 * * *", BERLIN, "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:30"]),
        ("15,45 2 * * *", BERLIN, "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:15"]),
        # Twice: the first time alone, and asked from within the second, the next day's.
        ("30 2 * * *", BERLIN, "2026-10-24 12:00", ["2026-10-25 00:30", "2026-10-26 01:30"]),
        ("30 2 * * *", BERLIN, "2026-10-25 01:10", ["2026-10-26 01:30"]),
        # What comes each half hour comes in both.
        ("*/30 * * * *", BERLIN, "2026-10-25 00:10", ["2026-10-25 00:30", "2026-10-25 01:00", "2026-10-25 01:30"]),
        ("0 0 29 2 *", "UTC", "2026-01-01 00:00", ["2028-02-29 00:00", "2032-02-29 00:00"]),
    ],
)
def test_the_dates_that_follow(text, zone, after, dates):
    assert cron.following(text, zone, utc(after), len(dates)) == tuple(utc(date) for date in dates)


@pytest.mark.parametrize(
    ("text", "zone", "at", "date"),
    [
        ("0 3 * * *", "UTC", "2026-11-29 03:00", "2026-11-29 03:00"),
        ("0 3 * * *", "UTC", "2026-11-29 02:59", "2026-11-28 03:00"),
        ("30 2 * * *", BERLIN, "2026-10-25 01:40", "2026-10-25 00:30"),
        ("30 2 * * *", BERLIN, "2026-03-29 01:05", "2026-03-29 01:00"),
    ],
)
def test_the_newest_date(text, zone, at, date):
    assert cron.newest(text, zone, int(utc(at))) == utc(date)


@given(
    st.sampled_from(["*/20 * * * *", "7 */6 * * *", "0 3 * * *", "30 2 * * 0", "5 1 1 * *"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
)
@settings(max_examples=30, deadline=None)
def test_outside_of_changed_hours_the_dates_are_those_that_a_look_at_each_minute_has(text, at):
    """Each minute of the local clock is held against the fields by itself."""
    minute, hour, day, _, weekday = text.split()
    time = at.replace(tzinfo=UTC, second=0, microsecond=0)
    first = cron.following(text, "Asia/Tokyo", at.replace(tzinfo=UTC).timestamp(), 1)[0]
    assert cron.newest(text, "Asia/Tokyo", int(first)) == first
    while True:
        time += timedelta(minutes=1)
        local = time.astimezone(ZoneInfo("Asia/Tokyo"))
        fits = (
            (local.minute % 20 == 0 if minute == "*/20" else local.minute == int(minute))
            and (hour == "*" or (local.hour % 6 == 0 if hour == "*/6" else local.hour == int(hour)))
            and (day == "*" or local.day == int(day))
            and (weekday == "*" or local.isoweekday() % 7 == int(weekday))
        )
        if fits:
            assert time.timestamp() == first
            return


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("0 3 * *", "UTC", r"'0 3 \* \*' is no cron expression \(it has not five fields\); write as '0 2 \* \* 0'"),
        ("0 0 3 * * *", "UTC", "it has not five fields"),
        ("0 25 * * *", "UTC", r"'0 25 \* \* \*' is no cron expression \(Bad hour\)"),
        ("0 0 30 2 *", "UTC", "Bad day-of-month"),
        ("0 3 * * *", "Europe/Berln", "zone: 'Europe/Berln' is not in this machine's table of time zones"),
        ("0 3 * * *", "", "zone: '' is not in this machine's table"),
        ("0 3 * * *", "../../etc/passwd", "is not in this machine's table"),
    ],
)
def test_what_is_no_such_text(text, zone, words):
    with pytest.raises(UserError, match=words):
        cron.check(text, zone)
