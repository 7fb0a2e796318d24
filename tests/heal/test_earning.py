"""Calm after an approved heal: what counts towards autonomy, from when on, and by which records."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infratest.alerting.moments import Moment
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.heal import proposals, signing
from infratest.heal.audit import Audit
from infratest.heal.earning import Approved, Kept, Look, earned
from infratest.heal.gates import moment
from infratest.heal.healing import heal
from infratest.hosts import Host
from infratest.project import earning, trusting
from infratest.project.session import Session, session_of
from infratest.store import events
from infratest.store.database import changes, connection, meta
from infratest.store.database.changes import Change
from infratest.store.directory import StateDir
from infratest.store.keep import keep
from infratest.transports.base import Transport
from tests.worlds.heal_world import (
    NOON,
    World,
    make_report,
    make_result,
    make_rule,
    open_local,
    result_id,
    run,
)

HOUR = 3600.0
ID, BESIDE = result_id("web-1"), result_id("web-1", "shop-answers")
MANY = [Approved(id=ID, at=NOON - ago) for ago in (9 * HOUR, 6 * HOUR, 3 * HOUR)]
ONE = [Approved(id=ID, at=NOON)]


def looks(*seen: tuple[float, str], id: str = ID) -> list[Look]:
    return [Look(time=NOON + after, id=id, state=state) for after, state in seen]


#: Somebody looks shortly after, and it is well.
SEEN = looks((60.0, "ok"))


@pytest.mark.parametrize("after, count", [(HOUR - 1, 0), (HOUR, 1), (HOUR + 1, 1)])
def test_it_counts_from_the_end_of_the_calm_on(after: float, count: int) -> None:
    found = earned(ONE, (), Kept(looks=SEEN), HOUR, NOON + after)
    assert found.count == count
    assert found.missing == ("" if count else f"the last counts from {moment(NOON + HOUR)} on if it stays calm")


def test_without_calm_it_counts_at_once() -> None:
    assert earned(MANY, (), Kept(), 0.0, NOON).count == 3


@pytest.mark.parametrize("state", ["critical", "warning"])
@pytest.mark.parametrize("at, count", [(-1.0, 1), (0.0, 1), (1.0, 0), (HOUR - 1, 0), (HOUR, 1), (HOUR + 1, 1)])
def test_the_healed_result_is_red_again(at: float, state: str, count: int) -> None:
    found = earned(ONE, (), Kept(looks=[*looks((at, state)), *SEEN]), HOUR, NOON + 2 * HOUR)
    assert found.count == count
    assert count or found.missing == f"{ID} was {state} again at {moment(NOON + at)}, after the one at {moment(NOON)}"


@pytest.mark.parametrize(
    "before, at, state, count",
    [
        ("ok", 1.0, "warning", 0),
        ("ok", HOUR - 1, "critical", 0),
        ("ok", HOUR, "critical", 1),
        ("ok", HOUR + 1, "critical", 1),
        ("ok", 60.0, "unknown", 1),
        ("warning", 60.0, "warning", 1),
        ("warning", 60.0, "critical", 0),
        ("critical", 60.0, "critical", 1),
        ("", 60.0, "warning", 0),  # what was not known before may have been well
    ],
)
def test_a_neighbour_that_turns_worse(before: str, at: float, state: str, count: int) -> None:
    beside = looks(*([(-60.0, before)] if before else []), (at, state), id=BESIDE)
    kept = Kept(looks=[*beside, *SEEN])
    assert earned(ONE, {BESIDE}, kept, HOUR, NOON + 2 * HOUR).count == count
    assert earned(ONE, (), kept, HOUR, NOON + 2 * HOUR).count == 1


@pytest.mark.parametrize(
    "kept, words",
    [
        (Kept(), f"nobody has looked at {ID} since"),
        (Kept(looks=looks((60.0, "unknown"))), "nobody has looked"),
        (Kept(looks=looks((-1.0, "ok"))), "nobody has looked"),
        (Kept(looks=looks((HOUR, "critical"))), f"{ID} was critical when it was looked at next"),
        (Kept(looks=SEEN, since=NOON + 1), f"what was seen is kept since {moment(NOON + 1)} alone"),
        (Kept(looks=SEEN, problem="it is away"), "it is away"),
    ],
)
def test_what_nobody_knows_is_not_calm(kept: Kept, words: str) -> None:
    found = earned(ONE, (), kept, HOUR, NOON + 2 * HOUR)
    assert (found.count, words in found.missing) == (0, True), found.missing
    assert earned(ONE, (), Kept(looks=looks((HOUR, "ok")), since=NOON), HOUR, NOON + 2 * HOUR).count == 1


def test_the_row_begins_anew_after_one_that_was_not_calm_and_ends_with_those_that_may_be_yet() -> None:
    seen = looks((-8.9 * HOUR, "ok"), (-5.5 * HOUR, "critical"), (-5.4 * HOUR, "ok"), (-2.9 * HOUR, "ok"), (60.0, "ok"))
    found = earned([*MANY, *ONE], (), Kept(looks=seen), HOUR, NOON + 120.0)
    assert found.count == 1
    assert found.waiting == (NOON + HOUR,)
    assert found.missing.startswith("the last counts from ")
    assert f"; {ID} was critical again at {moment(NOON - 5.5 * HOUR)}" in found.missing
    two = earned([*MANY, *ONE], (), Kept(looks=seen), 4 * HOUR, NOON + 120.0)
    assert (two.count, two.waiting) == (0, (NOON + HOUR, NOON + 4 * HOUR))
    assert two.missing.startswith(f"the last 2 count, the newest of them from {moment(NOON + 4 * HOUR)} on if it")


STACK = """\
stack: shop
provider: local
environments: {{prod: {{}}}}
hosts: {{web-1: {{groups: [web]}}}}
heal:
  trusted-keys: {{alice: "{key}"}}
  mend-web:
    when: {{tags: "@web"}}
    do: [{{provision: {{}}}}]
    neighbours: "@shop"
    mode: auto
    proof: {{drill: lost-flag}}
    earn: {{approvals: 1, calm: 1h}}
