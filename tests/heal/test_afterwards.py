"""The life of a verdict that comes later: what it waits for, who judges it, and what a kill at each write leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import NoFeature, SendError, StateError
from infratest.heal import acts, afterwards, neighbours, telling, verifying
from infratest.heal.audit import Audit
from infratest.heal.gates import Limits
from infratest.heal.healing import heal
from infratest.heal.mark import Mark
from infratest.heal.means import Pager
from infratest.heal.pause import pause, resume
from infratest.heal.records import note
from infratest.heal.verdict import FAILED, HELPED, UNKNOWABLE, WAITS, WORSE, Sight, verdict
from infratest.model import Report, Result
from infratest.remedies.hook import Hook
from infratest.store.directory import StateDir
from tests.heal.test_collect_and_neighbours import SHOP, Killed, Waiting, hooked
from tests.worlds.heal_world import World, closed, make_report, make_result, make_rule, open_local, result_id

ID = result_id("web-1")


@pytest.mark.parametrize(
    ("sight", "said"),
    [
        (Sight(well=True, early=True, rests=True), HELPED),
        (Sight(well=False), FAILED),
        (Sight(well=False, early=True), WAITS),
        (Sight(well=False, rests=True), WAITS),
        (Sight(well=False, unseen=True), WAITS),
        (Sight(well=True, unseen=True), WAITS),
        (Sight(well=True, worse=(SHOP,)), WAITS),
        (Sight(well=True, worse=(SHOP,), stays=True), WORSE),
        (Sight(well=True, worse=(SHOP,), stays=True, early=True), WAITS),
        (Sight(well=True, worse=(SHOP,), stays=True, rests=True), WAITS),
        (Sight(well=True, red=True), UNKNOWABLE),
        (Sight(well=True, early=True, rests=True, people="heals were paused"), UNKNOWABLE),
        (Sight(well=True, unseen=True, rests=True, people="heals were paused"), WAITS),
        (Sight(well=False, red=True), FAILED),
    ],
)
def test_the_verdict_on_what_is_seen(sight: Sight, said: str) -> None:
    assert verdict(sight) == said


def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def waits(seconds: float) -> None:
        raise AssertionError(f"it waits {seconds} s beside what is worse")

    monkeypatch.setattr(neighbours, "time", SimpleNamespace(sleep=waits))


@pytest.mark.parametrize("between", ["worse", "well", "unseen"])
def test_what_short_checks_see_worse_twice_has_stayed_so_and_an_undo_without_time_is_left_to_people(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch, between: str
) -> None:
    waiting = Waiting(world, state)
    nobody_waits(monkeypatch)
    world.sick, world.limits, silent = set(), Limits(settle=10.0), list[str]()
    seen = waiting.rerun

    def rerun(ids: Sequence[str]) -> Report:
        if silent and SHOP in ids:
            raise NoFeature("it cannot be read")
        return seen(ids)

    waiting.rerun = rerun  # type: ignore[method-assign]
    short, told = Deadline(9.0, lambda: 0.0), list[str]()
    pager = Pager(receivers=lambda to: ["oncall"], deliver=lambda result, name, deadline: told.append(name) or "")
    assert waiting.heal(3601.0, deadline=short) == []
    assert verifying.pending(state, "shop/prod")[ID].worse == {SHOP: world.now}
    if between == "unseen":
        silent.append("")
        assert waiting.heal(30.0, deadline=short) == []
        silent.clear()
    elif between == "well":
        waiting.done.unlink()
        assert note(waiting.heal(30.0, deadline=short)) == ["healed: hook touch done, was CRITICAL"]
        return
    assert waiting.heal(5.0, deadline=short) == [] if between == "worse" else True
    (record,) = waiting.heal(10.0, deadline=short, page=pager)
    words = "not undone, 8.5 s of this run are left, and an undo is begun with 30 s at least; --timeout gives it more; "
    assert (record.worse, record.undone.startswith(words), told) == ((SHOP,), True, ["oncall"])
    assert record.undone.endswith("` does")
    assert waiting.heal(60.0, deadline=short, page=pager) == []
    assert (waiting.done.exists(), verifying.pending(state, "shop/prod"), len(world.lost)) == (True, {}, 1)


def test_a_look_that_is_cut_forgets_nothing_of_one_before_it(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else checks that have time to begin a second look, and not to end it, never find anything."""
    waiting, gone = Waiting(world, state), [0.0]
    world.sick, world.limits = set(), Limits(settle=0.2)
    monkeypatch.setattr(neighbours, "time", SimpleNamespace(sleep=lambda seconds: gone.append(60.0)))
    assert waiting.heal(3601.0, deadline=Deadline(60.0, lambda: gone[-1])) == []
    assert gone[-1] == 60.0, "it has begun that look"
    assert verifying.pending(state, "shop/prod")[ID].worse == {SHOP: world.now}


