"""`together:` of a rule: the next host is healed only once the ones before it are known to be well, or not to be."""

from __future__ import annotations

from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.heal import verifying
from infratest.heal.audit import Audit
from infratest.heal.gates import Limits, Seen
from infratest.heal.healing import heal
from infratest.heal.records import HealRecord, note
from infratest.stack.declared import HealRule
from infratest.store.directory import StateDir
from tests.worlds.heal_world import (
    World,
    closed,
    ending_with_the_act,
    events,
    make_hosts,
    make_report,
    make_result,
    make_rule,
    result_id,
    run,
)

RULE = make_rule(together=1)
#: Seconds from the beginning of a heal until nobody need look any longer: those of the act in a run of a minute, and
#: then an hour.
ACT, BOUND = 59.5, 3600.0


@pytest.fixture
def shop(world: World) -> World:
    """Two sick hosts, of which the first is healed with no time left to see whether that helped."""
    world.hosts, world.limits, world.sick = make_hosts("web-1", "web-2"), Limits(settle=30.0), {"web-1", "web-2"}
    return world


def unseen(shop: World, state: StateDir, rule: HealRule = RULE, **settings: Any) -> HealRecord:
    """Heal the first host in a run that ends with the act."""
    means = shop.means(deadline=ending_with_the_act(shop), **settings)
    report = make_report([make_result("critical"), make_result("ok", "web-2")], shop.now)
    (record,) = heal(report, [rule], state, means, history={})
    assert record.verifying
    shop.on_act = lambda name: None
    return record


def check(shop: World, state: StateDir, rule: HealRule = RULE, **states: str) -> list[HealRecord]:
    """Check the second host alone, or what is said, and heal."""
    results = [make_result(one, host.replace("_", "-")) for host, one in (states or {"web_2": "critical"}).items()]
    return heal(make_report(results, shop.now), [rule], state, shop.means(), history=_known(shop))


def _known(shop: World) -> dict[str, Any]:
    return {result_id(name): Seen(host=name, state="ok", time=shop.now - 1) for name in shop.hosts}


def test_a_group_is_healed_host_by_host_each_once_the_one_before_is_proven_well(shop: World, state: StateDir) -> None:
    unseen(shop, state)
    shop.now += 12
    (refused,) = check(shop, state, web_1="unknown", web_2="critical")[1:]
    assert (refused.before.host, closed(refused)) == ("web-2", ["together"])
    assert note([refused]) == [
        "not healed: 1 heal of mend-web is not verified yet (web-1, since 12 s); at most 1 together"
    ]
    shop.now += 60
    first, second = check(shop, state, web_1="ok", web_2="critical")
    assert (first.before.host, first.verified, first.later) == ("web-1", True, True)
    assert (second.before.host, second.verified) == ("web-2", True)


def test_one_that_is_known_not_to_have_helped_holds_up_no_other(shop: World, state: StateDir) -> None:
    unseen(shop, state)
    shop.now += 12
    _, one = check(shop, state, web_1="warning", web_2="critical")
    assert (one.before.host, one.verified) == ("web-2", True)


def test_without_the_key_nobody_is_waited_for(shop: World, state: StateDir) -> None:
    unseen(shop, state, make_rule())
    shop.now += 12
    assert check(shop, state, make_rule())[0].verified


def test_the_host_itself_goes_on_up_its_ladder(world: World, state: StateDir) -> None:
    rule = make_rule(together=1, do=(("run", "true"), ("provision", {})))
    assert [record.ending for record in run(world, state, rule)] == ["failed", "healed"]


