"""An act that failed, and what it was for is well nevertheless: that is no heal, and costs nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from infratest.deadline import Deadline
from infratest.errors import HealError, Unreachable
from infratest.heal.audit import Audit
from infratest.heal.healing import heal
from infratest.heal.means import Pager
from infratest.heal.records import HealRecord, applied, note
from infratest.model import Report, Result
from infratest.store import failures
from infratest.store.directory import StateDir
from tests.heal.test_collect_and_neighbours import SHOP
from tests.worlds.heal_world import World, make_report, make_rule, result_id

ID = result_id("web-1")
WORDS = "ok again by itself, was CRITICAL: provision had failed (no space left on device)"


@pytest.fixture
def failing(world: World) -> World:
    """A world whose host comes back while its remedy fails."""
    provision = world.provision

    def fails(name: str, deadline: Deadline) -> str:
        provision(name, deadline)
        raise HealError("no space left on device")

    world.provision = fails  # type: ignore[method-assign]
    return world


def told(result: Result, name: str, deadline: Deadline) -> str:
    raise AssertionError(f"{name} is told of {result.id}")


PAGER = Pager(receivers=lambda to: ["oncall"], deliver=told)


def test_what_is_well_after_an_act_that_failed_was_not_healed(failing: World, state: StateDir) -> None:
    report = failing.report()
    (record,) = heal(report, [make_rule(tries=1)], state, failing.means(page=PAGER), history={})
    assert (record.verified, record.ending, note([record])) == (False, "recovered", [WORDS])
    after = applied(report, [record])
    assert (after.results[0].state, after.healed, after.tries) == ("ok", 0, 1)
    (one,) = Audit(state, "shop/prod", failing.now, looking=True).tries
    assert (one.verified, one.gone, failing.lost) == (False, True, [])
    assert failures.load(state, "shop/prod")[ID].since is None, "that problem is over"
    assert [one["value"] for one in state.read("events.jsonl")] == ["recovered"]


@pytest.mark.parametrize("helps", [True, False])
def test_a_later_check_that_sees_all_well_has_seen_no_heal_either(failing: World, state: StateDir, helps: bool) -> None:
    failing.helps, hidden = helps, [False]

    def rerun(ids: Sequence[str]) -> Report:
        if SHOP in ids and hidden[0]:
            raise Unreachable("no route to host")
        results = failing.rerun(ids).results
        return make_report([one if one.id == ID else one.changed(state="ok") for one in results], failing.now)

    failing.on_act = lambda name: hidden.append(hidden.pop() or True)
    rule = make_rule(neighbours="@web")

    def check() -> list[HealRecord]:
        failing.now += 60
        means = failing.means(rerun=rerun, neighbours=lambda rule: [SHOP])
        return heal(failing.report(), [rule], state, means, history={})

    assert check()[0].verifying
    hidden[0] = False
    records = check()
    (one,) = Audit(state, "shop/prod", failing.now, looking=True).tries[:1]
    assert (one.verified, one.gone, len(failing.lost)) == (False, helps, 0 if helps else 1)
    if helps:
        words = "it had failed (no space left on device), and all is well by itself"
        assert note(records) == [f"not verified: provision, {words}"]
