"""Two stacks with one state directory: what is counted, kept, waited for and asked of one is nothing to the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.errors import UserError
from infratest.heal import proposals, verifying
from infratest.heal.audit import Audit
from infratest.heal.gates import Limits
from infratest.heal.healing import heal
from infratest.heal.proposals import Approval
from infratest.heal.records import HealRecord
from infratest.model import file_name, place_of
from infratest.project.drifted import last_green
from infratest.project.session import session_of
from infratest.stack.declared import HealRule
from infratest.store import drilling, events, failures, history, readings
from infratest.store.directory import StateDir
from tests.worlds import small_project
from tests.worlds.heal_world import NOON, World, closed, make_report, make_result, make_rule, run

MINE, THEIRS = place_of("shop", "prod"), place_of("office", "prod")
ID = make_result("ok").id


def run_of_theirs(world: World, state: StateDir, rule: HealRule) -> list[HealRecord]:
    """Check the other stack once, a minute later, and heal; its hosts, features and rules have the same names."""
    world.now += 60
    report = world.report().changed(stack="office")
    return heal(report, [rule], state, world.means(marks=str(world.folder / "theirs")), history={})


def test_a_failure_confirms_none_of_the_other(world: World, state: StateDir) -> None:
    rule = make_rule(confirm=2)
    assert closed(*run(world, state, rule)) == ["confirm"]
    assert closed(*run_of_theirs(world, state, rule)) == ["confirm"]
    assert world.acts == []
    assert [failures.load(state, each)[ID].failures for each in (MINE, THEIRS)] == [1, 1]


def test_tries_are_taken_from_the_budget_of_one(world: World, state: StateDir) -> None:
    world.helps, rule = False, make_rule(tries=1)
    assert run(world, state, rule)[0].outcome == "tried"
    assert closed(*run(world, state, rule)) == ["budget"]
    assert run_of_theirs(world, state, rule)[0].outcome == "tried"
    assert [len(Audit(state, each, world.now, looking=True).tries) for each in (MINE, THEIRS)] == [1, 1]


def test_what_waits_to_be_verified_is_seen_to_have_helped_by_its_own_check_alone(world: World, state: StateDir) -> None:
    world.helps, world.limits, rule = False, Limits(settle=0.0, looking=0.0), make_rule(settles=(300.0,))
    assert run(world, state, rule)[0].ending == "verifying"
    world.sick.clear()
    assert run_of_theirs(world, state, rule) == []
    assert [*verifying.pending(state, MINE)] == [ID]
    (record,) = run(world, state, rule)
    assert (record.verified, verifying.pending(state, MINE)) == (True, {})


def test_a_proposal_is_answered_where_it_was_made(world: World, state: StateDir) -> None:
    rule = make_rule(mode="propose")
    (mine,) = run(world, state, rule)
    yes = Approval(by="alice(1000)@desk", time=world.now)
    with pytest.raises(UserError, match="there are none"):
        proposals.approve(state, THEIRS, mine.proposal, yes, None, 1, frozenset())
    (theirs,) = run_of_theirs(world, state, rule)
    assert mine.proposal != theirs.proposal
    proposals.approve(state, MINE, mine.proposal, yes, None, 1, frozenset())
    assert [each.outcome for each in run_of_theirs(world, state, rule)] == ["proposed"]
    assert world.acts == []


def test_results_and_readings_are_kept_apart(state: StateDir) -> None:
    seen = make_report([make_result("critical")])
    history.save(state, seen, NOON)
    history.save(state, seen.changed(stack="office", results=[make_result("ok")]), NOON)
    assert [history.last(state, each)[ID].state for each in (MINE, THEIRS)] == ["critical", "ok"]
    (state.path / f"readings-{file_name(MINE)}.json").write_text('{"schema": 1, "readings": {"web": {"n": [[1, 2]]}}}')
    assert [len(readings.load(state, each)) for each in (MINE, THEIRS)] == [1, 0]


def test_a_drill_is_over_or_not_by_its_own_word(state: StateDir) -> None:
    drilling.begin(state, MINE, NOON)
    drilling.begin(state, THEIRS, NOON + 5)
    drilling.end(state, THEIRS, NOON + 5, NOON + 9)
    assert [drilling.during(state, each, NOON + 10) for each in (MINE, THEIRS)] == [True, False]
    assert [drilling.during(state, each, NOON + 2) for each in (MINE, THEIRS)] == [True, False]


@pytest.mark.parametrize(
    "places",
    [
        [("shop", "eu.prod"), ("shop", "eu_prod"), ("shop", "eu-prod"), ("shop.eu", "prod"), ("shop", "")],
        [("shop", "dev"), ("shop", "Dev"), ("Shop", "dev"), ("shop-dev", "")],
        [("shop", "é"), ("shop", "E"), ("shop", "%c3%a9"), ("shop@dev", ""), ("shop", "dev")],
    ],
)
def test_no_two_places_have_the_same_files(places: list[tuple[str, str]]) -> None:
    """Not even on a disk for which capitals are none, as macOS has it."""
    names = [file_name(place_of(*each)) for each in places]
    assert len({name.casefold() for name in names}) == len(places), names
    assert not any("/" in name for name in names)


def test_when_it_was_last_green_is_known_by_its_own_events(tmp_path: Path) -> None:
    """Else the freeze gate takes what was changed here since for older than another's last green look."""
    text = "stack: shop\nprovider: local\nhosts: {web-1: {}}\nenvironments: {dev: {}, prod: {}}\n"
    small_project.write(tmp_path, {"stack.yaml": text})
    session = session_of(tmp_path / "stack.yaml", env="prod")
    green = make_report([make_result("ok")])
    for at, seen in ((10, green), (20, green.changed(env="dev")), (30, green.changed(stack="office"))):
        told = [one.changed(time=NOON + at) for one in events.of_report(seen)]
        events.append(session.state, told)
    assert last_green(session, ID) == NOON + 10