@pytest.mark.parametrize("seconds, open", [(ACT + BOUND - 1, False), (ACT + BOUND, True)])
def test_a_scenario_that_is_gone_holds_up_others_for_an_hour_after_the_deadline(
    shop: World, state: StateDir, seconds: float, open: bool
) -> None:
    unseen(shop, state)
    shop.now += seconds
    states = {"web-1": "unknown"}
    shop.look = lambda host: make_result(states.get(host, "critical" if host in shop.sick else "ok"), host)
    told = check(shop, state)
    assert told[-1].before.host == "web-2"
    assert (told[-1].verified, closed(told[-1])) == ((True, []) if open else (False, ["together"]))
    assert bool(verifying.pending(state, "shop/prod")) is not open
    if open:
        words = "nobody could see for 60 min whether it helped"
        assert note(told)[0] == f"not verified: provision on web-1, {words}"
        assert shop.lost == [f"of a heal of {result_id('web-1')} by provision {words}"]
        assert events(state)[2:3] == ["failed"]


def test_a_scenario_or_a_host_that_is_gone_is_told_costs_nothing_and_holds_up_nobody(
    shop: World, state: StateDir
) -> None:
    unseen(shop, state)
    shop.now += 601
    results = make_report([make_result("critical", "web-2")], shop.now)
    means = shop.means(planned=lambda feature: [result_id("web-2")])
    told = heal(results, [RULE], state, means, history=_known(shop))
    assert note(told)[0] == "not verified: provision on web-1, its scenario is there no longer"
    assert (told[-1].before.host, told[-1].verified, shop.lost) == ("web-2", True, [])
    assert (verifying.pending(state, "shop/prod"), events(state)[2]) == ({}, "failed")
    shop.sick = {"web-1"}
    shop.now += 7200
    unseen(shop, state)
    del shop.hosts["web-1"]
    (record,) = check(shop, state, web_2="ok")
    assert note([record]) == ["not verified: provision, its host is of the stack no longer"]
    assert (verifying.pending(state, "shop/prod"), shop.lost) == ({}, [])


def test_a_rung_that_has_hours_to_take_effect_is_waited_for_beyond_them(shop: World, state: StateDir) -> None:
    rule = make_rule(together=1, settles=(2 * 3600.0,))
    unseen(shop, state, rule)
    shop.now += ACT + BOUND
    assert closed(check(shop, state, rule)[-1]) == ["together"]
    assert list(verifying.pending(state, "shop/prod")) == [result_id("web-1")]
    shop.now += 2 * 3600.0
    assert check(shop, state, rule)[-1].verified
    assert verifying.pending(state, "shop/prod") == {}


def test_a_heal_of_a_drill_that_nobody_could_see_costs_nothing(shop: World, state: StateDir) -> None:
    unseen(shop, state, drilled="mend-web")
    shop.now += ACT + BOUND
    check(shop, state)
    assert (verifying.pending(state, "shop/prod"), shop.lost) == ({}, [])


def test_neighbours_for_which_no_check_ever_has_time_end_it_as_not_verified(shop: World, state: StateDir) -> None:
    rule = make_rule(together=1, neighbours="@web")
    beside = {"neighbours": lambda rule: [result_id("web-2")]}
    shop.sick.remove("web-2")
    unseen(shop, state, rule, **beside)
    shop.sick.clear()

    def short(seconds: float) -> list[HealRecord]:
        """Check in a run that ends before it has seen the second host again."""
        shop.now += seconds
        too_late = make_report([make_result("unknown", "web-2")])
        means = shop.means(deadline=Deadline(0.0), rerun=lambda ids: too_late, **beside)
        return heal(shop.report(), [rule], state, means, history={})

    assert (short(1.0), list(verifying.pending(state, "shop/prod"))) == ([], [result_id("web-1")])
    assert short(ACT + BOUND - 2.0) == []
    (record,) = short(1.0)
    assert (record.ending, verifying.pending(state, "shop/prod")) == ("failed", {})
    assert note([record])[0].startswith("not verified: provision, nobody could see for 60 min how what is beside it is")
    assert len(shop.lost) == 1


def test_what_still_waits_is_taken_over_into_a_new_file(
    shop: World, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    unseen(shop, state)
    monkeypatch.setenv("INFRATEST_KEEP_SIZE", "1KiB")
    shop.now += 12
    check(shop, state)
    assert (state.path / "heal.1.jsonl").exists()
    assert [one.verifying for one in Audit(state, "shop/prod", shop.now, looking=True).tries] == [True]
