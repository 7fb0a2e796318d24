"""Waivers by themselves: what they make of results, and that they never make anything green by accident."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.model import Report, Result, StepResult
from infratest.outputs._perfdata import Range, apply_failed_ranges
from infratest.waivers import Waiver, ends_soon, findings, idle_words, is_finding, waived, wrong

DAY = 86400.0
UNTIL = 100 * DAY
ID = "features/web.feature#nginx-answers"


def waiver(id=ID, until=UNTIL, **more):
    return Waiver(id, "ordered", until, "1970-04-10", file="stack.yaml", line=7, **more)


def result(state, slug="nginx-answers", host="web-1", steps=(), **more):
    return Result(
        f"features/web.feature#{slug}@{host}", "features/web.feature", slug, 3, host, state, "it is shut",
        steps=[StepResult("s", 4, *each) for each in steps or [(state,)]], **more,
    )  # fmt: skip


def report(*results):
    return Report("shop", "", "2026-01-31T12:00:00Z", 0.1, results)


@pytest.mark.parametrize(
    "pattern, covers",
    [
        (ID, True),
        (f"{ID}@web-1", True),
        (f"{ID}@web-2", False),
        ("features/web.feature#*", True),
        ("*", True),
        ("*@web-[0-9]", True),
        ("features/web.feature", False),
        ("nginx-answers", False),
        ("Features/*", False),
        (ID[:-1], False),
    ],
)
def test_which_scenarios_it_is_for(pattern, covers):
    assert waiver(pattern).covers(f"{ID}@web-1") is covers


def test_an_id_with_a_bracket_is_itself():
    assert waiver("features/[old].feature#a").covers("features/[old].feature#a@web-1")


def test_a_failure_is_waived_with_its_reason():
    made = waived(result("critical"), [waiver(by="ops")], UNTIL - 1)
    assert (made.state, made.reason) == ("waived", "waived until 1970-04-10 by ops: ordered; it is shut")
    assert [step.state for step in made.steps] == ["critical"]  # what was seen stays


@pytest.mark.parametrize(
    "given, state",
    [
        (result("warning"), "waived"),
        (result("ok"), "ok"),
        (result("skipped"), "skipped"),
        (result("unknown"), "unknown"),
        (result("unknown", blocked_by="reachable@web-1"), "unknown"),
        (result("critical", steps=[("critical", "shut"), ("unknown", "permission denied")]), "unknown"),
        (result("critical", steps=[("critical", "shut"), ("unknown", "not judged: 'x' does not hold")]), "waived"),
        (Result("reachable@web-1", "", "reachable", 0, "web-1", "critical", "refused"), "critical"),
    ],
)
def test_what_is_waived_and_what_is_not(given, state):
    assert waived(given, [waiver("*")], 0).state == state


@pytest.mark.parametrize("now, state", [(UNTIL - 0.001, "waived"), (UNTIL, "critical"), (UNTIL + DAY, "critical")])
def test_its_last_day_is_the_last(now, state):
    assert waived(result("critical"), [waiver()], now).state == state


def test_one_that_holds_is_taken_behind_one_that_has_expired():
    assert waived(result("critical"), [waiver(until=1), waiver()], 2).state == "waived"
    assert [one.state for one in findings([waiver(until=1), waiver()], [f"{ID}@web-1"], 2)] == ["critical"]


def test_an_expired_one_is_critical_where_its_scenario_is_run():
    (finding,) = findings([waiver(by="ops")], [f"{ID}@web-1", "a.feature#b@-"], UNTIL)
    assert (finding.state, finding.feature, finding.line, finding.host) == ("critical", "stack.yaml", 7, "-")
    assert finding.reason == (
        "it expired at the end of 1970-04-10 (UTC) (by ops): mend what it is for, or decide anew: ordered"
    )
    assert is_finding(finding)
    assert waived(finding, [waiver("*")], 0) == finding
    assert findings([waiver()], ["a.feature#b@-"], UNTIL) == []
    assert findings([waiver()], [f"{ID}@web-1"], UNTIL - 1) == []


def test_one_for_nothing_is_critical_in_every_run():
    words = idle_words(waiver("features/web.feature#nginx-answer"), [f"{ID}@web-1", f"{ID}@web-2"])
    assert words == f"it is for no scenario of the 1 that there are: did you mean {ID}? mend its id, or remove it"
    (finding,) = findings([waiver(idle=words)], [], 0)
    assert (finding.state, finding.reason) == ("critical", words)


@pytest.mark.parametrize(
    "now, soon", [(UNTIL - 7 * DAY - 1, False), (UNTIL - 7 * DAY, True), (UNTIL - 1, True), (UNTIL, False)]
)
def test_a_week_before_it_expires(now, soon):
    assert ends_soon(waiver(), now) is soon
    assert bool(wrong(waiver(), now)) is (now >= UNTIL)


def test_all_waived_is_unknown_and_one_beside_ok_is_ok():
    accepted, good = result("waived"), result("ok", "other")
    assert (report(accepted).state, report(accepted).exit) == ("unknown", 3)
    assert (report(accepted, result("skipped", "s")).exit, report(accepted, good).exit) == (3, 0)
    assert report(accepted, good).counts["waived"] == 1


def test_what_a_waived_one_blocks_is_not_known():
    accepted = result("waived")
    behind = result("unknown", "behind", blocked_by=accepted.id)
    both = report(accepted, behind, result("ok", "other"))
    assert (both.state, both.counts["blocked"], both.counts["unknown"]) == ("unknown", 1, 0)
    assert apply_failed_ranges(both, Range("5"), Range("9")) == ("unknown", 3)


def test_ranges_do_not_count_it():
    both = report(result("waived"), result("ok", "other"))
    assert apply_failed_ranges(both, None, Range("0")) == ("ok", 0)
    assert apply_failed_ranges(report(result("waived")), None, Range("0")) == ("unknown", 3)


STATES = st.sampled_from(["ok", "warning", "critical", "unknown", "skipped"])
WAIVERS = st.lists(
    st.builds(
        waiver, st.sampled_from(["*", f"{ID}*", "*#b@*", "*@web-1", "nobody"]), st.sampled_from([0.5 * DAY, 2 * DAY])
    ),
    max_size=3,
)
RESULTS = st.lists(
    st.builds(lambda state, slug, host: result(state, slug, host), STATES, st.sampled_from("abc"), st.just("web-1")),
    max_size=6,
)


@settings(max_examples=80, deadline=None)
@given(RESULTS, WAIVERS)
def test_never_green_by_accident(results, waivers):
    now = DAY
    after = [waived(each, waivers, now) for each in results]
    wrongs = findings(waivers, [each.id for each in results], now)
    made = report(*wrongs, *after)
    for before, then in zip(results, after, strict=True):
        if before.state in ("ok", "unknown", "skipped"):
            assert then == before
        else:
            assert then.state in (before.state, "waived")
            assert then.steps == before.steps
    if made.state == "ok":
        assert {each.state for each in after} <= {"ok", "waived", "skipped"}
        assert any(each.state == "ok" for each in results)
        assert not wrongs
    if wrongs:
        assert made.exit == 2
    if any(each.state == "unknown" for each in results):
        assert made.exit in (2, 3)
