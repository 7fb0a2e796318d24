"""Rules against each other: what `heal lint` tells without a run, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from infratest.heal.contradictions import Case, contradictions
from infratest.stack.declared import HealRule
from tests.worlds.heal_world import make_hosts, make_rule

HOSTS = make_hosts("web-1", "web-2") | make_hosts("db-1", groups=("data",))


def case(name: str, host: str = "web-1", *tags: str, says: str = "", no: bool = False) -> Case:
    claims = ((says, no),) if says else ()
    return Case(where=f"features/web.feature:{len(name)}", name=name, host=host, tags=tags or ("web",), claims=claims)


def rule(name: str, **changes: Any) -> HealRule:
    return make_rule(name=name, where=f"stack.yaml:{len(name)}", **changes)


TOUCHES, REMOVES = rule("a", do=(("run", "touch /run/flag"),)), (("run", "rm -f /run/flag"),)
WEB = [case("answers"), case("answers", "web-2")]


def test_rules_that_are_well_have_nothing_said_of_them() -> None:
    a = rule("a", do=(("restart-service", "nginx"), ("provision", {})), keep=(1, "web"))
    b = rule("bb", when_tags="@db", do=(("run", "systemctl stop nginx"),))
    assert contradictions([a, b], HOSTS, [*WEB, case("queries", "db-1", "db")]) == []


@pytest.mark.parametrize(
    "rules, cases, said",
    [
        (
            [rule("a"), rule("bb", when_tags="@web and not @slow")],
            WEB,
            ["stack.yaml:2: rule bb: do: no rung is ever reached: all 2 results that it is for are healed by a, before "
             "it; put it first, or narrow the `when` there"],
        ),
        ([rule("a"), rule("bb", when_state="warning")], WEB, []),
        ([rule("a", when_reason="not listening"), rule("bb", when_reason="certificate"), rule("ccc")], WEB, []),
        (
            [rule("a", when_reason="certificate"), rule("bb", when_reason="the certificate has expired")],
            WEB,
            ["stack.yaml:2: rule bb: do: no rung is ever reached: all 2 results that it is for are healed by a, before "
             "it; put it first, or narrow the `when` there"],
        ),
        (
            [rule("a", when_reason="not listening", do=(("run", "touch /run/flag"),)),
             rule("bb", when_reason="certificate", do=REMOVES)],
            [case("flag")],
            ["stack.yaml:2: rule bb: do[0]: undoes do[0] of rule a: /run/flag is stopped or removed here and started "
             "or made there; let one rule have both"],
        ),
        ([rule("a", do=(("provision", {}), ("reboot", {}), ("page", "oncall")), tries=2)], WEB, []),
        ([rule("a"), rule("bb")], [*WEB, case("named", "web-1", "web", "heal:bb")], []),
        (
            [rule("a", do=(("provision", {}),) * 3, tries=2)],
            WEB,
            ["stack.yaml:1: rule a: do[2]: provision is not reached within 60 min: the budget is used up after 2 "
             "tries; allow 3, or shorten the ladder"],
        ),
        (
            [rule("a", do=(("provision", {}),) * 2, settles=(None, 1800.0), tries=2)],
            WEB,
            ["stack.yaml:1: rule a: budget: is never used up: do[1] has 30 min to take effect, and 2 times that is no "
             "less than 60 min; take a `per` of more than 60 min, or fewer tries"],
        ),
        ([rule("a", do=(("provision", {}),) * 2, settles=(1800.0, 1799.0), tries=2)], WEB, []),
        (
            [rule("a", keep=(2, "web"))],
            WEB,
            ["stack.yaml:1: rule a: keep.hosts: every rung is forbidden: 2 others of group web must stay well, and "
             "there are 1"],
        ),
        ([rule("a", keep=(2, "web"), when_tags="@db")], [case("queries", "db-1", "db")], []),
        (
            [rule("a", keep=(1, "wbe"))],
            WEB,
            ["stack.yaml:1: rule a: keep.of: every rung is forbidden: unknown group 'wbe': did you mean 'web'? known "
             "are web, data"],
        ),
        (
            [rule("a", do=(("restart-service", {"unit": "nginx"}),)),
             rule("bb", when_tags="@page", do=(("provision", {}), ("run", "systemctl --now stop nginx.service")))],
            [*WEB, case("page", "web-2", "page")],
            ["stack.yaml:2: rule bb: do[1]: undoes do[0] of rule a: nginx is stopped or removed here and started "
             "or made there; let one rule have both"],
        ),
        (
            [TOUCHES, rule("bb", when_tags="@page", do=REMOVES)],
            [case("flag"), case("page", "web-1", "page")],
            ["stack.yaml:2: rule bb: do[0]: undoes do[0] of rule a: /run/flag is stopped or removed here and started "
             "or made there; let one rule have both"],
        ),
        (  # on hosts of their own they do not meet
            [TOUCHES, rule("bb", when_tags="@db", do=REMOVES)],
            [case("flag"), case("queries", "db-1", "db")],
            [],
        ),
        (
            [rule("a"), rule("bb", when_tags="@page")],
            [case("up", says="nginx runs"), case("maintenance", "web-1", "page", says="nginx runs", no=True)],
            ["stack.yaml:2: rule bb: when: heals 'maintenance' (features/web.feature:11), which denies "
             "'up' (features/web.feature:2) of rule a: each heal turns the other red"],
        ),
        (
            [rule("a")],
            [case("up", says="nginx runs"), case("maintenance", says="nginx runs", no=True)],
            ["stack.yaml:1: rule a: when: heals 'maintenance' (features/web.feature:11), which denies "
             "'up' (features/web.feature:2) of rule a: each heal turns the other red"],
        ),
    ],
)  # fmt: skip
def test_what_is_said(rules: list[HealRule], cases: list[Case], said: list[str]) -> None:
    assert contradictions(rules, HOSTS, cases) == said
