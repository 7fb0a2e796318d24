"""`FEATURE:LINE`: which scenarios each line of a feature belongs to."""

from __future__ import annotations

import pytest

from infratest.gherkin.select import select

#: Each line of a feature, and the scenarios that it means: `*` all of the feature.
LINES = [
    ("# about the feature", "*"),
    ("@shop", "*"),
    ("Feature: the shop", "*"),
    ("  As it stands.", "*"),
    ("", "*"),
    ("  # before anything", "*"),
    ("  Background:", "*"),
    ("    Given port 1 is listening", "*"),
    ("", "*"),
    ("  Scenario: first", "first"),
    ("    In words.", "first"),
    ("    Then port 2 is listening", "first"),
    ("", "first"),
    ("  # of the second", "second"),
    ("  @slow", "second"),
    ("  # still", "second"),
    ("  @late", "second"),
    ("  Scenario: second", "second"),
    ("    Then port 3 is listening", "second"),
    ("  @rows", "4 5 6"),
    ("  Scenario Outline: port <p>", "4 5 6"),
    ("    For all of them.", "4 5 6"),
    ("    Then port <p> is listening", "4 5 6"),
    ("", "4 5 6"),
    ("    @some", "4 5"),
    ("    Examples: some", "4 5"),
    ("      | p |", "4 5"),
    ("      | 4 |", "4"),
    ("      # the other", "5"),
    ("      | 5 |", "5"),
    ("    Examples: more", "6"),
    ("      | p |", "6"),
    ("      | 6 |", "6"),
    ("", "6"),
    ("  @ruled", "ruled last"),
    ("  Rule: they hold", "ruled last"),
    ("    In words.", "ruled last"),
    ("    Background:", "ruled last"),
    ("      Given port 7 is listening", "ruled last"),
    ("    Scenario: ruled", "ruled"),
    ("      Then port 8 is listening", "ruled"),
    ("    Example: last", "last"),
    ("      Then port 9 is listening", "last"),
]
EVERY = "first second 4 5 6 ruled last"


@pytest.mark.parametrize("number", range(1, len(LINES) + 1))
def test_a_line_means_what_it_belongs_to(parsed, number):
    made = parsed("\n".join(line for line, _ in LINES) + "\n")
    wanted = LINES[number - 1][1].replace("*", EVERY)
    chosen = select([made], {"x.feature": [number]})
    assert " ".join(one.name.removeprefix("port ") for one in chosen) == wanted


def test_several_lines_in_the_order_of_the_feature(parsed):
    made = parsed("\n".join(line for line, _ in LINES) + "\n")
    chosen = select([made], {"x.feature": [30, 12, 43]})
    assert [one.name for one in chosen] == ["first", "port 5", "last"]
