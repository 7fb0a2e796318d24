"""Sentences about several hosts, against a naive oracle: every way in which hosts nobody could ask may turn out.

The oracle counts with fractions and tries all that an unknown host might be; where they do not agree, it is unknown.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.check import Check, Measure, Seen
from infratest.collect.asked import Facts
from infratest.engine.judge import judge
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import (
    APART,
    AT_LEAST,
    AT_MOST,
    AVERAGE,
    EVERY,
    EXACTLY,
    EXACTLY_ONE,
    MAXIMUM,
    MINIMUM,
    NONE,
    TOTAL,
    Tail,
)
from infratest.gherkin.suite import Line
from infratest.hosts import GONE, Host
from infratest.plan.tasks import CheckStep, Look
from infratest.states import CRITICAL, OK, UNKNOWN, WARNING
from infratest.thresholds import Bound, Threshold

ASKED: Need[object] = Need("uptime")
ABSENT, LOST = "absent", "lost"
#: The least and the greatest number that a host may have.
LEAST, MOST = 0, 6


class Numbered(Check):
    """A number of a host, or that it has none."""

    def needs(self):
        return (ASKED,)

    def observe(self, facts):
        value = facts[ASKED]
        if value == ABSENT:
            return Seen(False, "it is not there", absent=True)
        return Seen(True, f"it is {value}", number=value)

    def measure(self):
        return Measure("n", "", LEAST, MOST)


def local(name, **more):
    """This machine, asked by script over a transport, as another host would be."""
    return Host(name=name, transport="fake", options={"otherwise": "run"}, **more)


def verdict(hosts, tail, threshold=None, severity=CRITICAL, check=None):
    """Judge a sentence where the hosts have these numbers."""
    facts, check = Facts(), check or Numbered()
    looks = []
    for place, value in enumerate(hosts):
        facts.at(f"h{place}")[ASKED] = FactError("nobody answers") if value == LOST else value
        looks.append(Look(f"h{place}", f"h{place}", check, check.measure()))
    line = Line("then", "Then", "it is so", 1, None)
    return judge(CheckStep(line, tuple(looks), False, threshold, tail), facts, severity)


def agreed(hosts, instead, state):
    """Return the state that all agree in which the lost hosts may turn out to be in, else unknown."""
    choices = [instead if value == LOST else [value] for value in hosts]
    found = {state(list(each)) for each in product(*choices)}
    return found.pop() if len(found) == 1 else UNKNOWN


def counts(quantifier, count, share, good, hosts):
    """Whether so many of the hosts are enough, and not too many."""
    limit = Fraction(str(count)) * hosts / 100 if share else Fraction(str(count))
    return {
        NONE: good == 0,
        EXACTLY_ONE: good == 1,
        EVERY: good == hosts,
        EXACTLY: good == limit,
        AT_LEAST: good >= limit,
        AT_MOST: good <= limit,
    }[quantifier]


PARTS = st.sampled_from(["0.1", "12.5", "33.3", "33.4", "50", "66.6", "66.7", "75", "80", "99.9", "100"])
COUNTED = st.one_of(
    st.tuples(st.sampled_from([NONE, EXACTLY_ONE, EVERY]), st.just(0), st.just(False)),
    st.tuples(st.sampled_from([EXACTLY, AT_LEAST, AT_MOST]), st.integers(0, 5), st.just(False)),
    st.tuples(st.sampled_from([AT_LEAST, AT_MOST]), PARTS.map(float), st.just(True)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([1, ABSENT, LOST]), min_size=1, max_size=6), COUNTED)
def test_hosts_are_counted(hosts, counted):
    quantifier, count, share = counted

    def state(each):
        good = sum(value == 1 for value in each)
        return OK if counts(quantifier, count, share, good, len(each)) else CRITICAL

    found = verdict(hosts, Tail(quantifier, count, share=share))
    assert found.state == agreed(hosts, [1, ABSENT], state)
    holding = [f"h{place}" for place, value in enumerate(hosts) if value == 1]
    if found.reason and len(holding) <= 5:
        assert f"it holds on {len(holding)} of {len(hosts)}" + (f": {', '.join(holding)}" if holding else "") in (
            found.reason
        )


@pytest.mark.parametrize("thirds, parts, expected", [(2, "66.6", OK), (2, "66.7", CRITICAL), (3, "100", OK)])
def test_a_share_is_counted_exactly(thirds, parts, expected):
    hosts = [1] * thirds + [ABSENT] * (3 - thirds)
    assert verdict(hosts * 333, Tail(AT_LEAST, float(parts), share=True)).state == expected


#: As sentences have them: lower numbers before higher ones.
BOUNDS = st.one_of(
    st.builds(Bound, st.sampled_from(["less than", "more than", "at least", "at most", "exactly"]), st.integers(0, 24)),
    st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda pair: Bound("between", min(pair), max(pair))),
)


def made_of(numbers, quantifier):
    total = sum(map(Fraction, numbers))
    return {
        TOTAL: total,
        AVERAGE: total / len(numbers),
        MINIMUM: Fraction(min(numbers)),
        MAXIMUM: Fraction(max(numbers)),
    }[quantifier]


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.one_of(st.integers(LEAST, MOST), st.sampled_from([LOST, ABSENT])), min_size=1, max_size=3),
    st.sampled_from([TOTAL, AVERAGE, MINIMUM, MAXIMUM]),
    BOUNDS,
)
def test_numbers_are_put_together(hosts, quantifier, bound):
    def state(each):
        if ABSENT in each:
            return CRITICAL
        return OK if bound.holds(made_of(each, quantifier)) else CRITICAL

    # In thirds: of three hosts every average that a whole number can have to beat.
    possible = [*(Fraction(third, 3) for third in range(3 * LEAST, 3 * MOST + 1)), ABSENT]
    found = verdict(hosts, Tail(quantifier), Threshold(bound))
    assert found.state == agreed(hosts, possible if hosts.count(LOST) < 2 else [*possible[::3], ABSENT], state)
    whole, *each = found.observations
    assert whole.name == f"n {quantifier}"
    assert [one.name for one in each] == [f"h{place}: n" for place in range(len(hosts))]
    assert all(not one.critical for one in each)
    known = LOST not in hosts and ABSENT not in hosts
    assert whole.value == (pytest.approx(float(made_of(hosts, quantifier))) if known else None)


class Between(Numbered):
    """A number of a host, which is known to be between two."""

    def observe(self, facts):
        value = facts[ASKED]
        if value == ABSENT:
            return Seen(False, "it is not there", absent=True)
        return Seen(True, "", number=value[0], most=value[1])


RANGES = st.tuples(st.integers(0, 8), st.integers(0, 2)).map(lambda pair: (pair[0], sum(pair)))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(RANGES, st.just(ABSENT)), max_size=3), st.booleans(), BOUNDS.filter(lambda bound: bound.top > 0)
)
def test_numbers_that_are_apart(known, one_more, bound):
    hosts = [*known, LOST] if one_more or not known else known

    def state(each):
        if ABSENT in each:
            return CRITICAL
        return OK if bound.holds(max(each) - min(each)) else CRITICAL

    lost = [*range(-25, 36), ABSENT]
    choices = [
        lost if value == LOST else [value] if value == ABSENT else range(value[0], value[1] + 1) for value in hosts
    ]
    found = {state(list(each)) for each in product(*choices)}
    expected = found.pop() if len(found) == 1 else UNKNOWN
    if ABSENT not in hosts and (len(hosts) == 1 or set(hosts) == {LOST}):
        expected = UNKNOWN  # one alone is not apart, and of none nothing is known
    assert verdict(hosts, Tail(APART), Threshold(bound), check=Between()).state == expected


def test_a_warning_value_is_of_what_the_numbers_come_to():
    limits = Threshold(Bound("at most", 10), Bound("at most", 5))
    assert verdict([3, 4], Tail(TOTAL), limits).state == WARNING
    assert verdict([3, 2], Tail(TOTAL), limits).state == OK
    assert verdict([6, 5], Tail(TOTAL), limits, severity=WARNING).state == WARNING


def test_an_average_is_exact_at_its_bound():
    tenths = [0.1] * 10
    assert verdict(tenths, Tail(TOTAL), Threshold(Bound("at least", 1))).state == OK
    assert verdict(tenths, Tail(TOTAL), Threshold(Bound("at most", 1))).state == OK


@pytest.mark.parametrize(
    "hosts, tail, bound, words",
    [
        ([1, 5, 2], Tail(TOTAL), Bound("at most", 7), "in total 8: h1 5, h2 2, h0 1; expected at most 7"),
        ([1, ABSENT], Tail(AVERAGE), Bound("at most", 7), "there is no number of h1: it is not there"),
        ([6, LOST], Tail(TOTAL), Bound("less than", 6), "which no number of h1 can mend"),
        (
            [5, LOST],
            Tail(TOTAL),
            Bound("less than", 6),
            "known of 1 of 2 hosts, 1 could not be asked: uptime could not",
        ),
    ],
)
def test_what_is_said_of_numbers(hosts, tail, bound, words):
    assert words in verdict(hosts, tail, Threshold(bound)).reason


def test_hosts_that_cannot_be_asked(ran):
    """On hosts that are asked by script over a transport, and one that is gone."""
    hosts = [local("a", groups=("app",)), local("b", groups=("app",)), local("c", groups=("app", "db"), state=GONE)]
    report = ran(
        """
        Feature: f
          Scenario: enough
            Then the file "/etc/passwd" exists on at least 60 % of the hosts
          Scenario: not enough
            Then the file "/etc/passwd" exists on at least 70 % of the hosts in "app"
          Scenario: too many
            Then the file "/etc/passwd" exists on at most 1 host
          Scenario: every
            Then the file "/etc/passwd" exists on all hosts
          Scenario: none
            Then the file "/etc/passwd" exists on no host in "db"
          Scenario: sum
            Then the file "/etc/passwd" is at least 2 B in size in total over all hosts
          Scenario: great
            Then the file "/etc/passwd" is at most 20 B in size in total over all hosts in "app"
          Scenario: others
            Given the host "a"
            Then the file "/etc/passwd" is at least 20 B in size, named "a b" in total over all hosts
            And the file "/nonexistent" is at least 0 B in size on average over all hosts
        """,
        hosts=hosts,
    )
    states = {result.scenario: (result.state, result.blocked_by) for result in report.results}
    assert states == {
        "reachable": (CRITICAL, None),
        "enough": (OK, None),
        "not enough": (UNKNOWN, "reachable@c"),
        "too many": (CRITICAL, None),
        "every": (UNKNOWN, "reachable@c"),
        "none": (UNKNOWN, "reachable@c"),
        "sum": (UNKNOWN, "reachable@c"),
        "great": (CRITICAL, None),
        "others": (CRITICAL, None),
    }
    assert report.cost.round_trips == 2
    steps = {result.scenario: result.steps for result in report.results}
    assert steps["enough"][0].reason == "it holds on 2 of 3: a, b"
    assert [one.name for one in steps["others"][1].observations] == ["a b", "a: a b"]
    assert "there is no number of a: the file" in steps["others"][2].reason


def test_one_name_is_of_one_number(ran):
    report = ran(
        """
        Feature: f
          Scenario: one
            Given the host "a"
            Then the load is at most 900 on average over all hosts
          Scenario: other
            Given the host "b"
            Then the load is at most 900 on average over all hosts
          Scenario: in a group
            Then the load is at most 900 on average over all hosts in "g"
        """,
        hosts=[local("a"), local("b", groups=("g",))],
    )
    assert [result.state for result in report.results] == [OK, UNKNOWN, OK]
    assert "other hosts have a number of this name" in report.results[1].reason


def test_an_act_on_the_hosts_of_a_group(ran, tmp_path):
    mark = tmp_path / "mark"
    report = ran(
        f"""
        Feature: f
          Scenario: s
            When the command "echo {{host.name}} >>{mark}" is run on all hosts in "g"
            Then the command "cat {mark}" prints "b" on "a"
        """,
        hosts=[local("a"), local("b", groups=("g",)), local("c", groups=("g",))],
    )
    assert report.state == OK, report.results[0].reason
    assert sorted(mark.read_text().split()) == ["b", "c"]
