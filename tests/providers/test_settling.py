"""When an answer that may be an old word is believed."""

from __future__ import annotations

import pytest

from infratest.providers._settling import Settling


def believed(settling: Settling, *answers: tuple[float, float]) -> list[bool]:
    """Return what comes of answers, each with the moments at which it was asked for and given."""
    return [settling.said(asked, answered) for asked, answered in answers]


def test_where_listings_do_not_lag_the_first_answer_is_believed() -> None:
    assert believed(Settling(0.0), (0.0, 90.0)) == [True]


def test_it_is_said_for_as_long_as_a_listing_may_lag_from_the_first_answer() -> None:
    answers = ((0.0, 4.0), (5.0, 5.2), (7.0, 7.2), (8.9, 9.1), (9.1, 9.3))
    assert believed(Settling(5.0), *answers) == [False, False, False, False, True]


def test_answers_too_far_apart_are_no_row() -> None:
    """A cloud that refused to answer for ten seconds may have shown it meanwhile, and have forgotten it anew."""
    answers = ((0.0, 0.2), (1.0, 11.2), (11.3, 11.5), (13.0, 13.2), (15.0, 15.2), (16.2, 16.4))
    assert believed(Settling(5.0), *answers) == [False, False, False, False, False, True]


def test_where_listings_lag_for_less_than_a_call_takes_answers_are_a_row_all_the_same() -> None:
    assert believed(Settling(0.3), (0.0, 0.5), (0.75, 1.25), (1.5, 2.0)) == [False, False, True]


def test_what_comes_late_is_waited_for_however_long_a_listing_takes() -> None:
    """Where listings do not lag there is nothing that they forget anew: a listing may take longer than the wait."""
    assert believed(Settling(0.0, at_least=2.0), (0.0, 9.0), (9.25, 19.0)) == [False, False]
    assert believed(Settling(0.0, at_least=2.0), (0.0, 9.0), (11.0, 29.0)) == [False, True]


@pytest.mark.parametrize("lag", [0.5, 2.0, 5.0, 30.0])
def test_looks_follow_each_other_closely_enough_to_be_a_row(lag: float) -> None:
    """Each call takes 300 ms; the fourth is refused for a minute. What is said comes to be believed, soon after."""
    settling, now, end = Settling(lag), 0.0, 0.0
    for number in range(100):
        asked, now = now, now + (60.0 if number == 3 else 0.3)
        end = now if number == 3 else end
        if settling.said(asked, now):
            break
        now += settling.pause(now)
    assert now <= (end or 0.0) + lag + 1.0
