"""When a job of cron runs next, by clocks on the wall: every case worked out by hand on a calendar."""

from __future__ import annotations

import pytest

from infratest.facts.cron.schedule import next_run, schedule

MINUTE, HOUR, DAY = 60, 3600, 86_400
#: 29 November 2026 is a Sunday.
NOW = (2026, 11, 29, 6, 25, 30)


@pytest.mark.parametrize(
    ("text", "now", "seconds"),
    [
        ("* * * * *", NOW, 30),
        ("26 6 * * *", NOW, 30),
        ("25 6 * * *", NOW, DAY - 30),  # the minute that has begun has had its run
        ("@hourly", NOW, 34 * MINUTE + 30),
        ("@daily", NOW, 17 * HOUR + 34 * MINUTE + 30),
        ("30 2 * * mon", NOW, 20 * HOUR + 4 * MINUTE + 30),
        ("30 2 * * 7", NOW, 6 * DAY + 20 * HOUR + 4 * MINUTE + 30),
        ("0 0 1 * *", NOW, DAY + 17 * HOUR + 34 * MINUTE + 30),
        ("0 0 13 * fri", NOW, 4 * DAY + 17 * HOUR + 34 * MINUTE + 30),  # either day: Friday, 4 December
        ("0 0 31 12 *", (2026, 12, 31, 0, 0, 0), 365 * DAY),
        ("0 0 29 2 *", (2026, 2, 28, 0, 0, 0), 731 * DAY),  # 2028
        ("0 0 29 2 *", (2096, 2, 29, 0, 0, 0), 2921 * DAY),  # 2100 is no leap year
        ("0 0 31 2 *", NOW, None),
        ("@reboot", NOW, None),
    ],
)
def test_the_next_run_is_that_of_the_calendar(text, now, seconds):
    assert next_run(schedule(text), now) == seconds
