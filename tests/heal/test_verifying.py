"""`verifying.json`: what cannot be read in it, or waits for what is gone, is dropped, so that a check is fast again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infratest.errors import ProviderError, UserError
from infratest.heal import verifying
from infratest.heal.healing import heal
from infratest.project import prepare
from infratest.project.collecting import planned
from infratest.project.heal import means_of
from infratest.project.session import session_of
from infratest.store.directory import StateDir
from tests.cli.test_heal import ID, Project
from tests.worlds.heal_world import NOON, World, make_report, make_result, make_rule, result_id

GONE = result_id("web-1", "gone")
WAITS = {"number": "1", "rule": "mend-web", "remedy": "provision", "was": "critical", "ended": NOON}
OLD = {"try": "1", "rule": "mend-web", "remedy": "provision", "was": "critical"}


def left(world: World, state: StateDir, written: Any, **means: Any) -> Any:
    """Return what is left of a file after a check that has found all well; None where there is none."""
    state.write("verifying.json", written if isinstance(written, str) else json.dumps(written))
    heal(make_report([make_result("ok")], world.now), [make_rule()], state, world.means(**means), history={})
    path = state.path / "verifying.json"
    return json.loads(path.read_text()) if path.exists() else None


@pytest.mark.parametrize(
    "written",
    [
        {"shop/prod": {GONE: OLD}},
        {"shop/prod": {result_id("web-1"): WAITS | {"ended": "yesterday"}}},
        {"shop/prod": [WAITS]},
        {"shop/prod": {result_id("web-9"): WAITS}},
        {"shop/prod": {GONE: OLD}, "gone": {result_id("web-1"): WAITS | {"ended": NOON - 31 * 86400}}},
        '{"shop/prod": {',
    ],
)
def test_what_cannot_be_read_and_what_is_of_no_host_goes(world: World, state: StateDir, written: Any) -> None:
    assert left(world, state, written) is None
    assert world.lost == []


def test_what_is_noted_beside_what_cannot_be_read_stays(world: World, state: StateDir) -> None:
    written = {"shop/prod": {GONE: WAITS, result_id("web-1", "old"): OLD}, "shop/dev": {GONE: WAITS, "x": OLD}}
    found = left(world, state, written)
    assert {env: [*entries] for env, entries in found.items()} == {"shop/prod": [GONE], "shop/dev": [GONE]}
    assert verifying.pending(state, "shop/prod")[GONE].number == "1"


def refused(feature: str) -> None:
    raise UserError("features/shop.feature:3: not a sentence")


@pytest.mark.parametrize(
    ("later", "planned", "stays"),
    [
        (601.0, lambda feature: [result_id("web-1")], False),
        (601.0, lambda feature: [GONE], True),
        (599.0, lambda feature: [result_id("web-1")], True),  # it may have been made a moment ago
        (601.0, refused, True),
    ],
)
def test_what_no_check_looks_at_any_more_goes(
    world: World, state: StateDir, later: float, planned: Any, stays: bool
) -> None:
    world.now += later
    assert (left(world, state, {"shop/prod": {GONE: WAITS}}, planned=planned) is not None) is stays


def test_whether_a_scenario_is_still_there_is_not_asked_in_every_run(world: World, state: StateDir) -> None:
    state.write("verifying.json", json.dumps({"shop/prod": {GONE: WAITS}}))
    asked, there = list[float](), [GONE]

    def plan(feature: str) -> list[str]:
        asked.append(world.now - NOON)
        return there

    means = world.means(planned=plan)
    for _ in range(20):
        world.now += 60
        heal(make_report([make_result("ok")], world.now), [make_rule()], state, means, history={})
    assert asked == [660]
    there.clear()
    world.now += 61
    heal(make_report([make_result("ok")], world.now), [make_rule()], state, means, history={})
    assert (asked, verifying.pending(state, "shop/prod")) == ([660, 1261], {})


def test_no_provider_is_asked_for_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Project(tmp_path)
    means = means_of(session_of(tmp_path / "stack.yaml", env="prod"))

    def silent(*about: object) -> None:
        raise ProviderError("the API did not answer")

    monkeypatch.setattr(prepare, "open_hosts", silent)
    assert means.planned(ID.partition("#")[0]) == [ID]


def test_the_plan_is_what_checks_may_run_on_all_hosts(tmp_path: Path) -> None:
    Project(tmp_path)
    session = replace(session_of(tmp_path / "stack.yaml", env="prod"), host=("web-9",))
    feature = ID.partition("#")[0]
    assert planned(session, feature, None) == [ID]
    path = tmp_path / feature
    words = path.read_text()
    path.write_text(words.replace("Scenario:", "@skip:for-now\n  Scenario:"))
    assert planned(session, feature, None) == [ID]
    (tmp_path / "beside.feature").write_text(words)  # which only a check that names it runs
    assert planned(session, "beside.feature", None) == [ID.replace(feature, "beside.feature")]
    path.write_text(words.replace("Scenario:", "@test\n  Scenario:"))
    assert planned(session, feature, None) == []
    path.unlink()
    assert planned(session, feature, None) == []
