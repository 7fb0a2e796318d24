"""What an answer's Date says of this machine's clock, and what it does not."""

from __future__ import annotations

import pytest

from infratest.providers.cloud.clock import advice

#: Sun, 29 Nov 2026 07:00:00 GMT.
NOW = 1795935600.0
DATE = "Sun, 29 Nov 2026 {} GMT"


@pytest.mark.parametrize(
    "made, words",
    [
        ("07:03:59", ""),
        ("07:04:00", "this machine's clock is 4 min behind the cloud's: set it, as by NTP"),
        ("06:56:01", ""),
        ("06:56:00", "this machine's clock is 4 min ahead of the cloud's: set it, as by NTP"),
        ("04:00:00", "this machine's clock is 3 h ahead of the cloud's: set it, as by NTP"),
    ],
)
def test_clocks_that_differ_by_minutes(made, words):
    assert advice({"date": DATE.format(made)}, NOW) == words


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"date": ""},
        {"date": "yesterday"},
        {"date": "Sun, 99 Nov 2026 07:00:00 GMT"},
        {"date": "Sun, 29 Nov 99999999999 07:00:00 GMT"},
        {"date": DATE.format("04:00:00"), "age": "10800"},  # a cache kept it
    ],
)
def test_what_says_nothing_of_a_clock(headers):
    assert advice(headers, NOW) == ""
