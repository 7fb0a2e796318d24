"""How a number is written beside the verdict on it: few digits, and never a number that is judged otherwise."""

from __future__ import annotations

import pytest

from infratest.engine.judge import written
from infratest.thresholds import threshold


@pytest.mark.parametrize(
    "number, unit, bound, expected",
    [
        (71.23456789, "%", ("less than", "90 %", "percent"), 71.23),
        (89.996, "%", ("less than", "90 %", "percent"), 89.996),
        (89.9999996, "%", ("less than", "90 %", "percent"), 89.9999996),
        (90.001, "%", ("at most", "90 %", "percent"), 90.001),
        (90.0000000001, "%", ("at most", "90 %", "percent"), 90.0000000001),
        (89.996, "%", None, 90.0),
        (0.1234567890, "s", ("less than", "1 s", "time"), 0.123457),
        (0.4999999, "s", ("less than", "500 ms", "time"), 0.4999999),
        (0.5000001, "s", ("less than", "500 ms", "time"), 0.5),
        (0.0000002, "", ("less than", "0.0000001", "count"), 0.0000002),
        (None, "%", None, None),
    ],
)
def test_a_number_is_written_as_it_was_judged(number, unit, bound, expected):
    judged = bound and threshold(bound[0], (bound[1],), bound[2])
    assert written(number, unit, judged) == expected
    if judged:
        assert judged.judge(expected) == judged.judge(number)


def test_what_is_no_number_is_written_as_that():
    assert written(float("nan"), "%", None) != 0
