"""What is looked at before a heal, and what must not be worse after it: values, then the command on this machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infratest.cleaning import keep_secret
from infratest.deadline import Deadline
from infratest.errors import HealError, StateError, Unreachable, UserError
from infratest.heal import neighbours, proposals, verifying
from infratest.heal.audit import Audit
from infratest.heal.collecting import wanted
from infratest.heal.gates import Changes, Limits
from infratest.heal.healing import heal
from infratest.heal.ladder import remedies
from infratest.heal.pause import pause
from infratest.heal.proposals import Approval
from infratest.heal.records import Collected, HealRecord, note
from infratest.heal.undoing import kept
from infratest.heal.ways import ENDING
from infratest.hosts import Host
from infratest.model import Report
from infratest.project.collecting import planned
from infratest.project.session import session_of
from infratest.remedies.base import Replacing
from infratest.remedies.hook import Hook
from infratest.stack.declared import HealRule
from infratest.store.directory import StateDir
from infratest.transports.base import Transport
from tests.cli.test_heal import Project
from tests.worlds.heal_world import (
    World,
    closed,
    ending_with_the_act,
    events,
    make_report,
    make_result,
    make_rule,
    result_id,
)
from tests.worlds.small_project import write

SHOP = result_id("web-1", "shop-answers")


@dataclass
class Beside:
    """A world with a neighbour that is as it is said to be; a heal may change that."""

    world: World
    state: str = "ok"
    after: str = "ok"
    ids: Sequence[str] = (SHOP, result_id("web-1"))
    fail: bool = False
    collected: list[Collected] = field(default_factory=list)

    def run(self, state: StateDir, cut: bool = False, **rule: object) -> list[HealRecord]:
        self.world.now += 3000
        self.world.on_act = self.acted
        fields = {"neighbours": "@web", "tries": 3, "per": 3600.0} | rule
        means = self.world.means(
            rerun=self.rerun, neighbours=lambda rule: self.ids, collect=lambda *about: self.collected,
            deadline=ending_with_the_act(self.world) if cut else None,
        )  # fmt: skip
        return heal(self.world.report(), [make_rule(**fields)], state, means, history={})

    def acted(self, name: str) -> None:
        self.state = self.after

    def rerun(self, ids: Sequence[str]) -> Report:
        if self.fail:
            raise Unreachable("no route to host")
        report = self.world.rerun([id for id in ids if id != SHOP])
        found = [make_result(self.state, id=SHOP)] if SHOP in ids else []
        return make_report([*report.results, *found], self.world.now)


def hooked(folder: Path, undo: str = "touch undone; echo as before") -> tuple[tuple[str, object], ...]:
    """A ladder of one rung that does nothing but break the neighbour, and can be undone."""
    return (("hook", {"command": ["touch", "done"], "undo": ["sh", "-c", undo]}), ("provision", {}))


@pytest.mark.parametrize(("before", "after"), [("ok", "ok"), ("critical", "critical"), ("critical", "ok")])
def test_neighbours_that_are_not_worse_let_a_heal_stand(world: World, state: StateDir, before: str, after: str) -> None:
    (record,) = Beside(world, before, after).run(state)
    assert (record.verified, record.worse) == (True, ())


@pytest.mark.parametrize(("before", "after"), [("ok", "warning"), ("ok", "unknown"), ("warning", "critical")])
def test_a_neighbour_that_is_worse_is_told_and_the_rule_gives_up(
    world: World, state: StateDir, before: str, after: str
) -> None:
    beside = Beside(world, before, after)
    (record,) = beside.run(state)
    assert (record.verified, record.worse) == (False, (SHOP,))
    assert world.lost == [f"a heal of {result_id('web-1')} by provision made {SHOP} worse"]
    words = "not undone, provision has no undo: the files of the last good run are in your version control"
    assert note([record])[0].startswith(f"provision made {SHOP} worse, now OK: {words}")
    world.sick.add("web-1")
    (again,) = beside.run(state)
    assert closed(again)[0] == "given up"
    assert again.reason == f"given up in this problem: provision made {SHOP} worse"
    assert len(world.acts) == 1


def test_what_made_it_worse_is_undone_on_record_before_it_is_begun_and_no_rung_follows(
    world: World, state: StateDir
) -> None:
    beside = Beside(world)
    looks = chain(["ok", "critical"], repeat("ok"))
    beside.rerun = lambda ids: make_report(  # type: ignore[method-assign]
        [make_result(next(looks), id=SHOP)] if SHOP in ids else [make_result("critical")], world.now
    )
    (record,) = beside.run(state, do=hooked(world.folder))
    assert record.undone == "undone, as before"
    assert (world.folder / "undone").exists()
    assert events(state) == ["try", "process", "failed", "undo", "process", "undone", "tried"]
    assert world.acts == []


class Killed(BaseException):
    """What nothing here is told of, as SIGKILL."""


@pytest.mark.parametrize("how", [KeyboardInterrupt("SIGTERM"), Killed(), RuntimeError("a defect")])
@pytest.mark.parametrize("when", ["undo", "look"])
def test_what_ends_the_run_in_the_undo_or_behind_it_leaves_it_given_up(
    world: World, state: StateDir, how: BaseException, when: str
) -> None:
    beside, done, began = Beside(world, "ok", "critical"), world.folder / "done", False

    def ends(deadline: Deadline) -> str:
        nonlocal began
        began = True
        if when == "undo":
            raise how
        return "the old one stands in its place again"

    def rerun(ids: Sequence[str]) -> Report:
        if began:
            raise how
        return make_report([make_result("critical" if done.exists() and id == SHOP else "ok", id=id) for id in ids])

    def replaced(*about: object) -> str:
        done.touch()
        return "it was replaced"

    replacing = Replacing(
        fenced=lambda deadline: (True, "stopped"), replace=replaced, put_back=ends, kept=lambda: "i-0123"
    )
    rule = make_rule(do=(("replace", {}),), neighbours="@web")
    means = world.means(rerun=rerun, neighbours=lambda rule: beside.ids, replacing=lambda name: replacing)
    with pytest.raises(type(how)):
        heal(world.report(), [rule], state, means, history={})
    assert world.lost == [f"a heal of {result_id('web-1')} by replace made {SHOP} worse"]
    told = state.read("heal.jsonl")
    assert "undo" in events(state)
    assert [(one["worse"], one["words"], one["kept"]) for one in told if one["event"] in ("failed", "tried")] == [
        ([SHOP], "it was replaced", "i-0123")
    ] * (1 if isinstance(how, Killed) else 2)
    began = False
    world.now += 2 * rule.per  # as long as the problem lasts
    world.sick.add("web-1")
    left, record = heal(world.report(), [rule], state, means, history={})
    assert (left.worse, left.undone.startswith(("it was undone", "an undo of it was begun"))) == ((SHOP,), True)
    assert record.reason == f"given up in this problem: replace made {SHOP} worse"
    assert verifying.pending(state, "shop/prod") == {}


def test_an_act_that_takes_all_of_its_time_leaves_enough_for_the_looks_and_the_undo(
    world: World, state: StateDir
) -> None:
    beside, done, gone = Beside(world), world.folder / "done", [0.0]
    rule = make_rule(do=hooked(world.folder, "rm done; echo as before"), neighbours="@web")
    remedy = remedies(rule)[0]

    def rerun(ids: Sequence[str]) -> Report:
        if done.exists():  # each look takes its time, too
            gone[0] = max(gone[0], 600.0 - ENDING - kept(remedy, rule, 0.0)) + 5.0
        worse = "critical" if done.exists() else "ok"
        return make_report([make_result(worse, id=SHOP)] if SHOP in ids else [make_result("critical")], world.now)

    means = world.means(rerun=rerun, neighbours=lambda rule: beside.ids, deadline=Deadline(600.0, lambda: gone[0]))
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert (record.undone, done.exists()) == ("undone, as before", False)


def test_an_undo_that_fails_is_told(world: World, state: StateDir) -> None:
    beside = Beside(world)
    looks = chain(["ok", "critical"], repeat("ok"))
    beside.rerun = lambda ids: make_report(  # type: ignore[method-assign]
        [make_result(next(looks), id=SHOP)] if SHOP in ids else [make_result("critical")], world.now
    )
    (record,) = beside.run(state, do=hooked(world.folder, "echo no way back; exit 1"))
    assert record.undone.startswith("not undone, could not be undone: hook touch done: exit 1: no way back")


def test_what_could_not_be_seen_beside_it_in_time_is_not_worse_and_the_next_check_tells(
    world: World, state: StateDir
) -> None:
    world.limits = Limits(settle=30.0)
    beside = Beside(world, "ok", "unknown")  # as a scenario is that our own deadline ends
    (record,) = beside.run(state, cut=True)
    assert (record.ending, record.worse, world.lost) == ("verifying", (), [])
    assert note([record]) == ["verifying: provision is done, the next check tells whether it helped"]
    beside.state = "ok"
    (record,) = beside.run(state)
    assert note([record]) == ["healed: provision, was CRITICAL"]
    assert (record.worse, world.lost) == ((), [])
    assert beside.run(state) == []


def test_an_act_that_failed_is_not_told_as_done_although_nobody_knows_yet_of_what_is_beside_it(
    world: World, state: StateDir
) -> None:
    world.limits, world.helps = Limits(settle=30.0), False
    provision = world.provision

    def fails(name: str, deadline: Deadline) -> str:
        provision(name, deadline)
        raise HealError("no space left on device")

    world.provision = fails  # type: ignore[method-assign]
    (record,) = Beside(world, "ok", "unknown").run(state, cut=True)
    assert (record.ending, record.verifying) == ("failed", True)
    assert note([record]) == ["provision did not help (no space left on device), now CRITICAL"]


def test_what_is_worse_beside_it_is_found_by_the_next_check_although_the_scenario_holds(
    world: World, state: StateDir
) -> None:
    world.limits = Limits(settle=30.0)
    beside = Beside(world, "ok", "critical")
    assert beside.run(state, cut=True)[0].ending == "verifying"
    world.limits = Limits(settle=0.0)
    (record,) = beside.run(state)
    assert (record.ending, record.worse, record.undone[:10]) == ("failed", (SHOP,), "not undone")
    assert note([record])[0].startswith(f"provision made {SHOP} worse, now OK: not undone, provision has no undo")
    assert world.lost == [f"a heal of {result_id('web-1')} by provision made {SHOP} worse"]
    assert events(state) == ["try", "tried", "failed", "failed"]
    assert not any(one.get("verified") for one in state.read("heal.jsonl"))
    assert beside.run(state) == []


@pytest.mark.parametrize("changed", [False, True])
def test_the_next_check_undoes_it_and_the_rule_gives_up(world: World, state: StateDir, changed: bool) -> None:
    world.limits = Limits(settle=0.0)
    beside, done = Beside(world), world.folder / "done"
    beside.rerun = lambda ids: make_report(  # type: ignore[method-assign]
        [make_result("critical" if done.exists() else "ok", id=SHOP)] if SHOP in ids else [], world.now
    )
    deadline = Deadline(60.0, lambda: 60.0 if done.exists() else 0.0)  # the act takes all of the time
    rule = make_rule(do=hooked(world.folder, "rm done; echo as before"), neighbours="@web")
    means = world.means(rerun=beside.rerun, neighbours=lambda rule: beside.ids, deadline=deadline)
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert (record.ending, done.exists()) == ("verifying", True)
    if changed:
        rule = make_rule(do=(("hook", ["true"]),), neighbours="@web")
    world.now += 60
    means = world.means(rerun=beside.rerun, neighbours=lambda rule: beside.ids)
    worse, gave_up = heal(world.report(), [rule], state, means, history={})
    assert worse.undone == ("undone, as before" if not changed else
        "not undone, the rule has changed since: hook touch done is no longer its rung 1")  # fmt: skip
    assert (worse.worse, done.exists()) == ((SHOP,), changed)
    assert (gave_up.outcome, closed(gave_up)[0]) == ("refused", "given up")
    assert [one.state for one in worse.beside] == (["critical"] if changed else [])


def test_of_a_rung_that_has_minutes_a_later_check_undoes_and_no_run_has_to_be_so_long(
    world: World, state: StateDir
) -> None:
    world.limits, done = Limits(settle=10.0), world.folder / "done"
    rule = make_rule(do=hooked(world.folder, "rm done; echo as before"), neighbours="@web", settles=(600.0,))

    def rerun(ids: Sequence[str]) -> Report:
        worse = "critical" if done.exists() else "ok"
        return make_report([make_result(worse, id=SHOP)] if SHOP in ids else [], world.now)

    def check(seconds: float, after: float) -> list[HealRecord]:
        deadline = Deadline(seconds, lambda: after if done.exists() else 0.0)
        means = world.means(rerun=rerun, neighbours=lambda rule: [SHOP], deadline=deadline)
        return heal(world.report(), [rule], state, means, history={})

    (record,) = check(60.0, 60.0)
    assert "begun with 70 s at least" in record.reason
    world.now += 60
    (record,) = check(71.0, 71.0)  # the act takes all of the time
    assert (record.ending, done.exists()) == ("verifying", True)
    world.now += 600
    world.limits = Limits(settle=0.0)
    worse, _ = check(60.0, 0.0)
    assert (worse.undone, done.exists()) == ("undone, as before", False)


@pytest.mark.parametrize("first", ["red", "silent", "elsewhere"])
@pytest.mark.parametrize("own", [False, True])
def test_one_look_at_a_bad_moment_undoes_nothing(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch, first: str, own: bool
) -> None:
    monkeypatch.setattr(neighbours, "PAUSE", 0.0)
    world.limits, done, looks = Limits(settle=60.0), world.folder / "done", list[str]()
    world.sick = set()
    beside = Beside(world)

    def rerun(ids: Sequence[str]) -> Report:
        if ids != [SHOP]:
            return world.rerun(ids)
        looks.append(first)
        if len(looks) != 2:
            return make_report([make_result("ok", id=SHOP)], world.now)
        if first == "silent":
            raise Unreachable("the API did not answer")
        return make_report([make_result("critical", id=SHOP)] if first == "red" else [], world.now)

    beside.rerun = rerun  # type: ignore[method-assign]
    rule, red = make_rule(do=hooked(world.folder, "rm done"), neighbours="@web"), make_result("critical")
    deadline = None if own else Deadline(900.0, lambda: 900.0 if done.exists() else 0.0)
    means = world.means(rerun=rerun, neighbours=lambda rule: [SHOP], deadline=deadline)
    (record,) = heal(make_report([red], world.now), [rule], state, means, history={})
    if not own:
        assert record.ending == "verifying"
        world.now += 3000
        (record,) = heal(world.report(), [rule], state, world.means(rerun=rerun), history={})
    assert (record.ending, record.worse, done.exists(), len(looks), world.lost) == ("healed", (), True, 3, [])


@pytest.mark.parametrize("how", ["silent", "elsewhere"])
def test_what_cannot_be_seen_beside_it_is_not_worse_and_a_later_check_looks(
    world: World, state: StateDir, how: str
) -> None:
    beside = Beside(world)

    def acted(name: str) -> None:
        beside.fail, beside.ids = how == "silent", ()

    world.on_act, rerun, means = acted, beside.rerun, world.means
    world.sick, red = set(), make_report([make_result("critical")], world.now)

    def around(ids: Sequence[str]) -> Report:
        if beside.fail and SHOP not in ids:
            return world.rerun(ids)
        report = rerun(ids)
        return report if beside.ids else make_report([one for one in report.results if one.id != SHOP], world.now)

    found = means(rerun=around, neighbours=lambda rule: [SHOP])
    for at, report in ((0.0, red), (60.0, None), (600.0, None)):
        world.now += at
        records = heal(report or world.report(), [make_rule(neighbours="@web")], state, found, history={})
        assert [one.ending for one in records] == ["verifying"] * (report is not None)
    beside.fail, beside.ids, beside.state = False, (SHOP,), "critical"
    (record,) = heal(world.report(), [make_rule(neighbours="@web")], state, found, history={})
    assert (record.worse, len(world.lost)) == ((SHOP,), 1)


class Waiting:
    """A heal with an hour of its own, done, which has made a neighbour worse that is red as long as it stands."""

    def __init__(self, world: World, state: StateDir) -> None:
        self.world, self.state, self.done = world, state, world.folder / "done"
        self.rule = make_rule(do=hooked(world.folder, "rm done; echo as before"), neighbours="@web", settles=(3600.0,))
        world.limits, world.sick = Limits(settle=0.0, looking=0.0), {"web-1"}
        assert self.heal()[0].ending == "verifying"

    def heal(self, later: float = 0.0, **means: Any) -> list[HealRecord]:
        self.world.now += later
        found = self.world.means(rerun=self.rerun, neighbours=lambda rule: [SHOP], **means)
        return heal(self.world.report(), [self.rule], self.state, found, history={})

    def rerun(self, ids: Sequence[str]) -> Report:
        shop = [make_result("critical" if self.done.exists() else "ok", id=SHOP)] if SHOP in ids else []
        return make_report([*self.world.rerun([id for id in ids if id != SHOP]).results, *shop], self.world.now)

    @property
    def lost(self) -> list[str]:
        return self.world.lost


@pytest.mark.parametrize("who", ["pause", "result", "neighbour", "witness"])
@pytest.mark.parametrize("well", [False, True])
def test_an_undo_waits_for_what_any_act_waits_for(world: World, state: StateDir, who: str, well: bool) -> None:
    waiting = Waiting(world, state)
    world.sick = set() if well else {"web-1"}
    left_alone = {"result": [result_id("web-1")], "neighbour": [SHOP]}.get(who, [])
    means = {
        "suppressed": lambda result: "left alone: in downtime" if result.id in left_alone else "",
        "witness": lambda: (who != "witness", "none of them is reached"),
    }
    if who == "pause":
        pause(state, 2 * 3600, world.now + 3600)
    for later in (3601.0, *[1000.0] * 6):
        records = waiting.heal(later, **means)
        assert not any(one.worse for one in records)
    assert (waiting.done.exists(), waiting.lost, len(verifying.pending(state, "shop/prod"))) == (True, [], 1)
    records = waiting.heal(3000.0)  # longer than an hour after it must have been seen
    assert (records[0].worse, records[0].undone, waiting.done.exists()) == ((SHOP,), "undone, as before", False)
    assert len(waiting.lost) == 1


def test_nobody_waits_for_what_has_its_time_yet(world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    def waits(seconds: float) -> None:
        raise AssertionError(f"it waits {seconds} s beside what is worse")

    waiting = Waiting(world, state)
    world.sick, world.limits = set(), Limits(settle=60.0, looking=30.0)
    monkeypatch.setattr(neighbours, "time", SimpleNamespace(sleep=waits))
    assert waiting.heal(60.0) == []
    assert (waiting.done.exists(), waiting.lost, len(verifying.pending(state, "shop/prod"))) == (True, [], 1)


@pytest.mark.parametrize("how", [KeyboardInterrupt("SIGTERM"), Killed()])
def test_what_ends_a_run_before_its_undo_leaves_that_to_people(
    world: World, state: StateDir, how: BaseException
) -> None:
    waiting = Waiting(world, state)

    def ends(host: Host, deadline: Deadline) -> Transport:
        raise how

    with pytest.raises(type(how)):
        waiting.heal(3601.0, open_transport=ends)
    assert len(waiting.lost) == 1
    worse, gave_up = waiting.heal(60.0)
    assert (worse.worse, waiting.done.exists()) == ((SHOP,), True)
    assert worse.undone.startswith("not undone, the run that found it had ended before; `infratest heal undo ")
    assert (closed(gave_up)[0], verifying.pending(state, "shop/prod")) == ("given up", {})


def test_what_ends_a_run_in_its_undo_leaves_on_record_what_was_worse(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Waiting(world, state)

    def ends(*about: object) -> None:
        raise KeyboardInterrupt("SIGTERM")

    monkeypatch.setattr(Hook, "undo", ends)
    with pytest.raises(KeyboardInterrupt):
        waiting.heal(3601.0)
    monkeypatch.undo()
    assert len(waiting.lost) == 1
    assert [one.get("worse") for one in state.read("heal.jsonl")][-2:] == [[SHOP], None]
    left, gave_up = waiting.heal(3601.0)  # and after the time of its budget, too
    assert left.undone == f"an undo of it was begun by the healer: {SHOP} is worse, and its end is not on record"
    assert (closed(gave_up)[0], gave_up.reason) == (
        "given up",
        f"given up in this problem: hook touch done made {SHOP} worse",
    )


@pytest.mark.parametrize("helped", [False, True])
def test_what_could_not_be_written_down_is_judged_anew(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch, helped: bool
) -> None:
    waiting = Waiting(world, state)
    waiting.done.unlink()
    world.sick = set() if helped else {"web-1"}

    def full(*about: object) -> None:
        raise StateError("no space left on device")

    monkeypatch.setattr(Audit, "told", full)
    with pytest.raises(StateError):
        waiting.heal(3601.0)
    monkeypatch.undo()
    assert waiting.heal(60.0)[0].ending == ("healed" if helped else "failed")
    assert verifying.pending(state, "shop/prod") == {}
    assert Audit(state, "shop/prod", world.now).tries[0].verified is helped


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ids": [result_id("web-1")]}, "no scenario but the failed one is tagged '@web'"),
        ({"ids": [SHOP, "x#y@web-1"], "fail": True}, "what is beside it could not be looked at before: no route"),
    ],
)
def test_neighbours_that_cannot_be_looked_at_let_nothing_be_done(
    world: World, state: StateDir, changes: dict[str, object], words: str
) -> None:
    beside = Beside(world)
    for name, value in changes.items():
        setattr(beside, name, value)
    (record,) = beside.run(state)
    assert closed(record) == ["neighbours"]
    assert record.reason.startswith(words)
    assert world.acts == []


@dataclass
class Outside:
    """What others do while it is looked what is beside a result."""

    world: World
    state: StateDir
    happens: str
    deploying: tuple[str, ...] = ()
    unwanted: str = ""
    sees: bool = True

    def __call__(self, *about: object) -> list[Collected]:
        if self.happens == "pause":
            pause(self.state, 7200.0, self.world.now)
        elif self.happens == "deployment":
            self.deploying = ("somebody deploys",)
        elif self.happens == "downtime":
            self.unwanted = "in a downtime until noon"
        elif self.happens == "outage":
            self.sees = False
        elif self.happens == "loss":
            self.world.trust = "observe", "the ledger does not hold"
        elif self.happens == "denial":
            (one,) = proposals.every(self.state, "shop/prod")
            proposals.deny(self.state, "shop/prod", one.id, "bob", "it is being rebuilt", self.world.now)
        return []

    def heal(self, rule: HealRule) -> HealRecord:
        self.world.now += 60
        means = self.world.means(
            collect=self, suppressed=lambda result: self.unwanted, witness=lambda: (self.sees, "by the witness"),
            changes=lambda rule, result: Changes(locks=self.deploying),
        )  # fmt: skip
        (record,) = heal(self.world.report(), [rule], self.state, means, history={})
        return record


@pytest.mark.parametrize(
    ("happens", "outcome", "closed_by", "approved"),
    [
        ("pause", "refused", ["pause"], "refused"),
        ("downtime", "refused", ["suppressed"], "refused"),
        ("outage", "refused", ["witness"], "refused"),
        ("deployment", "proposed", ["change"], "tried"),
        ("loss", "would", ["trust"], "refused"),
        ("", "tried", [], "tried"),
    ],
)
def test_what_happens_between_the_gates_and_the_act_is_heard(
    world: World, tmp_path: Path, happens: str, outcome: str, closed_by: list[str], approved: str
) -> None:
    by_itself = Outside(world, StateDir(tmp_path / "one"), happens).heal(make_rule())
    assert (by_itself.outcome, closed(by_itself)) == (outcome, closed_by)
    assert bool(world.acts) == (outcome == "tried")
    world.sick.add("web-1")
    world.acts.clear()
    world.trust = "auto", "granted"
    state, rule = StateDir(tmp_path / "two"), make_rule(mode="propose")
    waits = Outside(world, state, "").heal(rule)
    proposals.approve(state, "shop/prod", waits.proposal, Approval(by="alice", time=world.now), None, 1, frozenset())
    done = Outside(world, state, happens).heal(rule)
    assert (done.outcome, bool(world.acts)) == (approved, approved == "tried")


def test_a_denial_of_what_may_act_by_itself_since_is_heard_too(world: World, state: StateDir) -> None:
    world.trust = "propose", "by the ledger"
    assert Outside(world, state, "").heal(make_rule()).outcome == "proposed"
    world.trust = "auto", "granted anew"
    record = Outside(world, state, "denial").heal(make_rule())
    assert (record.outcome, closed(record), world.acts) == ("refused", ["proposal"], [])


def test_what_is_collected_is_on_record_before_the_act_masked_and_bounded(world: World, state: StateDir) -> None:
    keep_secret("s3cret-of-the-journal")
    beside = Beside(world)
    beside.collected = [
        Collected(what='the journal of "nginx"', words="x" * 980 + "password s3cret-of-the-journal\n\x1b[2J"),
        Collected(what='the command "ss"', error="exit 127"),
    ]
    (record,) = beside.run(state)
    begun, ended = state.read("heal.jsonl")
    kept = begun["collected"]
    assert "s3cret" not in json.dumps(begun)
    assert len(kept[0]["words"]) == 1000
    assert kept[1] == {"what": 'the command "ss"', "words": "", "error": "exit 127"}
    assert "collected" not in ended
    assert record.verified
    assert note([record]) == ["healed: provision, was CRITICAL; 1 of 2 of `collect:` could not be seen"]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('the command "ss -tlnp"', ("sh", "-c", "ss -tlnp")),
        (r'the command "echo \"x\""', ("sh", "-c", 'echo "x"')),
        ('the journal of "nginx"', ("journalctl", "-u", "nginx.service", "-n", "50", "--no-pager", "-o", "short-iso")),
        ('the file "/etc/x; reboot"', ("tail", "-c", "4000", "--", "/etc/x; reboot")),
        ("port 80 is listening", ()),
    ],
)
def test_a_subject_alone_and_a_sentence(text: str, command: tuple[str, ...]) -> None:
    (one,) = wanted(make_rule(collect=(text,)))
    assert one.command == command


@pytest.mark.parametrize("text", ["ss -tlnp", "port eighty is listening", 'the journal of "a b"'])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="rule mend-web: collect: "):
        wanted(make_rule(collect=(text,)))


MORE = """\
    collect: ['the command "echo seen; exit 3"', 'the file "{folder}/there" exists', 'the file "{folder}/stack.yaml"']
    neighbours: "@beside"