"""
FEATURE = """\
Feature: The shop
  @web
  Scenario: nginx answers
    Then port 80 is listening

  @shop
  Scenario: shop answers
    Then port 81 is listening
"""


class Shop:
    """A stack of which one heal was approved and has helped, and what was kept of it since."""

    def __init__(self, folder: Path, key: signing.Key) -> None:
        self.folder, self.key = folder, key
        (folder / "stack.yaml").write_text(STACK.format(key=key.public))
        (folder / "features").mkdir()
        (folder / "features" / "web.feature").write_text(FEATURE)
        self.state = self.session.state
        world, rule = World(folder, sick={"web-1"}), make_rule(mode="propose")
        (proposed,) = run(world, self.state, rule)
        yes = proposals.Approval(by="alice(1000)@desk", time=world.now)
        proposals.approve(self.state, "shop/prod", proposed.proposal, yes, None, 1, frozenset())
        run(world, self.state, rule)
        self.world, self.rule = world, rule
        (one,) = Audit(self.state, "shop/prod", world.now, looking=True).approved("mend-web")
        self.healed = one.at
        self.check(60.0, nginx_answers="ok", shop_answers="ok")

    @property
    def session(self) -> Session:
        return session_of(self.folder / "stack.yaml", env="prod")

    def check(self, after: float, **states: str) -> None:
        """Keep what a check has seen so long after the heal."""
        results = [make_result(state, id=result_id("web-1", name.replace("_", "-"))) for name, state in states.items()]
        events.append(self.state, events.of_report(make_report(results, self.healed + after)))

    def count(self, after: float = 2 * HOUR) -> int:
        """Return how many heals count so long after it."""
        session = self.session
        return earning.of_rule(session, trusting.rule_named(session, "mend-web"), self.healed + after).count


def watched(shop: Shop, *hours: int) -> None:
    """Have a monitor have watched both in these hours, counted from that of the heal."""
    with connection.opened(shop.state) as store, store.transaction() as t:
        meta.write_watched(t, shop.healed + 9 * HOUR)
        for hour in hours:
            changes.mark(t, NOON + hour * HOUR + 60, {ID: "ok", BESIDE: "ok"})


@pytest.fixture
def shop(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path, signing.make(tmp_path_factory.mktemp("keys") / "heal.key"))


def test_it_counts_where_all_that_is_kept_was_calm(shop: Shop) -> None:
    assert (shop.count(HOUR - 1), shop.count(HOUR)) == (0, 1)


@pytest.mark.parametrize("name", ["nginx_answers", "shop_answers"])
@pytest.mark.parametrize("after, count", [(HOUR - 2, 0), (HOUR + 1, 1)])
def test_what_checks_have_seen(shop: Shop, name: str, after: float, count: int) -> None:
    shop.check(after, **{name: "critical"})
    assert shop.count() == count


@pytest.mark.parametrize("id", [ID, BESIDE])
@pytest.mark.parametrize("after, count", [(HOUR - 2, 0), (HOUR + 1, 1)])
def test_what_the_monitor_has_seen(shop: Shop, id: str, after: float, count: int) -> None:
    with connection.opened(shop.state) as store, store.transaction() as t:
        meta.write_watched(t, shop.healed + 9 * HOUR)
        at = [Moment(when, shop.healed + when) for when in (-HOUR, after)]
        changes.add(t, [Change(at[0], id, "-", "ok"), Change(at[1], id, "ok", "critical", "it is gone")])
    assert shop.count() == count


@pytest.mark.parametrize("place, count", [("shop/prod", 0), ("shop/dev", 1)])
def test_what_the_monitor_of_another_environment_has_seen_says_nothing(shop: Shop, place: str, count: int) -> None:
    with connection.opened(shop.state) as store, store.transaction() as t:
        meta.write_place(t, place)
        at = [Moment(when, shop.healed + when) for when in (-HOUR, 60.0)]
        changes.add(t, [Change(at[0], ID, "-", "ok"), Change(at[1], ID, "ok", "critical", "it is gone")])
    assert shop.count() == count


def test_what_checks_have_seen_of_that_time_and_is_kept_no_longer_but_by_the_monitor(shop: Shop) -> None:
    shop.state.begin_anew("events.jsonl", "events.1.jsonl", [])
    shop.check(HOUR, nginx_answers="ok")
    assert shop.count() == 1
    shop.state.begin_anew("events.jsonl", "events.1.jsonl", [])
    shop.check(HOUR + 60, nginx_answers="ok")
    assert shop.count() == 0
    with connection.opened(shop.state) as store, store.transaction() as t:
        meta.write_watched(t, shop.healed + 9 * HOUR)
        changes.add(t, [Change(Moment(0.0, shop.healed - HOUR), ID, "-", "ok")])
    assert shop.count() == 0  # of the one beside it nobody knows
    with connection.opened(shop.state) as store, store.transaction() as t:
        changes.add(t, [Change(Moment(0.0, shop.healed - HOUR), BESIDE, "-", "ok")])
    assert shop.count() == 0  # nobody may have watched since then
    watched(shop, -1, 0, 1)
    assert shop.count() == 1


@pytest.mark.parametrize("hours, count", [([-3, -2], 0), ([0, 1], 0), ([-1, 0], 0), ([-1, 1], 0), ([-1, 0, 1], 1)])
def test_a_monitor_that_ended_or_paused_has_not_seen_that_it_stayed_calm(
    shop: Shop, hours: list[int], count: int
) -> None:
    """Red in between, for those who have looked; and what they have kept of it was removed since."""
    shop.check(600.0, nginx_answers="critical")
    shop.state.begin_anew("events.jsonl", "events.1.jsonl", [])
    (shop.state.path / "events.1.jsonl").unlink()
    shop.check(1.5 * HOUR, nginx_answers="ok", shop_answers="ok")
    with connection.opened(shop.state) as store, store.transaction() as t:
        changes.add(t, [Change(Moment(0.0, shop.healed - 99 * HOUR), id, "-", "ok") for id in (ID, BESIDE)])
    watched(shop, *hours)
    assert shop.count() == count


@pytest.mark.parametrize(
    ("hours", "count"), [([], 0), ([1], 0), ([-1, 0], 0), ([0, 1], 0), ([1, 3], 0), ([1, 2], 1), ([-1, 0, 2, 3], 1)]
)
def test_what_the_monitor_alone_has_watched_without_a_change(shop: Shop, hours: list[int], count: int) -> None:
    before = [one for one in shop.state.read("events.jsonl") if one["time"] < shop.healed]
    shop.state.begin_anew("events.jsonl", "events.0.jsonl", before)  # nobody has looked since but the monitor
    with connection.opened(shop.state) as store, store.transaction() as t:
        meta.write_watched(t, shop.healed + 9 * HOUR)
        changes.add(t, [Change(Moment(0.0, shop.healed - 1), ID, "critical", "ok")])  # before the engine was done
        for hour in hours:
            changes.mark(t, NOON + hour * HOUR + 60, {ID: "ok"})
    assert shop.count(9 * HOUR) == count


@pytest.mark.parametrize("state, count", [("warning", 1), ("ok", 0)])
def test_one_beside_it_that_has_not_changed_for_as_long_as_that_is_kept(shop: Shop, state: str, count: int) -> None:
    shop.state.begin_anew("events.jsonl", "events.1.jsonl", [])
    shop.check(HOUR, shop_answers="warning", nginx_answers="ok")
    shop.state.begin_anew("events.jsonl", "events.1.jsonl", [])
    shop.check(2 * HOUR, shop_answers="warning", nginx_answers="ok")
    with connection.opened(shop.state) as store, store.transaction() as t:
        meta.write_watched(t, shop.healed + 9 * HOUR)
        changes.add(t, [Change(Moment(0.0, shop.healed - HOUR), ID, "-", "ok")])
        if state == "ok":
            changes.add(t, [Change(Moment(9.0, shop.healed + 9), BESIDE, "ok", "warning")])
        for hour in (-1, 0, 1):
            changes.mark(t, NOON + hour * HOUR, {ID: "ok", BESIDE: state if hour < 0 else "warning"})
    assert shop.count() == count


@pytest.mark.parametrize("left", [False, True])
def test_what_was_removed_to_make_room_was_not_calm(shop: Shop, left: bool) -> None:
    shop.check(600.0, nginx_answers="critical")
    shop.state.begin_anew("events.jsonl", "events.1.jsonl", [])
    (shop.state.path / "events.1.jsonl").unlink()
    if left:
        shop.check(660.0, nginx_answers="ok")
    with connection.opened(shop.state) as store, store.transaction() as t:  # which began to watch when that was over
        meta.write_watched(t, shop.healed + 9 * HOUR)
        changes.add(t, [Change(Moment(0.0, shop.healed + 700), ID, "-", "ok")])
    assert shop.count() == 0


def test_a_later_problem_of_which_only_the_audit_and_the_row_of_failures_tell(shop: Shop) -> None:
    shop.world.sick, shop.world.helps = {"web-1"}, False
    shop.world.now = shop.healed + HOUR - 60 - 1
    run(shop.world, shop.state, make_rule(mode="observe"))
    assert shop.count() == 0
    (shop.state.path / "counts.json").unlink()
    assert shop.count() == 0
    shop.state.begin_anew("heal.jsonl", "heal.1.jsonl", shop.state.read("heal.jsonl")[:-1])
    assert shop.count() == 0  # it stands in the file before that
    (shop.state.path / "heal.1.jsonl").unlink()
    assert shop.count() == 1


def test_what_a_drill_breaks_is_no_harm_that_came_of_a_heal(shop: Shop) -> None:
    shop.world.sick, shop.world.now = {"web-1"}, shop.healed + 600
    heal(shop.world.report(), [shop.rule], shop.state, shop.world.means(drilled="mend-web"), history={})
    assert shop.count() == 1


@pytest.mark.parametrize("after, count", [(-1.0, 0), (0.0, 1), (60.0, 1), (61.0, 0)])
def test_what_is_seen_while_a_drill_has_broken_something_whoever_sees_it(shop: Shop, after: float, count: int) -> None:
    broke = shop.healed + 600
    for seen, state in ((0.0, "critical"), (60.0, "ok")):
        keep(shop.state, make_report([make_result(state)], broke + seen - 0.04), counting=False, drill=broke)
    assert shop.count() == 1
    with connection.opened(shop.state) as store, store.transaction() as t:
        meta.write_watched(t, shop.healed + 9 * HOUR)
        at = [Moment(when, broke + when) for when in (-HOUR, after)]
        changes.add(t, [Change(at[0], ID, "-", "ok"), Change(at[1], ID, "ok", "critical", "it is gone")])
    assert shop.count() == count


@pytest.mark.parametrize("hours, count", [([], 0), ([-1], 1)])
def test_how_one_beside_it_was_before_a_monitor_ended_is_not_how_it_was_at_the_heal(
    shop: Shop, hours: list[int], count: int
) -> None:
    with connection.opened(shop.state) as store, store.transaction() as t:
        changes.add(t, [Change(Moment(0.0, shop.healed - 99 * HOUR), BESIDE, "-", "warning")])
        meta.write_watched(t, shop.healed)
        for hour in hours:
            changes.mark(t, NOON + hour * HOUR + 60, {BESIDE: "warning"})
    kept = [one for one in shop.state.read("events.jsonl") if one["labels"].get("id") != BESIDE]
    shop.state.begin_anew("events.jsonl", "events.0.jsonl", kept)
    shop.check(HOUR / 2, shop_answers="warning")
    assert shop.count() == count


@pytest.mark.parametrize("over, red, count", [
    (None, 60.0, 1), (None, HOUR + 60.0, 0), (30.0, 60.0, 0), (60.0, 50.0, 1),
])  # fmt: skip
def test_what_a_drill_has_broken_that_was_killed_or_interrupted_is_its_doing_until_it_is_well_again(
    shop: Shop, over: float | None, red: float, count: int
) -> None:
    """It has looked at nothing since the fault; who sees that is the monitor, and another problem counts."""
    broke = shop.healed + 600
    for at, outcome in ((0.0, events.BROKE), (over, events.OVER)):
        if at is not None:
            labels = {events.DRILL: f"{broke:.3f}"}
            told = events.lifecycle("shop", "prod", "drill", "-", 0.0, broke + at, outcome, **labels)
            events.append(shop.state, [told])
    with connection.opened(shop.state) as store, store.transaction() as t:
        meta.write_watched(t, shop.healed + 9 * HOUR)
        seen = ((-HOUR, "-", "ok"), (red, "ok", "critical"), (red + 9.0, "critical", "warning"))
        for at, before, after in (*seen, (red + 99.0, "warning", "ok")):
            changes.add(t, [Change(Moment(at, broke + at), ID, before, after)])
    session = shop.session
    rule = replace(trusting.rule_named(session, "mend-web"), calm=3 * HOUR)
    assert earning.of_rule(session, rule, shop.healed + 9 * HOUR).count == count


def test_one_that_was_undone_does_not_count(shop: Shop) -> None:
    audit = Audit(shop.state, "shop/prod", shop.healed, looking=True)
    audit.undo(str(audit.begun()[-1]["try"]), "alice", shop.healed + 600)
    assert shop.count() == 0


def test_a_heal_has_helped_when_that_was_seen_and_not_when_it_was_decided(world: World, state: StateDir) -> None:
    rule = make_rule(mode="propose")
    (proposed,) = run(world, state, rule)
    yes = proposals.Approval(by="alice(1000)@desk", time=world.now)
    proposals.approve(state, "shop/prod", proposed.proposal, yes, None, 1, frozenset())

    def slow(host: Host, deadline: Deadline) -> Transport:
        world.now += 30.0  # meanwhile others see that it is critical
        return open_local(host, deadline)

    heal(world.report(), [rule], state, world.means(open_transport=slow), history={})
    audit = Audit(state, "shop/prod", world.now, looking=True)
    (helped,) = audit.approved("mend-web")
    (begun,) = audit.tries
    assert (helped.at, helped.at - begun.time) == (world.now, 30.0)


def test_trust_says_what_is_missing_and_a_grant_is_refused_until_then(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [shop.healed + 600]
    monkeypatch.setattr(trusting.time, "time", lambda: now[0])
    monkeypatch.setattr(trusting, "proven", lambda session, rule: (True, "proven by drill lost-flag"))
    rule = trusting.rule_named(shop.session, "mend-web")
    words = f"0 of 1 approved heals, the last counts from {moment(shop.healed + HOUR)} on if it stays calm"
    again = f"`{shop.session.command('heal', 'trust', 'mend-web', '--grant', 'auto')}` grants it"
    assert trusting.in_force(shop.session, rule).endswith(f"; {words}; then {again}")
    with pytest.raises(UserError, match="0 of 1 approved heals in a row count, the last counts from "):
        trusting.grant(shop.session, rule, "auto", "", shop.key)
    now[0] = shop.healed + HOUR
    assert trusting.in_force(shop.session, rule).endswith(f"; {again}")
    trusting.grant(shop.session, rule, "auto", "", shop.key)
    assert trusting.told(shop.session, rule).level == "auto"


def test_a_store_that_cannot_be_read_and_one_in_which_nobody_has_watched(shop: Shop) -> None:
    with connection.opened(shop.state):
        pass
    assert shop.count() == 1
    Path(shop.state.file("monitor.db")).write_bytes(b"no database" * 999)
    assert shop.count() == 0
