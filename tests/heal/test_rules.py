"""Which rule is for which result."""

from __future__ import annotations

import pytest

from infratest.errors import UserError
from infratest.heal.healing import covered
from infratest.heal.rules import matches, rule_for
from tests.worlds.heal_world import make_report, make_result, make_rule

WEB = make_rule(name="web", when_tags="@web and not @slow")
ANY = make_rule(name="any", when_tags="@web or @db")
WARN = make_rule(name="warn", when_tags="@web", when_state="warning")
NAMED = make_rule(name="named", when_tags="")
RULES = (WARN, WEB, ANY, NAMED)


DEAF = make_rule(name="deaf", when_tags="@web", when_reason="not listening")
LOST = make_rule(name="lost", when_tags="@web", when_reason="does not exist")


@pytest.mark.parametrize(
    ("state", "reason", "name"),
    [
        ("critical", "port 80 is not listening", "deaf"), ("critical", "the file /x does not exist", "lost"),
        ("critical", "Not listening", None), ("unknown", "no route", "deaf"),
    ],
)  # fmt: skip
def test_of_two_rules_the_one_whose_reason_it_is(state: str, reason: str, name: str | None) -> None:
    result = make_result(state, reason=reason, steps=[])
    found = rule_for(result, (DEAF, LOST))
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    "state, tags, name",
    [
        ("critical", ["web"], "web"),
        ("critical", ["web", "slow"], "any"),
        ("critical", ["db"], "any"),
        ("critical", ["other"], None),
        ("critical", [], None),
        ("warning", ["web"], "warn"),
        ("warning", ["db"], None),
        ("ok", ["web"], None),
        ("skipped", ["web"], None),
        ("critical", ["web", "heal:named"], "named"),
        ("critical", ["heal:any"], "any"),
        ("warning", ["web", "heal:named"], None),
        ("unknown", ["db"], "any"),
    ],
)
def test_named_first_then_the_first_that_fits(state: str, tags: list[str], name: str | None) -> None:
    found = rule_for(make_result(state, tags=tags), RULES)
    assert (found.name if found else None) == name


def test_a_tag_that_names_no_rule_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"web\.feature:7: tag @heal:name: .*did you mean 'named'"):
        rule_for(make_result("critical", tags=["heal:name"]), RULES)


def test_a_wrong_tag_is_an_error_though_its_scenario_is_well() -> None:
    report = make_report([make_result("critical"), make_result("ok", host="web-2", tags=["heal:nothing"])])
    with pytest.raises(UserError, match="@heal:nothing"):
        covered(report, RULES)


def test_two_names_are_an_error() -> None:
    with pytest.raises(UserError, match="names 2 heal rules, @heal:web, @heal:any"):
        rule_for(make_result("critical", tags=["heal:web", "heal:any"]), RULES)


@pytest.mark.parametrize("expression", ["@web and", "(@web", "@web @db", "and"])
def test_an_expression_that_cannot_be_read_names_the_rule(expression: str) -> None:
    with pytest.raises(UserError, match=r"stack\.yaml:12: rule mend-web: tags '.*' is no tag expression"):
        matches(make_rule(when_tags=expression), ["web"])


def test_only_what_is_not_well_is_covered() -> None:
    results = [
        make_result(state, host=state, tags=["db"]) for state in ("ok", "warning", "critical", "unknown", "skipped")
    ]
    assert [(result.host, rule.name) for result, rule in covered(make_report(results), RULES)] == [
        ("critical", "any"),
        ("unknown", "any"),
    ]
