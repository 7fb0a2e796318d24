"""Which scenarios run: by tags, slug, line and face; which are skipped and why."""

from __future__ import annotations

import pytest

from infratest.errors import FeatureError, UserError
from infratest.gherkin.select import expression, refuse_acting, select, why_skipped
from infratest.gherkin.sentence import ACT
from infratest.gherkin.suite import Feature, Line, Scenario


def scenario(name: str, line: int, *tags: str, acts: bool = False) -> Scenario:
    lines = (Line("when", "When", "it goes", line + 1, None, ACT),) if acts else ()
    return Scenario(
        feature="a.feature", feature_name="A", name=name, line=line, tags=tags, lines=lines, path="a.feature"
    )


ONE = scenario("one", 3, "web", "slow")
TWO = scenario("two", 8, "web", "check")
THREE = scenario("three", 20, "db", "test")
ROWS = [Scenario(feature="b.feature", feature_name="B", name="row", line=n, row=n - 7) for n in (8, 9)]
A = Feature(
    path="a.feature", file="a.feature", name="A", scenarios=(ONE, TWO, THREE),
    places=((1, (0, 1, 2)), (3, (0,)), (8, (1,)), (20, (2,))),
)  # fmt: skip
B = Feature(
    path="b.feature", file="b.feature", name="B", scenarios=tuple(ROWS),
    places=((1, (0, 1)), (8, (0,)), (9, (1,))),
)  # fmt: skip


def chosen(*tags: str, features=(A, B), lines=None, slug=None, face="test") -> list[str]:
    found = select(features, lines or {}, tags=tags, slug=slug, face=face)
    return [one.name + (str(one.row) if one.row else "") for one in found]


def test_faces_leave_each_others_out():
    assert chosen() == ["one", "three", "row1", "row2"]
    assert chosen(face="check") == ["one", "two", "row1", "row2"]


@pytest.mark.parametrize(
    "tags, names",
    [
        (["web"], ["one"]),
        (["@web"], ["one"]),
        (["web or db"], ["one", "three"]),
        (["not web"], ["three", "row1", "row2"]),
        (["web and not slow or db"], ["three"]),
        (["web", "slow"], ["one"]),
        (["(web or db) and not slow"], ["three"]),
    ],
)
def test_tags(tags, names):
    assert chosen(*tags) == names


@pytest.mark.parametrize(
    "lines, names",
    [
        ([3], ["one"]),
        ([7], ["one"]),
        ([20], ["three"]),
        ([999], ["three"]),
        ([1], ["one", "three"]),
        ([20, 4], ["one", "three"]),
    ],
)
def test_lines(lines, names):
    assert chosen(features=[A], lines={"a.feature": lines}) == names


def test_the_line_of_a_row():
    assert chosen(features=[B], lines={"b.feature": [9]}) == ["row2"]


def test_slug():
    assert chosen(slug="three") == ["three"]
    assert chosen(slug="row") == ["row1", "row2"]
    with pytest.raises(UserError, match="unknown scenario 'thre': did you mean 'three'"):
        chosen(slug="thre")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"tags": ["nothing"]}, "--tags 'nothing' selects no scenario of 3: nothing to run"),
        (
            {"tags": ["db"], "face": "check"},
            "the one scenario that --tags 'db' selects is tagged @test, which",
        ),
        ({"slug": "two"}, "the one scenario that --scenario two selects is tagged @check, which"),
        ({"tags": ["db"], "lines": {"a.feature": [3]}}, "--tags 'db' selects no scenario of 3"),
    ],
)
def test_nothing_selected_is_an_error(options, message):
    given = {"lines": {}} | options
    with pytest.raises(UserError, match=message):
        select([A], given.pop("lines"), **given)


@pytest.mark.parametrize("text", ["web and (", "and", "(", "not", "web or", ")"])
def test_no_tag_expression(text):
    with pytest.raises(UserError, match=r"is no tag expression .*; write as 'web and not slow'"):
        expression(text)


@pytest.mark.parametrize("text, holds", [("web,db", True), ("~web", False), ("-web", False), ("web db", False)])
def test_the_older_way_to_write_one(text, holds):
    assert expression(text)(["web"]) is holds


def test_a_tag_with_a_value():
    holds = expression("heal:web and not id:x")
    assert (holds(["heal:web"]), holds(["heal:web", "id:x"]), holds([])) == (True, False, False)


def test_acting_scenarios_are_refused_each_by_its_place():
    refuse_acting([ONE, TWO], "no")
    with pytest.raises(FeatureError) as raised:
        refuse_acting(
            [ONE, scenario("x", 3, acts=True), scenario("y", 9, acts=True)], "a check only looks: tag it @test"
        )
    assert str(raised.value) == (
        "a.feature:3: 'x' may change something, and a check only looks: tag it @test, or declare your step 'it goes' "
        "with @infratest.checks if it only looks\n"
        "a.feature:9: 'y' may change something, and a check only looks: tag it @test, or declare your step 'it goes' "
        "with @infratest.checks if it only looks"
    )


@pytest.mark.parametrize(
    "tags, given, reason",
    [
        ((), (), ""),
        (("wip",), (), "work in progress"),
        (("wip",), ("wip",), ""),
        (("wip",), ("web and @wip",), ""),
        (("wip",), ("web",), "work in progress"),
        (("skip:needs-a_real-disk",), (), "needs a real disk"),
        (("skip:no", "wip"), ("wip",), "no"),
    ],
)
def test_skipped(tags, given, reason):
    assert why_skipped(given)(scenario("s", 1, *tags)) == reason
