from __future__ import annotations

import math

import nagiosplugin
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.errors import UserError
from infratest.outputs._perfdata import Range
from infratest.states import CRITICAL, OK, WARNING
from infratest.thresholds import WORDS, Bound, Threshold, threshold

NUMBERS = st.one_of(st.integers(-(10**6), 10**6).map(float), st.floats(-1e6, 1e6, allow_nan=False))


@st.composite
def bounds(draw):
    words = draw(st.sampled_from(sorted(WORDS)))
    if words == "between":
        low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
        return Bound(words, low, high)
    return Bound(words, draw(NUMBERS))


@given(bounds(), NUMBERS)
def test_verdict_and_range_agree_but_at_the_bound_itself(bound, elsewhere):
    ours = Range(bound.range())
    for end in (bound.low, bound.top, elsewhere):
        for value in (math.nextafter(end, -math.inf), end, math.nextafter(end, math.inf)):
            if value >= 0 and not (value == bound.low and bound.words in ("less than", "more than")):
                assert ours.contains(value) == bound.holds(value), (bound, value)


@given(bounds(), NUMBERS)
def test_nagiosplugin_reads_the_range_the_same(bound, value):
    theirs = nagiosplugin.Range(bound.range())
    ours = Range(bound.range())
    for number in (bound.low, bound.top, value):
        assert theirs.match(number) == ours.contains(number)


@pytest.mark.parametrize(
    "words, numbers, dimension, warning, value, state",
    [
        ("less than", ("90 %",), "percent", ("80 %",), 79.9, OK),
        ("less than", ("90 %",), "percent", ("80 %",), 80, WARNING),
        ("less than", ("90 %",), "percent", ("80 %",), 90, CRITICAL),
        ("at most", ("90 %",), "percent", ("80 %",), 80, OK),
        ("at most", ("90 %",), "percent", ("80 %",), 90, WARNING),
        ("at most", ("90 %",), "percent", ("80 %",), 90.1, CRITICAL),
        ("more than", ("7 days",), "time", ("14 days",), 14 * 86400, WARNING),
        ("more than", ("7 days",), "time", ("14 days",), 7 * 86400, CRITICAL),
        ("at least", ("7 days",), "time", ("14 days",), 14 * 86400, OK),
        ("at least", ("7 days",), "time", ("14 days",), 7 * 86400, WARNING),
        ("at least", ("7 days",), "time", ("14 days",), 6 * 86400, CRITICAL),
        ("between", ("1", "9"), "count", ("3", "7"), 3, OK),
        ("between", ("1", "9"), "count", ("3", "7"), 2, WARNING),
        ("between", ("1", "9"), "count", ("3", "7"), 0, CRITICAL),
        ("exactly", ("2",), "count", (), 2, OK),
        ("exactly", ("2",), "count", (), 3, CRITICAL),
        ("less than", ("90 %",), "percent", (), float("nan"), CRITICAL),
    ],
)
def test_judge(words, numbers, dimension, warning, value, state):
    assert threshold(words, numbers, dimension, warning).judge(value)[0] == state


@pytest.mark.parametrize(
    "words, numbers, warning, ranges",
    [
        ("less than", ("90 %",), ("80 %",), ("80", "90")),
        ("more than", ("5 %",), ("10 %",), ("10:", "5:")),
        ("at least", ("14 %",), (), ("", "14:")),
        ("at most", ("14 %",), (), ("", "14")),
        ("between", ("10 %", "20 %"), (), ("", "10:20")),
        ("exactly", ("3 %",), (), ("", "3:3")),
    ],
)
def test_ranges_have_the_sentence_s_own_boundary(words, numbers, warning, ranges):
    assert threshold(words, numbers, "percent", warning).ranges == ranges


def test_a_bound_is_said_as_it_was_written():
    assert str(threshold("less than", ("1234 ms",), "time").critical) == "less than 1.234 s"
    assert str(threshold("at most", ("1001 MiB",), "size").critical) == "at most 1001 MiB"
    assert str(threshold("at least", ("14 days",), "time").critical) == "at least 14 days"
    assert str(threshold("between", ("1", "250000"), "count").critical) == "between 1 and 250000"


def test_what_was_expected_is_said():
    both = threshold("less than", ("90 %",), "percent", ("80 %",))
    assert both.judge(95) == (CRITICAL, "expected less than 90 %")
    assert both.judge(85) == (WARNING, "expected less than 80 % (warning)")
    assert both.judge(1) == (OK, "")


@pytest.mark.parametrize(
    "words, numbers, dimension, warning, message",
    [
        ("less than", ("90 %",), "percent", ("95 %",), "looser"),
        ("at least", ("14 days",), "time", ("7 days",), "looser"),
        ("between", ("1", "9"), "count", ("0", "7"), "looser"),
        ("exactly", ("2",), "count", ("1",), "leave it out"),
        ("less than", ("90 ms",), "percent", (), "not a number with one of %"),
        ("between", ("9", "1"), "count", (), "lower one first"),
        ("under", ("9",), "count", (), "expected one of less than"),
        ("between", ("9",), "count", (), "with its number"),
    ],
)
def test_what_cannot_be_a_threshold(words, numbers, dimension, warning, message):
    with pytest.raises(UserError, match=message):
        threshold(words, numbers, dimension, warning)


@given(bounds(), bounds(), NUMBERS)
def test_the_worse_state_never_hides(critical, warning, value):
    state, expected = Threshold(critical, warning).judge(value)
    assert (state == CRITICAL) == (not critical.holds(value))
    assert (state == OK) == (critical.holds(value) and warning.holds(value))
    assert (expected == "") == (state == OK)
