"""The kill switch."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.errors import StateError
from infratest.heal.healing import heal
from infratest.heal.pause import pause, paused_until, resume
from infratest.store.directory import StateDir
from tests.worlds.heal_world import NOON, World, make_rule


def test_nothing_is_paused_and_nothing_is_made(state: StateDir) -> None:
    assert paused_until(state, NOON) is None
    assert resume(state) is False
    assert not state.exists


def test_a_pause_ends_by_itself(state: StateDir) -> None:
    assert pause(state, 7200.0, NOON) == NOON + 7200
    assert paused_until(state, NOON + 7199) == NOON + 7200
    assert paused_until(state, NOON + 7200) is None


def test_resume_ends_it(state: StateDir) -> None:
    pause(state, 7200.0, NOON)
    assert resume(state) is True
    assert paused_until(state, NOON + 1) is None
    assert resume(state) is False


def test_a_second_pause_replaces_the_first(state: StateDir) -> None:
    pause(state, 7200.0, NOON)
    pause(state, 60.0, NOON)
    assert paused_until(state, NOON + 61) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"until": "soon"}', "\xff"])
def test_a_pause_that_cannot_be_read_allows_nothing(state: StateDir, text: str) -> None:
    state.write("pause.json", text)
    with pytest.raises(StateError, match="resume"):
        paused_until(state, NOON)
    assert resume(state) is True


def test_a_pause_takes_effect_while_another_holds_the_lock(state: StateDir) -> None:
    other = StateDir(state.path)
    with state.lock(purpose="heal"):
        pause(other, 60.0, NOON)
    assert paused_until(state, NOON) == NOON + 60


def test_a_pause_between_two_rungs_stops_the_ladder(state: StateDir, tmp_path: Path) -> None:
    world = World(tmp_path, sick={"web-1"}, helps=False)
    failed = world.means(lost=lambda rule, why: void(pause(state, 60.0, world.now)))
    records = heal(world.report(), [make_rule(do=(("provision", {}), ("provision", {})))], state, failed, history={})
    assert [record.outcome for record in records] == ["tried", "refused"]
    assert [answer.name for answer in records[1].gates if not answer.passed] == ["pause"]
    assert len(world.acts) == 1


def test_a_pause_while_a_rung_acts_lets_its_verdict_wait_and_stops_the_ladder(state: StateDir, tmp_path: Path) -> None:
    world = World(tmp_path, sick={"web-1"}, helps=False)
    world.on_act = lambda name: void(pause(state, 60.0, world.now))
    records = heal(
        world.report(), [make_rule(do=(("provision", {}), ("provision", {})))], state, world.means(), history={}
    )
    assert [(record.outcome, record.verifying) for record in records] == [("tried", True)]
    assert (len(world.acts), world.lost) == (1, [])


def void(_: object) -> None:
    """Forget a value, so that a lambda is of the right type."""
