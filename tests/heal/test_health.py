"""What `infratest status` says of healing itself."""

from __future__ import annotations

from infratest.heal import verifying
from infratest.heal.audit import Audit
from infratest.heal.gates import Limits
from infratest.heal.healing import heal
from infratest.heal.health import health
from infratest.store.directory import StateDir
from tests.worlds.heal_world import World, ending_with_the_act, events, make_rule, run

RULE = make_rule(tries=1, per=3600.0)


def told(world: World, state: StateDir) -> list[str]:
    return health(state, "shop/prod", [RULE], world.now, "infratest heal resume")


def test_a_host_that_was_given_up(world: World, state: StateDir) -> None:
    world.helps = False
    run(world, state, RULE)
    (line,) = told(world, state)
    assert line.startswith(
        "healing gave up on web-1: rule mend-web has no tries left; it begins again 2027-01-15 09:01"
    )
    world.now += 3600
    assert told(world, state) == []


def test_what_a_drill_has_tried_is_none_of_the_budget(world: World, state: StateDir) -> None:
    world.helps = False
    world.now += 60
    heal(world.report(), [RULE], state, world.means(drilled="mend-web"), history={})
    assert (events(state), told(world, state)) == (["try", "tried"], [])


def test_a_try_that_is_under_way_or_settles_is_not_given_up(world: World, state: StateDir) -> None:
    world.helps, world.limits = False, Limits(settle=10.0)
    seen = []
    world.on_act = lambda name: seen.extend([(events(state), told(world, state))])
    heal(world.report(), [RULE], state, world.means(deadline=ending_with_the_act(world)), history={})
    assert seen == [(["try"], [])]
    assert told(world, state) == []
    world.on_act = lambda name: None
    run(world, state, RULE)
    assert (events(state)[1:3], len(told(world, state))) == (["tried", "failed"], 1)


def test_what_nobody_will_ever_know_of_is_none_of_the_budget(world: World, state: StateDir) -> None:
    """As the gate counts it, which lets the rule act."""
    rule = make_rule(tries=1, per=3600.0, settles=(60.0,))
    world.helps, world.limits = False, Limits(settle=0.0, looking=0.0)
    heal(world.report(), [rule], state, world.means(), history={})
    verdict = Audit(state, "shop/prod", world.now)
    (one,) = verifying.pending(state, "shop/prod").values()
    verdict.told(one, False, world.now, "its scenario is there no longer", gone=True)
    assert health(state, "shop/prod", [rule], world.now, "infratest heal resume") == []
