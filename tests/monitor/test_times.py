"""Times as people write them."""

from __future__ import annotations

import pytest

from infratest.errors import UserError
from infratest.monitor.times import instant, past

NOW = 1_795_996_800.0  # 2026-11-30 00:00:00 UTC


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-29 23:00", -3600),
        ("2026-11-29 23:59:30 UTC", -30),
        ("2026-11-29T23:59:30Z", -30),
        ("2026-11-30 00:30+01:00", -1800),
        ("2026-11-29", -86400),
        ("2h", -7200),
        ("90 min ago", -5400),
    ],
)
def test_a_time_that_is_over(text: str, seconds: float):
    assert past(text, NOW) == NOW + seconds


def test_a_time_that_is_to_come():
    assert instant("2h", NOW, 1) == NOW + 7200
    with pytest.raises(UserError, match="still to come"):
        past("2026-11-30 00:01", NOW)


@pytest.mark.parametrize("text", ["", "tomorrow", "25:99", "-5min", "5", "1999-01-01", "2026-13-01", "2h later"])
def test_what_is_none(text: str):
    with pytest.raises(UserError, match="time: "):
        past(text, NOW)
