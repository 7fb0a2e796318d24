"""What a heal leaves to the next one: a settled fault, a record of bounded size, a process that may still run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from infratest.heal import verifying
from infratest.heal.gates import Limits, Situation, Try, gates
from infratest.heal.healing import heal
from infratest.heal.records import RECOVERED, TRIED, HealRecord, looked_again, note
from infratest.model import Report
from infratest.process_tree import started
from infratest.store import failures
from infratest.store.directory import StateDir
from tests.worlds.heal_world import (
    NOON,
    Ticking,
    World,
    closed,
    ending_with_the_act,
    events,
    make_hosts,
    make_report,
    make_result,
    make_rule,
    run,
)


def test_what_healed_is_not_counted_against_the_next_fault(world: World, state: StateDir) -> None:
    rule = make_rule(tries=2)
    for _ in range(6):
        world.sick.add("web-1")
        (record,) = run(world, state, rule)
        assert record.verified
    assert note([record]) == ["healed: provision, was CRITICAL; flapping, healed 5 times before in 60 min"]


@pytest.mark.parametrize("seconds, passed", [(9.0, False), (11.0, True)])
def test_settling_after_a_heal_is_one_number_and_braking_after_failures_another(seconds: float, passed: bool) -> None:
    def waited(*tries: Try) -> bool:
        row = World(Path()).report()
        situation = Situation(now=NOON, looked=NOON, row=_row(), hosts=make_hosts("web-1"), history={}, tries=tries)
        return {one.name: one.passed for one in gates(make_rule(), row.results[0], situation)}["wait"]

    def tried(ago: float, verified: bool) -> Try:
        return Try(rule="mend-web", host="web-1", time=NOON - ago, until=NOON, verified=verified)

    healed = [tried(ago, True) for ago in (300.0, 200.0, seconds)]
    assert waited(*healed) is passed
    assert not waited(tried(300.0, False), tried(seconds, False))


@pytest.mark.parametrize("others", [3, 0])
def test_what_one_act_may_have_mended_is_looked_at_again_at_once(world: World, state: StateDir, others: int) -> None:
    ids = [f"features/web.feature#number-{number}@web-1" for number in range(1 + others)]
    runs: list[list[str]] = []

    def rerun(again: Sequence[str]) -> Report:
        runs.append([*again])
        return world.rerun(again)

    report = make_report([make_result("critical", id=id) for id in ids])
    records = heal(report, [make_rule(tries=9)], state, world.means(rerun=rerun), history={})
    assert [(record.before.id, record.outcome) for record in records] == [
        (ids[0], TRIED),
        *((id, RECOVERED) for id in ids[1:]),
    ]
    assert runs == [[ids[0]], ids[1:]][: 1 + bool(others)]


def test_what_was_seen_before_another_act_is_looked_at_anew(world: World, state: StateDir) -> None:
    ids = [f"features/web.feature#number-{number}@web-1" for number in range(4)]
    runs: list[list[str]] = []
    # Providing again mends one of them each time: 0, then 1, then all that is left.
    mended = iter([{ids[0]}, {ids[1]}, set(ids)])
    well: set[str] = set()

    def rerun(again: Sequence[str]) -> Report:
        runs.append([*again])
        return make_report([make_result("ok" if id in well else "critical", id=id) for id in again], world.now)

    def mend(name: str) -> None:
        world.now += 20.0  # the time that a host is left alone after a heal goes by
        well.update(next(mended))

    world.on_act = mend
    report = make_report([make_result("critical", id=id) for id in ids])
    rule = make_rule(tries=9)
    records = heal(report, [rule], state, world.means(rerun=rerun), history={})
    assert [(record.before.id, record.outcome) for record in records] == [
        (ids[0], TRIED),
        (ids[1], TRIED),
        (ids[2], TRIED),
        (ids[3], RECOVERED),
    ]
    assert runs == [ids[:1], ids[1:], ids[1:2], ids[2:], ids[2:3], ids[3:]]


def _row():  # type: ignore[no-untyped-def]
    from infratest.store.failures import Row

    return Row(state="critical", failures=1, since=NOON, last=NOON)


def test_the_group_is_looked_at_between_two_rungs(world: World, state: StateDir) -> None:
    world.hosts = make_hosts("web-1", "web-2", "web-3", "web-4")
    world.helps = False
    world.on_act = lambda name: world.sick.update(world.hosts)
    rule = make_rule(do=(("provision", {}), ("provision", {})), at_most=0.3)
    first, second = run(world, state, rule)[:2]
    assert first.outcome == "tried"
    assert (second.outcome, closed(second)) == ("refused", ["blast radius"])
    assert len(world.acts) == 1


def test_a_group_that_cannot_be_looked_at_again_stops_the_ladder(world: World, state: StateDir) -> None:
    world.hosts = make_hosts("web-1", "web-2")
    world.helps = False
    report = make_report([world.result(host) for host in world.hosts])
    again = make_report([make_result("critical")])
    means = world.means(rerun=lambda ids: again, clock=Ticking(NOON, 0.1))
    rule = make_rule(do=(("provision", {}), ("provision", {})))
    records = heal(report, [rule], state, means, history={})
    assert [record.outcome for record in records[:2]] == ["tried", "refused"]
    assert "no stored result since the rung before of web-2" in note(records[:2])[0]


def test_both_rungs_are_told(world: World, state: StateDir) -> None:
    rule = make_rule(do=(("run", "true"), ("provision", {})))
    assert note(run(world, state, rule)) == ["healed: provision, was CRITICAL; before it run true did not help"]


def test_a_try_whose_process_lives_is_running(world: World, state: StateDir) -> None:
    with subprocess.Popen(["sleep", "60"]) as program:
        try:
            record = {"stack": "shop", "env": "prod", "try": "1"}
            begun = {"event": "try", "rule": "mend-web", "host": "web-1", "time": NOON - 900, "until": NOON - 800}
            process = {"event": "process", "pid": program.pid, "started": started(program.pid)}
            state.append("heal.jsonl", record | begun, record | process)
            (refused,) = run(world, state, make_rule())
            assert closed(refused) == ["concurrency"]
            assert "its process lives" in note([refused])[0]
        finally:
            program.kill()
    assert run(world, state, make_rule())[0].outcome == "tried"


KILLED = """
import sys
from collections.abc import Sequence
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.worlds.heal_world import World, make_rule
from infratest.heal.healing import heal
from infratest.engine.interrupts import ending_in_order
from infratest.store.directory import StateDir
folder = Path(sys.argv[2])
world = World(folder, sick={"web-1"})
rule = make_rule(do=(("hook", ["sh", "-c", "echo $$ >hook.pid; sleep 300 & exec sleep 300"]),))
with ending_in_order():
    heal(world.report(), [rule], StateDir(folder / "state"), world.means(), history={})
