"""Mistakes that keep a run from beginning: one a line in every output, with its own place where there is one."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from infratest.model import Report
from infratest.outputs._mistakes import Mistake, first_mistakes, mistakes
from infratest.outputs.github import Github
from infratest.outputs.html import Html
from infratest.outputs.junit import Junit
from infratest.outputs.markdown import Markdown

TWO = "features/a b.feature:7: undefined: 'port 80: is'\nstack.yaml:12: hosts.web: unknown key"


def report(problem: str) -> Report:
    return Report("shop", "", "2026-01-31T12:00:00Z", 0.1, [], problem=problem)


@pytest.mark.parametrize(
    "text, words, file, line",
    [
        ("features/a b.feature:7: undefined: x", "undefined: x", "features/a b.feature", 7),
        ("/srv/shop/stack.yaml:12: hosts: no", "hosts: no", "/srv/shop/stack.yaml", 12),
        ("features: no such directory", "features: no such directory", "", 0),
        ("cannot reach 'x:7: y'", "cannot reach 'x:7: y'", "", 0),
        ("web: port 22:7: no", "web: port 22:7: no", "", 0),
    ],
)
def test_a_place_is_told_from_words(text, words, file, line):
    assert mistakes(text) == [Mistake(text, words, file, line)]


def test_there_is_one_for_whatever_a_problem_says():
    assert [len(mistakes(text)) for text in ("", " ", "\n", "a\n\nb\n")] == [0, 1, 1, 2]
    many = first_mistakes("\n".join(f"a.feature:{number}: no" for number in range(1, 54)))
    assert (len(many), many[49].line, many[50].text) == (51, 50, "and 3 more mistakes")


def test_github_annotates_each_where_it_is():
    assert Github().render(report(TWO)).splitlines() == [
        "::error file=features/a b.feature,line=7,title=infratest::undefined: 'port 80: is'",
        "::error file=stack.yaml,line=12,title=infratest::hosts.web: unknown key",
        "UNKNOWN shop: nothing was checked of 0 scenarios",
    ]


def test_markdown_has_a_paragraph_for_each():
    page = Markdown().render(report(TWO))
    assert page.endswith(
        "\n\n> features/a b.feature:7: undefined: 'port 80: is'\n\n> stack.yaml:12: hosts.web: unknown key\n"
    )


def test_junit_has_a_line_for_each_and_a_message_of_the_first():
    error = ElementTree.fromstring(Junit().render(report(TWO)).encode()).find(".//error")
    assert error is not None
    assert error.text == TWO
    assert error.get("message") == "features/a b.feature:7: undefined: 'port 80: is' (and 1 more mistake)"


def test_html_has_a_paragraph_for_each():
    page = Html().render(report(TWO))
    assert [f">{text}</p>" in page for text in TWO.splitlines()] == [True, True]
