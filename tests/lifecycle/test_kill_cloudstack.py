"""Killed at any point on a simulated CloudStack, a run leaves nothing that `reap` does not remove, and nothing foreign.

The points are those of test_kill_cloud.py: of the journal and the provider, and inside each call that changes
something. A job that was asked for goes on when whoever asked is dead.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.up import up
from tests.lifecycle.killed import (
    STEPS,
    Kills,
    Scene,
    at_every,
    changing_points,
    generated,
    inside,
    killed,
    killed_inside,
)
from tests.worlds import cloudstack_simulator
from tests.worlds.cloudstack_simulator import simulator
from tests.worlds.fault_proxy import proxy

pytestmark = pytest.mark.timeout(900)

WHOLE = 2  # a group and a host

#: What changes something at CloudStack; the other commands look.
CHANGING = {
    "up": ("createSecurityGroup", "authorizeSecurityGroupIngress", "deployVirtualMachine"),
    "halt": ("stopVirtualMachine",),
    "destroy": ("destroyVirtualMachine", "deleteSecurityGroup"),
}


@pytest.fixture(scope="module", autouse=True)
def _account() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloudstack_simulator.credentials().items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A stack of the same name from another state directory, up for as long as these tests last."""
    scene = cloudstack_scene(tmp_path_factory.mktemp("foreign") / "stack", is_up=True)
    before = {one.id for one in scene.ours()}
    assert len(before) == WHOLE
    yield scene
    assert {one.id for one in scene.ours()} == before
    assert [host.state for host in scene.life().hosts()] == ["running"]
    destroy(scene.life())
    assert scene.ours() == []
    assert simulator().nodes.names() == []  # of all the machines that there were in these tests


def cloudstack_scene(folder: Path, is_up: bool, url: str = "") -> Scene:
    """Write a stack file, for the simulator itself or for what stands before it, and have it up."""
    folder.mkdir(parents=True)
    scene = Scene(folder)
    host = {key.replace("_", "-"): value for key, value in cloudstack_simulator.host_options().items()}
    stack = {
        "stack": "kill",
        "provider": {"name": "cloud", **cloudstack_simulator.options(url)},
        "hosts": {"web": host},
    }
    scene.stack_file.write_text(json.dumps(stack))
    if is_up:
        up(scene.life())
    return scene


def kills_of(verb: str, foreign: Scene) -> Kills:
    return Kills("cloud, driver cloudstack (simulator)", verb, lambda: {one.id: one.name for one in foreign.ours()})


@pytest.mark.machines  # minutes: a server is made for each point
@pytest.mark.parametrize("verb", ["up", "halt", "destroy"])
def test_killed_at_every_point_of_the_journal(tmp_path, foreign, verb):
    kill_at(points_of(tmp_path / "whole", verb), verb, tmp_path, foreign)


def points_of(folder: Path, verb: str) -> list[str]:
    whole = cloudstack_scene(folder, verb != "up")
    # Between a thing that is done and the next before it begins nothing happens: one of both points is enough.
    points = [point for point in changing_points(generated(whole, verb)) if point.startswith("after ")]
    destroy(whole.life())
    return points


def kill_at(points: list[str], verb: str, folder: Path, foreign: Scene) -> None:
    print(f"\n{verb}: killed at {len(points)} points on CloudStack")
    kills = kills_of(verb, foreign)
    before = kills.begin()

    def strike(number: int, point: str) -> None:
        scene = cloudstack_scene(folder / f"{number}", verb != "up")
        killed(scene, verb, point)
        kills.reaped(scene, point, before, WHOLE)

    at_every(points, strike)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("verb", ["up", "halt", "destroy"])
def test_killed_inside_calls_that_changes_something(tmp_path, foreign, verb, step):
    kills = kills_of(verb, foreign)
    before = kills.begin()

    def strike(number: int, point: str) -> None:
        with proxy(simulator().url) as api:
            # It stays where it was made.
            scene = cloudstack_scene(tmp_path / f"{number}", verb != "up", f"{api.url}client/api")
            api.reset()
            killed_inside(scene, verb, point, api)
            api.reset()
            kills.reaped(scene, f"{point} (inside a call)", before, WHOLE)

    at_every(inside(CHANGING[verb], step), strike)
