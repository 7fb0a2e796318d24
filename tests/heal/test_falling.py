"""What takes autonomy away over time, by hand: the same problem again, and a budget that is used up again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from infratest.heal.falling import falls_back
from infratest.heal.gates import Try
from tests.worlds.heal_world import NOON, make_rule

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def made(*ago: float, verified: bool = True, rule: str = "mend-web", host: str = "web-1", **more: Any) -> list[Try]:
    """Return tries so many seconds before noon, the oldest first."""
    return [Try(rule=rule, host=host, time=NOON - t, until=NOON - t + 9, verified=verified, **more) for t in ago]


@pytest.mark.parametrize(
    "tries, lost",
    [
        (made(), False),
        (made(50 * MINUTE), False),  # once again is once
        (made(100 * MINUTE, 50 * MINUTE), True),
        (made(3 * HOUR, 2 * HOUR + 59 * MINUTE, 50 * MINUTE), False),  # the one in the middle took longer
        (made(111 * MINUTE, 50 * MINUTE), False),
        (made(110 * MINUTE, 50 * MINUTE), True),
        (made(100 * MINUTE, 61 * MINUTE), False),  # now it took longer
        (made(100 * MINUTE) + made(50 * MINUTE, host="web-2"), False),
        (made(100 * MINUTE) + made(50 * MINUTE, rule="other"), False),
        (made(100 * MINUTE, 99 * MINUTE, verified=False) + made(50 * MINUTE), False),
        # What did not help and what then did are one problem's, from the first of them on.
        (made(2 * HOUR) + made(70 * MINUTE, verified=False) + made(40 * MINUTE), True),
        # Nor does a problem begin with what nobody will ever know of.
        (made(4 * HOUR) + made(205 * MINUTE, verified=False, gone=True) + made(100 * MINUTE, 50 * MINUTE), True),
        (made(3 * HOUR) + made(125 * MINUTE, verified=False, gone=True) + made(50 * MINUTE), False),
        (made(2 * HOUR + 11 * MINUTE) + made(70 * MINUTE, verified=False) + made(40 * MINUTE), False),
    ],
)
def test_the_same_problem_again_within_an_hour_twice(tries: list[Try], lost: bool) -> None:
    why = falls_back(make_rule(tries=9), "web-1", tries, NOON, NOON + 30, 0.0)
    assert bool(why) is lost
    assert not lost or why.startswith("the problem on web-1 came back within 60 min of its heals at 2027-01-15 0")


@pytest.mark.parametrize(
    "tries, lost",
    [
        (made(3 * DAY, 3 * DAY - 60, verified=False), False),
        (made(3 * DAY, 3 * DAY - 60, 2 * DAY, 2 * DAY - 60, verified=False), True),
        (made(3 * DAY, 3 * DAY - 60, 2 * DAY, verified=False), False),
        (made(3 * DAY, 3 * DAY - 60, 3 * DAY - 90, verified=False), False),  # three of two are not used up twice
        (made(8 * DAY, 8 * DAY - 60, 2 * DAY, 2 * DAY - 60, verified=False), False),  # more than a week
        (made(3 * DAY, 3 * DAY - 2 * HOUR, 2 * DAY, 2 * DAY - 2 * HOUR, verified=False), False),  # never used up
    ],
)
def test_a_budget_used_up_twice_within_a_week(tries: list[Try], lost: bool) -> None:
    why = falls_back(make_rule(tries=2, per=HOUR), "web-1", tries, NOON, NOON + 30, 0.0)
    assert bool(why) is lost
    assert not lost or why.startswith("its 2 tries in 60 min on web-1 were used up twice within 7 days, at 2027-01-12")


@pytest.mark.parametrize(
    ("later", "lost"),
    [
        ({"verifying": True}, False),  # it has its time yet, or nobody has seen
        ({"ended": False, "until": NOON + 60}, False),  # it acts
        ({"ended": False, "alive": True}, False),
        ({"gone": True}, False),  # and what nobody will ever know does not either
        ({"ended": False}, True),  # it was cut off
        ({}, True),
    ],
)
def test_a_try_that_may_help_yet_uses_up_nothing(later: dict[str, Any], lost: bool) -> None:
    first, second = made(3 * DAY, 60, verified=False)
    why = falls_back(make_rule(tries=1, per=HOUR), "web-1", [first, replace(second, **later)], NOON, NOON + 30, 0.0)
    assert bool(why) is lost


def test_what_a_person_knew_when_they_granted_it_costs_nothing() -> None:
    tries = made(100 * MINUTE, 50 * MINUTE)
    assert falls_back(make_rule(), "web-1", tries, NOON, NOON + 30, NOON - 101 * MINUTE)
    assert not falls_back(make_rule(), "web-1", tries, NOON, NOON + 30, NOON - 99 * MINUTE)


def test_drills_cost_nothing() -> None:
    drilled = [replace(one, drill=True) for one in made(100 * MINUTE, 50 * MINUTE)]
    assert not falls_back(make_rule(), "web-1", drilled, NOON, NOON + 30, 0.0)
