"""`settle:` of a rung, the time that it has to take effect: within the act, and over as many checks as it takes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain, repeat
from math import inf
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import HealError, StateError, Unreachable
from infratest.heal import verifying
from infratest.heal.audit import Audit
from infratest.heal.gates import Limits
from infratest.heal.healing import heal
from infratest.heal.means import Pager
from infratest.heal.records import HealRecord, note
from infratest.hosts import Host
from infratest.model import Report
from infratest.remedies.base import Power, Replacing
from infratest.stack.declared import HealRule
from infratest.store.directory import StateDir
from infratest.transports.base import Transport
from tests.worlds.heal_world import (
    QUICK,
    World,
    closed,
    ending_with_the_act,
    events,
    make_hosts,
    make_report,
    make_result,
    make_rule,
    open_local,
    result_id,
    run,
)


def test_a_successor_is_given_the_time_of_its_rung(world: World, state: StateDir) -> None:
    looks = chain(["critical", "critical"], repeat("ok"))

    def replaced(keep: float, arrived: object, proven: Callable[[float], str], deadline: Deadline) -> str:
        if why := proven(deadline.left):
            raise HealError(f"its successor is no better: {why}")
        return "it was replaced"

    means = world.means(
        rerun=lambda ids: make_report([make_result(next(looks))]),
        replacing=lambda name: Replacing(fenced=lambda deadline: (True, "stopped"), replace=replaced),
    )
    rule = make_rule(do=(("replace", {}),), settles=(60.0,))
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert (record.error, record.verified) == ("", True)


#: Five minutes for its first rung, and what is stronger after it.
RULE = make_rule(do=(("provision", {}), ("provision", {}), ("page", {})), settles=(300.0, None, None), tries=1)


def begun(world: World, state: StateDir, rule: HealRule = RULE) -> None:
    """Heal in a check that has no time left once it has acted, and does not see that it helped."""
    world.helps, world.limits = False, Limits(settle=10.0)
    world.now += 60
    means = world.means(deadline=ending_with_the_act(world))
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert record.ending == "verifying"
    world.on_act, world.limits = lambda name: None, QUICK


def test_a_rung_that_has_time_yet_is_not_judged_by_a_red_check_and_nothing_else_is_done(
    world: World, state: StateDir
) -> None:
    begun(world, state)
    told: list[str] = []
    pager = Pager(receivers=lambda to: ["oncall"], deliver=lambda result, name, deadline: told.append(name))
    for _ in range(4):  # one to four minutes later
        world.now += 60
        (record,) = heal(world.report(), [RULE], state, world.means(page=pager), history={})
        assert (record.outcome, "settling" in closed(record)) == ("refused", True)
        assert note([record]) == [
            "not healed: what was done has until 2027-01-15 08:06:00 UTC to take effect; "
            "a check after that tells whether it helped"
        ]
    assert (len(world.acts), world.lost, told, "failed" in events(state)) == (1, [], [], False)
    world.now += 60
    verdict, record = heal(world.report(), [RULE], state, world.means(page=pager), history={})
    assert (verdict.ending, verdict.paged, verdict.later) == ("failed", "", True)  # a stronger rung is left
    assert (closed(record), told, len(world.lost), events(state).count("failed")) == (["budget"], ["oncall"], 1, 1)


def test_the_end_of_a_ladder_is_told_as_a_later_check_finds_it(world: World, state: StateDir) -> None:
    world.helps, world.limits, told = False, Limits(settle=0.0, looking=0.0), list[str]()
    pager = Pager(receivers=lambda to: ["oncall"], deliver=lambda result, name, deadline: told.append(name) or "")
    rule = replace(RULE, settles=(1800.0, 1800.0, None), tries=2)  # so that its budget is never used up
    lines = []
    for _ in range(4):
        world.now += 1800
        lines += note(heal(world.report(), [rule], state, world.means(page=pager), history={}))
    assert (
        lines[1]
        == "verifying: provision is done, the next check tells whether it helped; before it provision did not help"
    )
    assert lines[2].endswith("tells whether it helped; page: oncall was told; before it provision did not help")
    assert (told, len(world.acts), "page" in lines[3]) == (["oncall"], 4, False)
    assert [one["value"] for one in state.read("events.jsonl")] == ["verifying"] + 3 * ["failed", "verifying"]


@pytest.mark.parametrize(("drilled", "expected"), [("", ["oncall"]), ("mend-web", [])])
def test_an_end_that_nobody_could_see_is_told_too_and_that_of_a_drill_is_not(
    world: World, state: StateDir, drilled: str, expected: list[str]
) -> None:
    world.helps, world.limits, told = False, Limits(settle=10.0), list[str]()
    rule, means = (
        replace(RULE, do=(("provision", {}),)),
        world.means(drilled=drilled, deadline=ending_with_the_act(world)),
    )
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert record.ending == "verifying"
    world.look, world.now = lambda host: make_result("unknown"), world.now + 5000
    pager = Pager(receivers=lambda to: ["oncall"], deliver=lambda result, name, deadline: told.append(name) or "")
    heal(world.report(), [rule], state, world.means(page=pager), history={})
    assert (told, verifying.pending(state, "shop/prod")) == (expected, {})


def test_who_comes_again_by_itself_does_not_look_for_hours(world: World, state: StateDir) -> None:
    world.helps, world.limits = False, Limits(settle=0.0, looking=0.0)
    (record,) = run(world, state, RULE)
    assert (record.ending, len(world.looks)) == ("verifying", 1)
    (record,) = run(world, state, RULE)
    assert (closed(record), world.lost) == (["settling", "budget"], [])
    world.sick.clear()
    assert note(run(world, state, RULE)) == ["healed: provision, was CRITICAL"]


def test_neighbours_have_the_hours_of_the_rung_too_and_nobody_waits_for_them(world: World, state: StateDir) -> None:
    beside, rule = result_id("web-1", "beside"), replace(RULE, neighbours="@web")
    world.limits = Limits(settle=0.0, looking=0.0)

    def rerun(ids: Sequence[str]) -> Report:
        worse = bool(world.acts)
        return make_report([make_result("critical" if worse and id == beside else "ok", id=id) for id in ids])

    means = world.means(rerun=rerun, neighbours=lambda rule: [beside])
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert record.ending == "verifying"
    world.now += 60
    assert heal(world.report(), [rule], state, means, history={}) == []
    world.now += 300
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert record.worse == (beside,)


def test_a_drill_looks_for_its_verdict_as_long_as_the_rung_has(world: World, state: StateDir) -> None:
    looks, world.limits = chain(["critical"], repeat("ok")), Limits(settle=0.0, looking=0.0)
    rerun = lambda ids: make_report([make_result(next(looks))])  # noqa: E731
    (record,) = heal(world.report(), [RULE], state, world.means(rerun=rerun, drilled="mend-web"), history={})
    assert record.verified


class Killed(BaseException):
    """What nothing here is told of, as SIGKILL."""


@pytest.mark.parametrize("how", [KeyboardInterrupt("SIGTERM"), Killed()])
def test_what_ends_the_run_while_it_looks_leaves_the_rung_its_time(
    world: World, state: StateDir, how: BaseException
) -> None:
    world.helps, rule = False, replace(RULE, tries=9)

    def ends(ids: object) -> Report:
        raise how

    with pytest.raises(type(how)):
        heal(world.report(), [rule], state, world.means(rerun=ends), history={})
    assert verifying.pending(state, "shop/prod")[result_id("web-1")].rung == 0
    for minutes in range(1, 5):
        (record,) = run(world, state, rule)
        assert "settling" in closed(record), minutes
    assert (len(world.acts), world.lost, events(state).count("failed")) == (1, [], 0)
    world.now += 60
    records = run(world, state, rule)
    assert [(one.rung, one.later) for one in records] == [(0, True), (1, False)]
    assert (len(world.lost), events(state).count("failed")) == (2, 1)


def test_the_next_host_waits_for_what_a_killed_run_has_done(world: World, state: StateDir) -> None:
    world.hosts, world.helps = make_hosts("web-1", "web-2"), False
    rule = replace(RULE, together=1)

    def killed(ids: object) -> Report:
        raise Killed

    with pytest.raises(Killed):
        heal(world.report(), [rule], state, world.means(rerun=killed), history={})
    (one,) = Audit(state, "shop/prod", world.now).tries
    assert (one.ended, one.verifying) == (True, True)
    world.sick = {"web-1", "web-2"}
    world.now += 180  # its act must have ended long ago
    assert [closed(record) for record in run(world, state, rule)] == [["settling", "budget"], ["together"]]


def test_what_ends_the_act_itself_is_nothing_that_may_help_yet(world: World, state: StateDir) -> None:
    def ends(name: str, deadline: Deadline) -> str:
        raise KeyboardInterrupt("SIGTERM")

    with pytest.raises(KeyboardInterrupt):
        heal(world.report(), [RULE], state, world.means(provision=ends), history={})
    assert verifying.pending(state, "shop/prod") == {}
    assert state.read("heal.jsonl")[-1]["error"] == "interrupted by SIGTERM, and ended"


def test_what_another_rule_does_meanwhile_ends_the_waiting_of_the_one_before(world: World, state: StateDir) -> None:
    rule, other = replace(RULE, when_reason="port 80"), make_rule(name="other", when_reason="port 443")
    begun(world, state, rule)
    (first,) = verifying.pending(state, "shop/prod").values()
    world.look = lambda host: make_result("critical", reason="port 443 is not listening", steps=[])
    world.now += 60
    (record,) = heal(world.report(), [rule, other], state, world.means(), history={})
    assert (record.rule.name, record.outcome, verifying.pending(state, "shop/prod")) == ("other", "tried", {})
    assert not Audit(state, "shop/prod", world.now).tries[0].verifying
    assert first.number in [one["try"] for one in state.read("heal.jsonl") if one["event"] == "failed"]
    # It had not had its time, so that this is no verdict on it: only the other one has cost something.
    assert world.lost == [f"a heal of {result_id('web-1')} by provision did not help"]


def test_what_has_helped_is_said_before_its_time_is_over(world: World, state: StateDir) -> None:
    begun(world, state)
    world.sick.clear()
    assert note(run(world, state, RULE)) == ["healed: provision, was CRITICAL"]


def test_after_what_has_helped_a_window_of_looks_begins_anew(world: World, state: StateDir) -> None:
    rule = replace(RULE, confirm=2, confirm_of=3, tries=9, per=60.0)
    assert closed(run(world, state, rule)[0]) == ["confirm"]
    begun(world, state, rule)
    world.sick.clear()
    assert note(run(world, state, rule)) == ["healed: provision, was CRITICAL"]
    world.sick.add("web-1")
    (record,) = run(world, state, rule)
    assert note([record]) == ["not healed: failed in 1 of the newest 3 looks, 2 confirm"]


@pytest.mark.parametrize("helped", [False, True])
def test_a_report_from_before_its_time_was_over_is_looked_at_again_after_it(
    world: World, state: StateDir, helped: bool
) -> None:
    rule = replace(RULE, tries=9)
    begun(world, state, rule)
    world.now += 60
    report = world.report()
    world.now += 300
    if helped:
        world.sick.clear()
    records = heal(report, [rule], state, world.means(), history={})
    if helped:
        assert (note(records), world.lost) == (["healed: provision, was CRITICAL"], [])
    else:
        assert [(one.rung, one.later) for one in records] == [(0, True), (1, False)]
        assert events(state).count("failed") == 1
    assert verifying.pending(state, "shop/prod") == {}


def test_what_is_not_looked_at_again_is_said_to_be_from_before_its_time_was_over(world: World, state: StateDir) -> None:
    begun(world, state)
    world.now += 60
    report = world.report()
    world.now += 300
    (record,) = heal(report, [RULE], state, world.means(), history={})
    assert note([record]) == [
        "not healed: what was done had until 2027-01-15 08:06:00 UTC to take effect, and this was seen before that; "
        "check again"
    ]


def test_another_poller_leaves_it_alone_too(world: World, state: StateDir, tmp_path: Path) -> None:
    begun(world, state)
    other = StateDir(tmp_path / "other")
    (record,) = run(world, other, RULE)
    assert (record.outcome, closed(record), len(world.acts)) == ("refused", ["healing mark"], 1)
    assert re.fullmatch(
        r"what \S+ process \d+ rule mend-web \S+ has done to web-1 has (300|29\d) s more to take effect", record.reason
    )
    (record,) = run(world, other, make_rule(name="beside"))  # as in one state directory, another rule goes on
    assert record.outcome == "tried"
    (record,) = run(world, other, RULE)
    assert closed(record) == ["healing mark"]


def test_what_has_helped_or_not_holds_up_no_other_poller(world: World, state: StateDir, tmp_path: Path) -> None:
    begun(world, state)
    world.now += 600
    world.helps = True
    assert [one.ending for one in run(world, state, replace(RULE, tries=9))] == ["failed", "healed"]
    world.sick.add("web-1")
    (record,) = run(world, StateDir(tmp_path / "other"), RULE)
    assert record.outcome == "tried"


def test_another_failure_on_the_host_waits_too_and_another_rule_does_not(world: World, state: StateDir) -> None:
    rule = replace(RULE, tries=9)
    begun(world, state, rule)
    world.now += 60
    report = make_report([make_result("critical", id=result_id("web-1", "beside"))], world.now)
    (record,) = heal(report, [rule], state, world.means(), history={})
    assert closed(record) == ["settling"]
    world.now += 60
    (record,) = heal(world.report(), [make_rule(name="other"), rule], state, world.means(), history={})
    assert record.outcome == "tried"


def beside_it(world: World) -> tuple[str, str]:
    """Have one of two results of a host well once something was done, and the other one 200 s later."""
    ids = result_id("web-1"), result_id("web-1", "beside")

    def rerun(asked: Sequence[str]) -> Report:
        at = world.acts[0][0] if world.acts else inf
        since = {ids[0]: at, ids[1]: at + 200}
        states = {id: "ok" if world.now > since[id] else "critical" for id in asked}
        return make_report([make_result(state, id=id) for id, state in states.items()], world.now)

    def acts(name: str) -> None:
        world.now += 20

    world.rerun, world.on_act = rerun, acts  # type: ignore[method-assign]
    return ids


def test_what_has_helped_one_result_of_a_host_has_its_time_for_the_others(world: World, state: StateDir) -> None:
    ids, rule = beside_it(world), replace(RULE, tries=9)
    report = make_report([make_result("critical", id=id) for id in ids], world.now)
    first, other = heal(report, [rule], state, world.means(), history={})
    assert (first.ending, closed(other), len(world.acts)) == ("healed", ["settling"], 1)
    for at in (60, 60, 60):
        world.now += at
        records = heal(world.rerun(ids), [rule], state, world.means(), history={})
        assert [closed(one) for one in records] == [["settling"]] * (world.now <= world.acts[0][0] + 200)
    assert (len(world.acts), world.lost) == (1, [])


@pytest.mark.parametrize(
    ("which", "drilled", "later", "expected"),
    [
        ("beside", "", 299, ["settling"]),
        ("beside", "", 300, []),
        ("nginx-answers", "", 299, []),  # which it has helped, and which fails anew
        ("beside", "mend-web", 299, []),  # what is done in a drill holds nothing up after it
    ],
)
def test_so_long_and_no_longer(
    world: World, state: StateDir, which: str, drilled: str, later: float, expected: list[str]
) -> None:
    rule = replace(RULE, tries=9)
    (record,) = heal(world.report(), [rule], state, world.means(drilled=drilled), history={})
    assert record.ending == "healed"
    world.sick.add("web-1")
    world.now += later
    report = make_report([make_result("critical", id=result_id("web-1", which))], world.now)
    (record,) = heal(report, [rule], state, world.means(), history={})
    assert closed(record) == expected


def test_a_rung_of_which_nothing_is_said_is_judged_by_the_next_check(world: World, state: StateDir) -> None:
    rule = replace(RULE, settles=(), tries=9)
    begun(world, state, rule)
    _, record = run(world, state, rule)
    assert (record.outcome, record.rung, events(state).count("failed")) == ("tried", 1, 1)


def test_the_end_of_a_rung_that_a_clock_has_left_in_the_future_holds_nothing_up(world: World, state: StateDir) -> None:
    rule = replace(RULE, tries=9)
    begun(world, state, rule)
    world.now -= 7200
    assert "settling" not in closed(run(world, state, rule)[0])


SLOW = replace(RULE, tries=9)


def taken_effect(world: World, state: StateDir, other: StateDir, rule: HealRule = SLOW, **means: object) -> HealRecord:
    """Act, and have another poller come while it is looked whether that helped, when the mark itself has ended."""
    world.helps, world.limits, found = False, Limits(settle=0.0, looking=0.0), list[HealRecord]()

    def rerun(ids: Sequence[str]) -> Report:
        if not found:
            (world.folder / "infratest" / "healing-shop_prod_web_1").unlink()
            found.extend(heal(world.report(), [rule], other, world.means(), history={}))
        return world.rerun(ids)

    heal(world.report(), [rule], state, world.means(rerun=rerun, **means), history={})
    return found[0]


def test_another_poller_leaves_it_alone_while_this_one_still_looks(
    world: World, state: StateDir, tmp_path: Path
) -> None:
    record = taken_effect(world, state, StateDir(tmp_path / "other"))
    assert (record.outcome, closed(record), len(world.acts)) == ("refused", ["healing mark"], 1)
    assert " s more to take effect" in record.reason


@pytest.mark.parametrize(("rule", "commands"), [(SLOW, 3), (replace(SLOW, settles=()), 2)])
def test_a_rung_without_a_time_of_its_own_costs_the_host_no_command_more(
    world: World, state: StateDir, rule: HealRule, commands: int
) -> None:
    told: list[object] = []

    def way(host: Host, deadline: Deadline) -> Transport:
        opened = open_local(host, deadline)
        run = opened.run
        opened.run = lambda *about, **more: told.append(about) or run(*about, **more)  # type: ignore[method-assign,func-returns-value]
        return opened

    (record,) = heal(world.report(), [rule], state, world.means(open_transport=way), history={})
    assert (record.verified, len(told)) == (True, commands)


def test_after_a_boot_it_needs_no_further_connection(world: World, state: StateDir, tmp_path: Path) -> None:
    marks, ways = world.folder / "infratest", iter([open_local, open_local])

    def start(deadline: Deadline) -> None:
        shutil.rmtree(marks)  # a boot empties the folder

    def way(host: Host, deadline: Deadline) -> Transport:
        opened = next(ways, None)
        if opened is None:
            raise Unreachable("the time is over")
        return opened(host, deadline)

    power = Power(halt=lambda deadline: None, start=start, state=lambda deadline: "stopped")
    world.helps, world.limits, world.sick = False, Limits(settle=0.0, looking=0.0), {"web-1"}
    rule = make_rule(do=(("power-cycle", {}),), settles=(300.0,))
    means = world.means(open_transport=way, power=lambda name: power)
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert record.ending == "verifying"
    (marks / "healing-shop_prod_web_1").unlink()  # its end has come
    (record,) = heal(world.report(), [rule], StateDir(tmp_path / "other"), world.means(), history={})
    assert " s more to take effect" in record.reason


def test_another_poller_leaves_it_alone_where_we_can_write_down_nothing_more(
    world: World, state: StateDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*about: object) -> None:
        raise StateError("no space left on device")

    monkeypatch.setattr(verifying, "add", full)
    world.helps = False
    with pytest.raises(StateError):
        heal(world.report(), [SLOW], state, world.means(), history={})
    world.sick.add("web-1")
    (record,) = run(world, StateDir(tmp_path / "other"), SLOW)
    assert (closed(record), len(world.acts)) == (["healing mark"], 1)


@pytest.mark.parametrize("gone", [False, True])
def test_what_is_known_before_its_time_is_over_holds_up_no_other_poller(
    world: World, state: StateDir, tmp_path: Path, gone: bool
) -> None:
    begun(world, state)
    if gone:
        world.now += 700
        rule = replace(RULE, settles=(3600.0, None, None))
        planned: tuple[str, ...] = ()
        means = world.means(planned=lambda feature: planned)
        (record,) = heal(make_report([], world.now), [rule], state, means, history={})
        assert record.error == "its scenario is there no longer"
    else:
        world.sick.clear()
        assert note(run(world, state, RULE)) == ["healed: provision, was CRITICAL"]
        world.sick.add("web-1")
    other, world.helps = StateDir(tmp_path / "other"), True
    if not gone:  # what has helped one may have yet to help another
        beside = make_report([make_result("critical", id=result_id("web-1", "beside"))], world.now)
        (record,) = heal(beside, [RULE], other, world.means(), history={})
        assert closed(record) == ["healing mark"]
    (record,) = run(world, other, RULE)
    assert record.outcome == "tried"
