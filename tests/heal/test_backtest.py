"""What rules would have done of a time that is over: the real gates, asked of what is on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infratest.heal.backtest import ACTED, Case, Standing, replayed, unknown
from infratest.heal.gates import Seen, Stored
from infratest.hosts import Host
from infratest.stack.declared import PROPOSE, Freeze
from infratest.store.failures import Row
from tests.worlds.heal_world import NOON, make_result, make_rule

HOSTS = {name: Host(name, groups=("web",)) for name in ("web-1", "web-2", "web-3", "web-4")}


def standing(level: str = "auto", proven: bool = True) -> Standing:
    return Standing(hosts=HOSTS, proven=lambda rule: (proven, "drilled"), trusted=lambda rule: (level, "granted"))


def well(*sick: str, time: float = NOON) -> Mapping[str, Stored]:
    return {
        f"f#s@{name}": Seen(host=name, state="critical" if name in sick else "ok", time=time, since=time)
        for name in HOSTS
    }


def case(seconds: float = 0.0, failures: int = 2, host: str = "web-1", began: float = 0.0, **changes: Any) -> Case:
    time = NOON + seconds
    sick = changes.pop("sick", (host,))
    given: dict[str, Any] = {"history": lambda: well(*sick, time=time)} | changes
    row = Row(state="critical", failures=failures, since=NOON + began, last=time)
    return Case(time=time, result=make_result("critical", host), row=row, **given)


def outcome(rule: Any, *cases: Case, at: Standing | None = None) -> tuple[int, dict[str, int], dict[str, int]]:
    tally = replayed(cases, (rule,), at or standing())[rule.name]
    return tally.problems, dict(tally.outcomes), dict(tally.refused)


def test_it_acts_once_in_a_problem_and_again_in_the_next():
    looks = [case(60.0 * number, 1 + number) for number in range(5)]
    later = [case(7200.0 + 60 * number, 1 + number, began=7200.0) for number in range(3)]
    assert outcome(make_rule(), *looks, *later) == (2, {ACTED: 2}, {})


def test_by_the_gates_as_they_are():
    assert outcome(make_rule(confirm=3), case(failures=2)) == (1, {"refused": 1}, {"confirm": 1})
    assert outcome(make_rule(confirm=3), case(failures=2), case(60, failures=3)) == (1, {ACTED: 1}, {})
    many = case(sick=("web-1", "web-2", "web-3"))
    assert outcome(make_rule(at_most=0.3), many) == (1, {"refused": 1}, {"blast radius": 1})
    assert outcome(make_rule(at_most=1.0), many) == (1, {ACTED: 1}, {})
    assert outcome(make_rule(keep=(4, "web")), case()) == (1, {"refused": 1}, {"floor": 1})
    assert outcome(make_rule(when_state="warning"), case()) == (0, {}, {})
    assert outcome(make_rule(), case(host="web-9", sick=())) == (1, {"refused": 1}, {"target": 1})


def test_right_after_an_act_it_waits():
    assert outcome(make_rule(per=3600.0), case(), case(5.0, began=5.0)) == (
        2, {ACTED: 1, "refused": 1}, {"wait": 1},
    )  # fmt: skip


def test_what_a_person_would_have_been_asked():
    assert outcome(make_rule(mode=PROPOSE), case()) == (1, {"proposed": 1}, {})
    assert outcome(make_rule(), case(), at=standing("propose")) == (1, {"proposed": 1}, {})
    assert outcome(make_rule(), case(), at=standing("observe")) == (1, {"would": 1}, {})
    assert outcome(make_rule(mode="observe"), case()) == (1, {"would": 1}, {})
    always = Freeze(window="Mon 00:00 - Sun 23:59 UTC")
    assert outcome(make_rule(freeze=(always,)), case()) == (1, {"proposed": 1}, {})


def test_what_is_on_record_stands_where_nobody_knows_better():
    bare = case(history=None)
    assert outcome(make_rule(), bare) == (1, {ACTED: 1}, {})
    refused = case(history=None, answers={"witness": False, "blast radius": True})
    assert outcome(make_rule(), refused) == (1, {"refused": 1}, {"witness": 1})
    assert outcome(make_rule(), case(answers={"blast radius": False})) == (1, {ACTED: 1}, {}), "it is known better"
    assert unknown([case()]) == ["suppressed", "pause", "witness", "time", "fence", "change"]
    assert "floor" in unknown([bare])
    assert "witness" not in unknown([refused])