"""


@pytest.mark.parametrize("number", [9, 15])
def test_a_remedy_ends_with_its_healer(state: StateDir, tmp_path: Path, number: int) -> None:
    healer = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(Path(__file__).parents[2]), str(tmp_path)], stderr=subprocess.DEVNULL
    )
    end = monotonic() + 30
    while "process" not in (events(state) if state.exists else []) or not (tmp_path / "hook.pid").exists():
        assert monotonic() < end
        assert healer.poll() is None
        sleep(0.01)
    os.kill(healer.pid, number)
    healer.wait(20)
    pid = next(record["pid"] for record in state.read("heal.jsonl") if record["event"] == "process")
    while started(pid):
        assert monotonic() < end
        sleep(0.01)
    assert (events(state)[-1] == "tried") is (number == 15)


def cut(world: World, state: StateDir, **settings: Any) -> HealRecord:
    """Heal in a run that has no time left to see whether it helped."""
    means = world.means(deadline=ending_with_the_act(world), **settings)
    rule = make_rule(do=(("provision", {}), ("provision", {})))
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert record.ending == "verifying"
    world.on_act = lambda name: None
    return record


def test_a_heal_that_cannot_be_verified_in_time_says_so_and_the_next_check_does(world: World, state: StateDir) -> None:
    world.limits = Limits(settle=30.0)
    world.helps = False
    record = cut(world, state)
    assert note([record]) == ["verifying: provision is done, the next check tells whether it helped"]
    world.sick.clear()
    (record,) = run(world, state, make_rule())
    assert (record.verified, note([record])) == (True, ["healed: provision, was CRITICAL"])
    assert events(state) == ["try", "tried", "verified"]
    assert run(world, state, make_rule()) == []


def test_a_heal_of_a_way_into_a_host_is_verified_by_a_check_that_went_it(world: World, state: StateDir) -> None:
    """Where it stands in nobody's way it is no result of a check, which tells the ways that it went beside those."""
    world.limits, world.helps = Limits(settle=30.0), False
    about = {"id": "reachable@web-1", "feature": "", "scenario": "reachable", "tags": []}
    world.look = lambda host: make_result("critical", host, **about)
    rule = make_rule(when_tags="@reachable")
    means = world.means(deadline=ending_with_the_act(world))
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert record.ending == "verifying"
    world.now += 60
    report = make_report([make_result("ok")], world.now).changed(ways=(make_result("ok", **about),))
    (record,) = heal(report, [rule], state, world.means(), history={})
    assert (record.verified, record.before.id) == (True, "reachable@web-1")
    assert verifying.pending(state, "shop/prod") == {}


