"""What is seen of a heal while people are at work there: what is well afterwards they may have mended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from infratest.heal import verifying
from infratest.heal.audit import Audit
from infratest.heal.gates import Limits
from infratest.heal.healing import heal
from infratest.heal.means import NotKnown
from infratest.heal.pause import pause, resume
from infratest.heal.records import HealRecord, note
from infratest.model import Report
from infratest.store.directory import StateDir
from tests.heal.test_collect_and_neighbours import SHOP, Waiting, hooked
from tests.worlds.heal_world import World, make_report, make_result, make_rule, result_id

ID = result_id("web-1")
PEOPLE = "people were at work there"
NOBODY = "nobody knows whether it helped"
#: Who is at work, by what of the engine's means.
WANTED: dict[str, tuple[str, dict[str, Any]]] = {
    "pause": ("heals were paused", {}),
    "people": (PEOPLE, {"suppressed": lambda result: "left alone: acknowledged by alice"}),
    "caller": (PEOPLE, {"suppressed": lambda result: "suppressed by the caller (DOWNTIME), as in a downtime"}),
    "not known": ("", {"suppressed": lambda result: NotKnown("whether it is in a downtime is not known: no answer")}),
    "witness": ("", {"witness": lambda: (False, "none of them is reached")}),
}


def outcome(world: World, state: StateDir) -> tuple[bool, bool, list[str], int]:
    """Return of the one try whether it is verified, whether it is gone, what it has cost, and how many wait."""
    (one,) = Audit(state, "shop/prod", world.now, looking=True).tries
    return one.verified, one.gone, world.lost, len(verifying.pending(state, "shop/prod"))


class Settling:
    """A heal with ten minutes of its own, which has not helped yet."""

    def __init__(self, world: World, state: StateDir) -> None:
        self.world, self.state, self.rule = world, state, make_rule(settles=(600.0,))
        world.helps, world.limits = False, Limits(settle=0.0, looking=0.0)
        assert self.check(0.0)[0].verifying

    def check(self, later: float, **means: Any) -> list[HealRecord]:
        self.world.now += later
        return heal(self.world.report(), [self.rule], self.state, self.world.means(**means), history={})

    def at_work(self, who: str) -> dict[str, Any]:
        if who == "pause":
            pause(self.state, 86400.0, self.world.now)
        return WANTED[who][1]


@pytest.mark.parametrize("who", WANTED)
@pytest.mark.parametrize("early", [False, True])
def test_what_was_red_while_people_were_at_work_and_is_well_they_may_have_mended(
    world: World, state: StateDir, who: str, early: bool
) -> None:
    settling = Settling(world, state)
    more = settling.at_work(who)
    settling.check(60.0 if early else 601.0, **more)
    world.sick.clear()
    resume(state)
    (record,) = settling.check(60.0)
    people = WANTED[who][0]
    words = f"not verified: provision, it was red while {people}, and is ok now: {NOBODY}"
    assert note([record]) == [words if people else "healed: provision, was CRITICAL"]
    assert outcome(world, state) == (not people, bool(people), [], 0)


@pytest.mark.parametrize("who", WANTED)
def test_what_turns_well_while_people_are_at_work_they_may_have_mended(world: World, state: StateDir, who: str) -> None:
    settling = Settling(world, state)
    more = settling.at_work(who)
    world.sick.clear()
    (record,) = settling.check(60.0, **more)
    people = WANTED[who][0]
    words = f"not verified: provision, it turned ok while {people}: {NOBODY}"
    assert note([record]) == [words if people else "healed: provision, was CRITICAL"]
    assert outcome(world, state) == (not people, bool(people), [], 0)


@pytest.mark.parametrize("early", [False, True])
def test_what_was_worse_beside_it_while_people_were_at_work_there_they_may_have_mended(
    world: World, state: StateDir, early: bool
) -> None:
    waiting = Waiting(world, state)
    world.sick = set()
    busy: Callable[..., str] = lambda result: "left alone: acknowledged by alice" if result.id == SHOP else ""  # noqa: E731
    assert waiting.heal(60.0 if early else 3601.0, suppressed=busy) == []
    waiting.done.unlink()
    (record,) = waiting.heal(60.0)
    words = f"what is beside it was worse while {PEOPLE}, and is ok now: {NOBODY}"
    assert note([record]) == [f"not verified: hook touch done, {words}"]
    assert outcome(world, state) == (False, True, [], 0)


def test_so_they_may_what_the_run_that_has_done_it_saw_to_be_worse(world: World, state: StateDir) -> None:
    done, rule = world.folder / "done", make_rule(do=hooked(world.folder), neighbours="@web")

    def rerun(ids: Sequence[str]) -> Report:
        return make_report([make_result("critical" if done.exists() and id == SHOP else "ok", id=id) for id in ids])

    def check(red: bool, busy: bool) -> list[HealRecord]:
        world.now += 60
        means = world.means(
            rerun=rerun, neighbours=lambda rule: [SHOP],
            suppressed=lambda result: "left alone: in downtime" if busy and result.id == SHOP else "",
        )  # fmt: skip
        report = make_report([make_result("critical" if red else "ok")], world.now)
        return heal(report, [rule], state, means, history={})

    assert check(True, True)[0].ending == "verifying"
    done.unlink()
    (record,) = check(False, False)
    assert record.error == f"what is beside it was worse while {PEOPLE}, and is ok now: {NOBODY}"
    assert outcome(world, state) == (False, True, [], 0)
