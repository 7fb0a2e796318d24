"""Killed inside a call about an address of CloudStack or its network, a run leaves nothing that `reap` does not remove.

An address has no labels when it is taken; the network that it is taken for has. Beside the stack that is struck another
one of the same name stands, with an address of the same name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.up import up
from tests.lifecycle.killed import Kills, Scene, at_every, inside, killed_inside
from tests.worlds import cloudstack_simulator
from tests.worlds.cloudstack_simulator import isolated
from tests.worlds.fault_proxy import proxy

pytestmark = pytest.mark.timeout(900)

WHOLE = 3  # a network, an address and a host

#: What changes something at CloudStack about addresses alone.
CHANGING = {
    "up": ("createNetwork", "associateIpAddress", "createTags", "enableStaticNat"),
    "destroy": ("disassociateIpAddress", "deleteNetwork"),
}


@pytest.fixture(scope="module", autouse=True)
def _account() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloudstack_simulator.credentials().items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    scene = scene_with_address(tmp_path_factory.mktemp("foreign") / "stack", is_up=True)
    before = {one.id for one in scene.ours()}
    assert len(before) == WHOLE
    yield scene
    assert {one.id for one in scene.ours()} == before
    destroy(scene.life())
    assert (isolated().account.networks, isolated().account.addresses) == ({}, {})


def scene_with_address(folder: Path, is_up: bool, url: str = "") -> Scene:
    """Args: url: of what stands before the API; a stack stays at the place where it was made."""
    folder.mkdir(parents=True)
    scene = Scene(folder)
    options = cloudstack_simulator.options(url or isolated().url, **{"own-network": True})
    stack = {
        "stack": "kill",
        "provider": {"name": "cloud", **options},
        "hosts": {"web": {key.replace("_", "-"): one for key, one in cloudstack_simulator.host_options().items()}},
        "components": {"front": {"type": "address", "to": {"host": "web"}}},
    }
    scene.stack_file.write_text(json.dumps(stack))
    if is_up:
        up(scene.life())
    return scene


@pytest.mark.machines  # minutes: a stack is made for each point
@pytest.mark.parametrize("verb", ["up", "destroy"])
def test_killed_inside_every_call_about_an_address(tmp_path, foreign, verb):
    kill_at(inside(CHANGING[verb], 1), verb, tmp_path, foreign)


def test_killed_in_short_while_jobs_take_their_time(tmp_path, foreign):
    """A job that was asked for goes on when whoever asked is dead: an address has no network before, and no name."""
    isolated().account.wish(pending=1)
    try:
        kill_at(["associateIpAddress done"], "up", tmp_path, foreign)
    finally:
        isolated().account.wish()


def test_killed_in_short_while_it_is_removed(tmp_path, foreign):
    kill_at(["disassociateIpAddress done"], "destroy", tmp_path, foreign)


def kill_at(points: list[str], verb: str, folder: Path, foreign: Scene) -> None:
    kills = Kills("cloud, driver cloudstack (simulator)", verb, lambda: {one.id: one.name for one in foreign.ours()})
    before = kills.begin()

    def strike(number: int, point: str) -> None:
        with proxy(isolated().url) as api:
            scene = scene_with_address(folder / f"{number}", verb != "up", f"{api.url}client/api")
            api.reset()
            killed_inside(scene, verb, point, api)
            api.reset()
            kills.reaped(scene, f"{point} (inside a call)", before, WHOLE)

    at_every(points, strike)