"""
BESIDE = """
  @beside
  Scenario: its neighbour
    Then the file "{folder}/beside" exists
"""


def test_a_check_collects_looks_beside_and_gives_up(tmp_path: Path) -> None:
    project = Project(tmp_path, command=f"touch {tmp_path}/there; rm -f {tmp_path}/beside")
    stack = tmp_path / "stack.yaml"
    stack.write_text(stack.read_text().replace("confirm: 2", "confirm: 1") + MORE.format(folder=tmp_path))
    feature = tmp_path / "features" / "shop.feature"
    feature.write_text(feature.read_text() + BESIDE.format(folder=tmp_path))
    (tmp_path / "beside").touch()
    status, words = project.run("check", "--env", "prod", "--heal", "--scenario", "it-is-there", "--timeout", "60")
    assert "made features/shop.feature#its-neighbour@here worse" in words
    assert status == 2  # what it has made worse is looked at, although another scenario was asked for
    lines = [json.loads(line) for line in (tmp_path / ".infratest" / "heal.jsonl").read_text().splitlines()]
    command, sentence, file = lines[0]["collected"]
    assert (command["words"], command["error"]) == ("seen", "exit 3")
    assert sentence["words"].startswith(f'critical: the file "{tmp_path}/there" does not exist')
    assert file["words"].startswith("stack: shop")
    (tmp_path / "there").unlink()
    (tmp_path / "beside").touch()
    _, words = project.run("check", "--env", "prod", "--heal", "--scenario", "it-is-there", "--timeout", "60")
    assert "not healed: given up in this problem: run touch " in words


def test_what_changes_something_is_not_collected(tmp_path: Path) -> None:
    project = Project(tmp_path)
    stack = tmp_path / "stack.yaml"
    stack.write_text(stack.read_text() + "    collect: ['the service \"nginx\" is stopped']\n")
    status, words = project.run("check", "--env", "prod", "--heal")
    assert status == 2
    assert "collect: 'the service \"nginx\" is stopped' does not check: write only what looks" in words


def test_a_scenario_is_gone_whatever_another_project_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One stands in the other project: what it has under the same name is none of this stack's."""
    for name, title in (("shop", "ours"), ("other", "theirs")):
        write(tmp_path / name, {
            "stack.yaml": "stack: shop\nprovider: local\nhosts: {here: {}}\n",
            "features/shop.feature": f'Feature: f\n  Scenario: {title}\n    Then the file "/tmp" exists\n',
        })  # fmt: skip
    monkeypatch.chdir(tmp_path / "other")
    session = session_of(tmp_path / "shop" / "stack.yaml")
    assert planned(session, "features/shop.feature", None) == ["features/shop.feature#ours@here"]
    assert planned(session, "features/none.feature", None) == []
    (tmp_path / "shop" / "features" / "shop.feature").unlink()
    assert planned(session, "features/shop.feature", None) == []
    typed = "../other/features/shop.feature"
    assert planned(session, typed, None) == [f"{typed}#theirs@here"]  # as an earlier call was given it