def test_a_report_from_before_a_heal_says_nothing_of_it(world: World, state: StateDir) -> None:
    world.limits, world.helps = Limits(settle=30.0), False
    green, red = make_report([make_result("ok")], world.now - 86400), world.report()
    world.now += 3
    cut(world, state)
    for old in (green, red):
        world.now += 2
        heal(old, [make_rule()], state, world.means(), history={})
    assert ("verified" in events(state), "failed" in events(state), world.lost) == (False, False, [])
    world.sick.clear()
    told = heal(red, [make_rule()], state, world.means(), history={})  # it is looked at again, which tells
    assert note(told) == ["healed: provision, was CRITICAL"]
    assert looked_again(told, failures.started(red), world.now) == {told[0].before.id: world.now}
    assert looked_again(told, world.now, world.now) == {}  # a report of then says so itself


def test_what_is_red_in_a_drill_is_no_verdict_on_a_heal_before_it(world: World, state: StateDir) -> None:
    world.limits, world.helps = Limits(settle=30.0), False
    cut(world, state)
    world.now += 60
    rule = make_rule(mode="observe")
    heal(world.report(), [rule], state, world.means(drilled="another"), history={})
    assert "failed" not in events(state)
    heal(world.report(), [rule], state, world.means(), history={})
    assert (events(state).count("failed"), len(world.lost)) == (1, 1)


@pytest.mark.parametrize("drilled", ["mend-web", "another"])
def test_a_heal_of_a_drill_that_a_later_check_finds_without_effect_costs_nothing(
    world: World, state: StateDir, drilled: str
) -> None:
    world.limits, world.helps = Limits(settle=30.0), False
    cut(world, state, drilled=drilled)
    world.now += 60
    heal(world.report(), [make_rule(mode="observe")], state, world.means(), history={})
    assert (events(state).count("failed"), world.lost) == (1, [])


def test_the_record_is_of_bounded_size_and_its_tries_still_count(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFRATEST_KEEP_SIZE", "8KiB")
    world.helps = False
    rule = make_rule(tries=3)
    for number in range(60):
        run(world, state, make_rule(name=f"other-{number}", mode="observe"))
    assert run(world, state, rule)[0].outcome == "tried"
    for number in range(30):
        run(world, state, make_rule(name=f"more-{number}", mode="observe"))
    assert (state.path / "heal.jsonl").stat().st_size < 3 * 8192
    assert (state.path / "heal.1.jsonl").exists()
    tries = [record for record in state.read("heal.jsonl") if record["event"] == "try"]
    assert [record["rule"] for record in tries] == ["mend-web"]
    assert [run(world, state, rule)[0].outcome for _ in range(3)] == ["tried", "tried", "refused"]


def test_what_was_seen_stands_in_the_record_once(world: World, state: StateDir) -> None:
    run(world, state, make_rule())
    text = (state.path / "heal.jsonl").read_text()
    assert text.count('"port 80 is listening"') == 1
    assert [json.loads(line)["event"] for line in text.splitlines()] == ["try", "tried"]