def test_an_undo_is_left_to_people_where_another_healer_is_at_work_on_the_host(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, host = Waiting(world, state), world.hosts["web-1"]
    monkeypatch.setattr(acts, "PATIENCE", 0.0)
    way = open_local(host, Deadline(5))
    other = Mark(way, host, "shop prod web-1", "mend-web", "cccc", str(world.folder))
    assert other.take(60.0, lambda: 5.0, Deadline(0.0)).held == ""
    world.sick = set()
    (record,) = waiting.heal(3601.0)
    assert record.undone.startswith("not undone, web-1 is being healed by ")
    assert record.undone.endswith("` does")
    assert (waiting.done.exists(), verifying.pending(state, "shop/prod")) == (True, {})
    other.give_back(Deadline(5))
    way.close()


@pytest.mark.parametrize("when", ["second look", "mark", "pause"])
def test_an_undo_asks_what_people_want_directly_before(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """What has made it worse is known: people are told, and nothing is done to what they are at work on."""
    waiting, looks = Waiting(world, state), [0]
    world.sick, world.limits = set(), Limits(settle=0.0)
    busy = list[str]()

    def opened(host: Any, deadline: Deadline) -> Any:  # for the undo's mark
        if when == "pause":
            pause(state, 86400.0, world.now)
        busy.append("mark")
        return open_local(host, deadline)

    def suppressed(result: Result) -> str:
        return "left alone: in downtime" if result.id == SHOP and when in busy else ""

    seen = waiting.rerun

    def rerun(ids: Sequence[str]) -> Report:
        looks[0] += SHOP in ids
        if looks[0] == 1 and when == "second look":
            raise NoFeature("it cannot be read")
        busy.append("second look")
        return seen(ids)

    waiting.rerun = rerun  # type: ignore[method-assign]
    records = waiting.heal(3601.0, suppressed=suppressed, open_transport=opened)
    assert waiting.done.exists()
    if when == "second look":
        assert (records, verifying.pending(state, "shop/prod")[ID].rests) == ([], world.now)
    else:
        assert records[0].undone.startswith(f"not undone, {acts.LEFT_ALONE}; `infratest heal undo ")


def test_what_people_may_have_mended_is_no_heal_that_has_helped(world: World, state: StateDir) -> None:
    world.helps, world.limits = False, Limits(settle=0.0, looking=0.0)
    rule, busy = make_rule(settles=(60.0,)), list[str]()

    def check(later: float) -> list[Any]:
        world.now += later
        means = world.means(suppressed=lambda result: "left alone: acknowledged" if busy else "")
        return heal(world.report(), [rule], state, means, history={})

    assert check(0.0)[0].verifying
    busy.append("")
    check(61.0)
    world.sick.clear()
    (record,) = check(60.0)
    words = "it was red while people were at work there, and is ok now: nobody knows whether it helped"
    assert note([record]) == [f"not verified: provision, {words}"]
    (one,) = Audit(state, "shop/prod", world.now).tries
    assert (one.verified, one.gone, world.lost, verifying.pending(state, "shop/prod")) == (False, True, [], {})


def test_people_who_could_not_be_told_of_what_is_worse_are_told_later(world: World, state: StateDir) -> None:
    waiting, told, away = Waiting(world, state), list[str](), [True]
    world.sick = set()

    def deliver(result: Result, name: str, deadline: Deadline) -> str:
        if away[0]:
            raise SendError("503")
        told.append(result.reason)
        return ""

    granted = [0.0]
    more = {
        "page": Pager(receivers=lambda to: ["oncall"], deliver=deliver),
        "granted": lambda rule: granted[0],
    }
    (record,) = waiting.heal(3601.0, **more)
    assert (record.undone, record.paged) == ("undone, as before", "nobody could be told: page: oncall: 503")
    assert len(world.lost) == 1
    granted[0] = world.now + 1.0  # that is not taken from it for what people knew then
    (record,) = waiting.heal(60.0, **more)
    assert record.paged.startswith("nobody could be told: ")
    away[0] = False
    (record,) = waiting.heal(60.0, **more)
    (reason,) = told
    assert reason.endswith(f"healing is at its end: hook touch done made {SHOP} worse: undone, as before")
    assert (waiting.heal(60.0, **more), verifying.pending(state, "shop/prod"), len(world.lost)) == ([], {}, 1)


def test_nobody_tries_to_tell_people_for_ever(world: World, state: StateDir) -> None:
    waiting = Waiting(world, state)
    world.sick = set()

    def deliver(result: Result, name: str, deadline: Deadline) -> str:
        raise SendError("503")

    pager = Pager(receivers=lambda to: ["oncall"], deliver=deliver)
    waiting.heal(3601.0, page=pager)
    assert waiting.heal(3601.0, page=pager)[0].paged.startswith("nobody could be told: ")
    assert waiting.heal(60.0, page=pager) == []


def test_what_is_well_and_only_beside_it_nobody_can_see_pages_nobody(world: World, state: StateDir) -> None:
    waiting, told = Waiting(world, state), list[str]()
    world.sick = set()

    def rerun(ids: Sequence[str]) -> Report:
        raise NoFeature("it cannot be read")

    waiting.rerun = rerun  # type: ignore[method-assign]
    pager = Pager(receivers=lambda to: ["oncall"], deliver=lambda result, name, deadline: told.append(name) or "")
    for later in (3601.0, 9000.0):
        records = waiting.heal(later, page=pager)
    assert note(records) == ["not verified: hook touch done, nobody could see for 2 h how what is beside it is"]
    assert (told, len(world.lost)) == ([], 1)


def test_a_host_that_was_removed_and_stands_in_an_old_report_is_gone(world: World, state: StateDir) -> None:
    world.helps, world.limits = False, Limits(settle=0.0, looking=0.0)
    rule = make_rule(settles=(60.0,))
    assert heal(world.report(), [rule], state, world.means(), history={})[0].verifying
    world.now += 7200.0
    del world.hosts["web-1"]
    (record,) = heal(make_report([make_result("unknown")], world.now), [rule], state, world.means(), history={})[:1]
    assert record.error == "its host is of the stack no longer"


@pytest.mark.parametrize("who", ["pause", "result", "witness"])
@pytest.mark.parametrize("own", [False, True])
def test_what_is_red_while_people_are_at_work_there_costs_nothing_until_they_are_not(
    world: World, state: StateDir, who: str, own: bool
) -> None:
    rule, told, busy = make_rule(settles=() if own else (60.0,)), list[str](), [False]
    pager = Pager(receivers=lambda to: ["oncall"], deliver=lambda result, name, deadline: told.append(name) or "")
    world.helps, world.limits = False, Limits(settle=0.0, looking=0.0)

    def check(later: float) -> list[Any]:
        world.now += later
        means = world.means(
            suppressed=lambda result: "left alone: in downtime" if busy[0] and who == "result" else "",
            witness=lambda: (not (busy[0] and who == "witness"), "none of them is reached"), page=pager,
        )  # fmt: skip
        return heal(world.report(), [rule], state, means, history={})

    def begins(name: str) -> None:
        busy[0] = True
        if who == "pause":
            pause(state, 86400.0, world.now)

    world.on_act = begins if own else world.on_act
    (record,) = check(60.0)
    assert record.ending == "verifying"
    begins("")
    for later in (61.0, 600.0, 7200.0):
        (record,) = check(later)
        assert record.outcome == "refused"
    world.look = lambda host: make_result("unknown")  # somebody has switched it off
    check(3000.0)
    check(3000.0)
    assert (world.lost, told, "failed" in [one["event"] for one in state.read("heal.jsonl")]) == ([], [], False)
    busy[0], world.look = False, None
    resume(state)
    verdicts = check(60.0)
    assert (verdicts[0].ending, verdicts[0].later, len(told)) == ("failed", True, 1)
    assert world.lost[0] == f"a heal of {ID} did not help"


def test_what_a_heal_has_just_made_worse_is_not_undone_either_while_people_are_at_work_there(
    world: World, state: StateDir
) -> None:
    done, busy = world.folder / "done", [True]
    rule = make_rule(do=hooked(world.folder, "rm done; echo as before"), neighbours="@web")

    def rerun(ids: Sequence[str]) -> Report:
        return make_report([make_result("critical" if done.exists() and id == SHOP else "ok", id=id) for id in ids])

    def check(red: bool) -> list[Any]:
        world.now += 60
        means = world.means(
            rerun=rerun, neighbours=lambda rule: [SHOP],
            suppressed=lambda result: "left alone: in downtime" if busy[0] and result.id == SHOP else "",
        )  # fmt: skip
        return heal(
            make_report([make_result("critical" if red else "ok")], world.now), [rule], state, means, history={}
        )

    (record,) = check(True)
    assert (record.ending, record.worse, done.exists(), world.lost) == ("verifying", (), True, [])
    assert check(False) == []
    busy[0] = False
    (record,) = check(False)
    assert (record.worse, record.undone, done.exists(), len(world.lost)) == ((SHOP,), "undone, as before", False, 1)


def test_what_waits_for_people_is_looked_at_once_in_a_check(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Waiting(world, state)
    world.sick, world.limits = set(), Limits(settle=10.0)
    nobody_waits(monkeypatch)
    assert waiting.heal(3601.0, suppressed=lambda result: "left alone: in downtime" if result.id == ID else "") == []
    assert verifying.pending(state, "shop/prod")[ID].worse == {}  # what was worse then may be by who was at work


@pytest.mark.parametrize("how", ["host", "scenario", "feature"])
@pytest.mark.parametrize("helped", [True, False])
def test_a_neighbour_that_was_removed_keeps_no_heal_from_its_verdict(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch, how: str, helped: bool
) -> None:
    nobody_waits(monkeypatch)
    removed = result_id("web-9" if how == "host" else "web-1", "removed")
    world.limits, world.helps, gone, asked = Limits(settle=10.0), helped, list[str](), list[str]()

    def rerun(ids: Sequence[str]) -> Report:
        if gone and removed in ids and how == "feature":
            raise NoFeature("features/web.feature: no such feature of this stack")
        report = world.rerun([id for id in ids if not gone or id != removed])
        return make_report([one if one.id == ID else one.changed(state="ok") for one in report.results], world.now)

    def plan(feature: str) -> list[str]:
        asked.append(feature)
        return [ID, SHOP]

    rule = make_rule(neighbours="@web")
    means: Callable[..., Any] = lambda **more: world.means(  # noqa: E731
        rerun=rerun, neighbours=lambda rule: [SHOP, removed], planned=plan, **more
    )
    gone_by = [0.0]
    world.on_act = lambda name: gone_by.append(gone_by.pop() + 60.0)
    world.hosts |= {"web-9": world.hosts["web-1"].changed(name="web-9")} if how == "host" else {}
    others = [make_result("ok", name) for name in world.hosts if name != "web-1"]
    red, deadline = make_report([make_result("critical"), *others], world.now), Deadline(60.0, lambda: gone_by[0])
    (record,) = heal(red, [rule], state, means(deadline=deadline), history={})
    assert record.ending == "verifying"
    gone.append(removed)
    world.hosts.pop("web-9", None)
    world.now += 60
    records = heal(world.report(), [rule], state, means(), history={})
    assert (records[0].ending, records[0].later, len(asked)) == ("healed" if helped else "failed", True, how != "host")


@pytest.mark.parametrize(
    ("now", "ending", "lost"), [("ok", "healed", 0), ("critical", "failed", 1), ("unknown", "failed", 1)]
)
def test_what_no_report_has_shown_is_looked_at_before_it_is_given_up(
    world: World, state: StateDir, now: str, ending: str, lost: int
) -> None:
    """As after a monitor that was stopped for hours, whose first look is one at something else."""
    world.helps, world.limits = False, Limits(settle=0.0, looking=0.0)
    rule = make_rule(settles=(60.0,))
    assert heal(world.report(), [rule], state, world.means(), history={})[0].ending == "verifying"
    world.look, world.now = lambda host: make_result(now), world.now + 3000
    other = make_result("ok", id=result_id("web-1", "other"))
    assert heal(make_report([other], world.now), [rule], state, world.means(), history={}) == []
    world.now += 3000
    (record,) = heal(
        make_report([other], world.now), [replace(rule, when_tags="@db")], state, world.means(), history={}
    )
    assert (record.ending, len(world.lost), verifying.pending(state, "shop/prod")) == (ending, lost, {})
    assert bool(record.error) == (now == "unknown")


class Dying:
    """Whatever is written, done or told, counted; killed before the one of that number."""

    def __init__(self, at: int) -> None:
        self.at, self.count, self.names = at, 0, list[str]()

    def __call__(self, name: str) -> None:
        self.names.append(name)
        self.count += 1
        if self.count == self.at:
            raise Killed(name)


class Life:
    """Lives of a healer: each but the last is killed at one write."""

    def __init__(self, folder: Path, kind: str, patch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        self.world, self.state = World(folder), StateDir(folder / "state")
        self.kind, self.told, self.undos = kind, list[str](), 0
        self.dying = Dying(0)
        self.world.sick = {"web-1"}
        if kind == "later worse":
            self.waiting = Waiting(self.world, self.state)
        else:
            self.world.limits = Limits(settle=0.0, looking=0.0)
            self.world.helps = False
            if kind == "later failed":
                self.rule = make_rule(settles=(60.0,), tries=9)
                assert self.heal(0.0)[0].ending == "verifying"
            else:
                self.rule = make_rule(do=hooked(folder, "rm done; echo as before"), neighbours="@web", tries=9)
        self.world.sick = set() if "worse" in kind and kind != "own worse" else {"web-1"}
        self.patched(patch)

    def patched(self, patch: pytest.MonkeyPatch) -> None:
        append, write, undo = StateDir.append, verifying._write, Hook.undo

        def appended(state: StateDir, name: str, data: Any) -> None:
            self.dying(f"{name} {data.get('event', data.get('kind', ''))}")
            append(state, name, data)

        def written(state: StateDir, document: Any) -> None:
            self.dying("note")
            write(state, document)

        def undone(hook: Hook, *about: Any) -> Any:
            self.undos += 1
            self.dying("undo")
            return undo(hook, *about)

        patch.setattr(StateDir, "append", appended)
        patch.setattr(verifying, "_write", written)
        patch.setattr(Hook, "undo", undone)

    def deliver(self, result: Result, name: str, deadline: Deadline) -> str:
        self.dying("told")
        self.told.append(result.reason)
        return ""

    def lost(self, rule: object, why: str) -> None:
        self.dying("lost")
        self.world.lost.append(why)

    def rerun(self, ids: Sequence[str]) -> Report:
        done = (self.world.folder / "done").exists()
        shop = [make_result("critical" if done else "ok", id=SHOP)] if SHOP in ids else []
        return make_report([*self.world.rerun([id for id in ids if id != SHOP]).results, *shop], self.world.now)

    def heal(self, later: float) -> list[Any]:
        self.world.now += later
        rule = self.waiting.rule if self.kind == "later worse" else self.rule
        means = self.world.means(
            rerun=self.rerun, neighbours=lambda rule: [SHOP], lost=self.lost,
            page=Pager(receivers=lambda to: ["oncall"], deliver=self.deliver),
        )  # fmt: skip
        return heal(self.world.report(), [rule], self.state, means, history={})

    def dies(self, at: int) -> list[str]:
        """Live, killed at that write; return what came to be written."""
        self.dying = Dying(at)
        try:
            self.heal(0.0 if self.kind == "own worse" else 3601.0)
        except Killed:
            pass
        names, self.dying = self.dying.names, Dying(0)
        return names


@pytest.mark.parametrize("kind", ["later worse", "own worse", "later failed"])
def test_a_kill_at_any_write_leaves_it_to_the_next_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with monkeypatch.context() as patch:
        names = Life(tmp_path / "whole", kind, patch).dies(0)
    assert {"lost", "told", "note", "heal.jsonl failed"} <= {*names}
    # Before the act is noted nobody knows whether it was done: it counts as running until its deadline.
    for at in range(names.index("note") + 2 if kind == "own worse" else 1, len(names) + 1):
        with monkeypatch.context() as patch:
            life = Life(tmp_path / str(at), kind, patch)
            killed = life.dies(at)[-1]
            life.heal(60.0)
            life.heal(60.0)
        about, told = (kind, at, killed), len(life.told)
        assert life.world.lost, about
        assert 1 <= len(life.told) <= 1 + (killed == "heal.jsonl paged"), (about, life.told)
        if "worse" in kind:
            assert life.undos <= 1, about
            if killed != "heal.jsonl process":  # its program had begun, and may have done its work by then
                assert (life.world.folder / "done").exists() == (life.undos == 0 or killed == "undo"), about
            assert f"healing is at its end: hook touch done made {SHOP} worse: " in life.told[0], (about, life.told)
            assert kind == "later worse" or closed(life.heal(3600.0)[-1])[0] == "given up", about
            life.world.sick.clear()
            life.heal(60.0)
            assert (verifying.pending(life.state, "shop/prod"), len(life.told)) == ({}, told), about


def test_an_end_that_a_clock_has_left_in_the_future_has_others_wait_for_nothing(world: World, state: StateDir) -> None:
    world.helps, world.limits = False, Limits(settle=0.0, looking=0.0)
    opened = list[str]()

    def way(host: Any, deadline: Deadline) -> Any:
        opened.append(host.name)
        return open_local(host, deadline)

    assert heal(world.report(), [make_rule(settles=(60.0,))], state, world.means(), history={})[0].verifying
    world.now, world.sick = world.now - 86400.0, set()
    (record,) = heal(world.report(), [make_rule(settles=(60.0,))], state, world.means(open_transport=way), history={})
    assert (record.ending, opened) == ("healed", [])
    assert Audit(state, "shop/prod", world.now).tries[0].verified


@pytest.mark.parametrize(
    ("well", "worse", "verified"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_what_was_done_by_a_rule_that_was_renamed_since_has_helped_only_where_all_is_well_beside_it_too(
    world: World, state: StateDir, well: bool, worse: bool, verified: bool
) -> None:
    waiting = Waiting(world, state)
    world.sick = set() if well else {"web-1"}
    if not worse:
        waiting.done.unlink()
    waiting.rule = replace(waiting.rule, name="another", mode="observe")
    records = waiting.heal(60.0)
    words = "not verified: hook touch done, its rule is there no longer: nobody knows whether it helped"
    assert note(records[:1]) == ["healed: hook touch done, was CRITICAL" if verified else words]
    (one,) = Audit(state, "shop/prod", world.now).tries
    assert (one.verified, one.gone, world.lost) == (verified, not verified, [])
    assert (waiting.done.exists(), verifying.pending(state, "shop/prod")) == (worse, {}), "nothing is undone"


@pytest.mark.parametrize("by_then", ["critical", "ok"])
def test_a_verdict_that_is_on_record_stands_although_its_run_was_killed_before_all_was_told(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch, by_then: str
) -> None:
    """What people, or nobody, have mended since the heal was found not to have helped earns nothing."""
    told, rule = list[str](), make_rule(settles=(60.0,), tries=9)
    world.helps, world.limits = False, Limits(settle=0.0, looking=0.0)
    pager = Pager(receivers=lambda to: ["oncall"], deliver=lambda result, name, deadline: told.append(name) or "")

    def check(later: float) -> list[Any]:
        world.now += later
        return heal(world.report(), [rule], state, world.means(page=pager), history={})

    def killed(*about: object) -> None:
        raise Killed

    assert check(0.0)[0].verifying
    with monkeypatch.context() as patch:
        patch.setattr(telling, "paged", killed)
        with pytest.raises(Killed):
            check(61.0)
    world.helps, world.sick = True, {"web-1"} if by_then == "critical" else set()
    record = check(60.0)[0]
    assert note([record]) == [
        "not verified: provision, it did not help, as a check before has seen"
        + ("; page: oncall was told" if by_then == "critical" else "")
    ]
    (one, *_) = Audit(state, "shop/prod", world.now).tries
    assert (one.verified, one.failed(world.now), one.gone) == (False, True, False)
    assert (len(told), {*world.lost}) == (int(by_then == "critical"), {f"a heal of {ID} did not help"})


def test_what_is_well_by_our_own_heal_that_is_being_verified_was_not_well_before_anything_was_done(
    world: World, state: StateDir
) -> None:
    """The report was made while it was red; it is looked at anew, and how what is beside it is nobody can see."""
    waiting = Waiting(world, state)
    red, seen = world.report(), waiting.rerun
    world.sick, world.now = set(), world.now + 3601.0

    def rerun(ids: Sequence[str]) -> Report:
        if SHOP in ids:
            raise NoFeature("it cannot be read")
        return seen(ids)

    means = world.means(rerun=rerun, neighbours=lambda rule: [SHOP])
    report = make_report(red.results, world.now - 60.0)
    (record,) = heal(report, [waiting.rule], state, means, history={})
    assert (record.ending, record.known, len(verifying.pending(state, "shop/prod"))) == ("verifying", True, 1)
    assert note([record]) == ["verifying: hook touch done is done, the next check tells whether it helped"]
    assert "recovered" not in [one["event"] for one in state.read("heal.jsonl")]


def test_what_could_not_be_noted_right_after_the_act_is_looked_at_all_the_same_and_undone(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state directory that was nearly full for a moment; the audit has the try."""
    done = world.folder / "done"

    def rerun(ids: Sequence[str]) -> Report:
        return make_report([make_result("critical" if done.exists() and id == SHOP else "ok", id=id) for id in ids])

    def full(*about: object) -> None:
        raise StateError("no space left on device")

    monkeypatch.setattr(verifying, "add", full)
    rule = make_rule(do=hooked(world.folder, "rm done; echo as before"), neighbours="@web")
    means = world.means(rerun=rerun, neighbours=lambda rule: [SHOP])
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert (record.worse, record.undone, done.exists()) == ((SHOP,), "undone, as before", False)
    assert (len(world.lost), Audit(state, "shop/prod", world.now).tries[0].failed(world.now)) == (1, True)


def test_a_run_waits_once_for_what_is_beside_all_that_is_to_be_verified(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who wants the stack's lock waits for one time to take effect, and not for one for each heal."""
    waiting = Waiting(world, state)
    (one,) = verifying.pending(state, "shop/prod").values()
    ids = [ID, *(result_id("web-1", f"other-{number}") for number in range(3))]
    for number, id in enumerate(ids[1:]):
        verifying.keep(state, "shop/prod", id, replace(one, number=f"{one.number}-{number}"))
    world.sick, world.limits, waits = set(), Limits(settle=10.0), [0.0]

    def rerun(ids: Sequence[str]) -> Report:  # an undo of one of them helps the others nothing
        return make_report([make_result("critical" if id == SHOP else "ok", id=id) for id in ids], world.now)

    def waited(seconds: float) -> None:
        waits[0] += seconds
        world.now += seconds

    monkeypatch.setattr(neighbours, "time", SimpleNamespace(sleep=waited))
    monkeypatch.setattr(neighbours, "PAUSE", 10.0)
    monkeypatch.setattr(afterwards, "Deadline", lambda seconds: Deadline(seconds, lambda: waits[0]))

    def check(later: float) -> list[Any]:
        world.now += later
        means = world.means(rerun=rerun, neighbours=lambda rule: [SHOP])
        report = make_report([make_result("ok", id=id) for id in ids], world.now)
        return heal(report, [waiting.rule], state, means, history={})

    assert [one.before.id for one in check(3601.0)] == ids[:1]
    assert 10.0 <= waits[0] < 20.0
    noted = verifying.pending(state, "shop/prod")
    assert [[*noted[id].worse] for id in ids[1:]] == [[SHOP]] * 3
    assert [one.before.id for one in check(60.0)] == ids[1:]
    assert waits[0] < 20.0, "it has stayed so since an earlier check"
