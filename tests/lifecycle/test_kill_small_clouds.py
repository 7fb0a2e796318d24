"""Killed at any point on a simulated DigitalOcean or Linode, a run leaves nothing that `reap` does not remove.

Drivers of libcloud that have no file here: their servers are all that a stack has there, and tags carry its lease. The
points are those of test_kill_cloud.py: of the journal and the provider, and inside each call that changes something.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.up import up
from tests.lifecycle.killed import SIGKILLED, Kills, Scene, at_every, changing_points, generated, killed
from tests.worlds.cloudstack_simulator import host_options
from tests.worlds.fault_proxy import Fault, proxy
from tests.worlds.small_clouds_simulator import TOKEN, SmallClouds, small_clouds

pytestmark = pytest.mark.timeout(900)

WHOLE = 1  # a host

DROPLETS, LINODES = "/v2/droplets", "/v4/linode/instances"
#: What changes something, by driver and verb, as a proxy has it; libcloud halts no droplet.
CHANGING = {
    ("digitalocean", "up"): f"POST {DROPLETS}",
    ("digitalocean", "destroy"): rf"DELETE {DROPLETS}/\d+",
    ("linode", "up"): f"POST {LINODES}",
    ("linode", "halt"): rf"POST {LINODES}/\d+/shutdown",
    ("linode", "destroy"): rf"DELETE {LINODES}/\d+",
}


@pytest.fixture(scope="module")
def clouds() -> Iterator[SmallClouds]:
    with pytest.MonkeyPatch.context() as patch, small_clouds() as running:
        patch.setenv("SMALL_CLOUD", TOKEN)
        yield running


@pytest.fixture(scope="module")
def foreign(clouds: SmallClouds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A stack of the same name from another state directory, up for as long as these tests last."""
    scene = scene_of(tmp_path_factory.mktemp("foreign") / "stack", "linode", clouds.url, is_up=True)
    before = {one.id for one in scene.ours()}
    assert len(before) == WHOLE
    yield scene
    assert {one.id for one in scene.ours()} == before
    assert [host.state for host in scene.life().hosts()] == ["running"]
    destroy(scene.life())
    assert clouds.machines == {}  # of all that there were in these tests


def scene_of(folder: Path, driver: str, url: str, is_up: bool) -> Scene:
    folder.mkdir(parents=True)
    scene = Scene(folder)
    stack = {
        "stack": "kill",
        "parameters": {"token": {"type": "string", "secret": True, "from": {"env": "SMALL_CLOUD"}}},
        "provider": {"name": "cloud", "driver": driver, "region": "nyc3", "endpoint": url, "key": "{param.token}"},
        "hosts": {"web": {key.replace("_", "-"): value for key, value in host_options().items()}},
    }
    scene.stack_file.write_text(json.dumps(stack))
    if is_up:
        up(scene.life())
    return scene


def kills_of(driver: str, verb: str, foreign: Scene, clouds: SmallClouds) -> Kills:
    """Both drivers see the same servers here: what is of others is the simulator's own word."""
    ids = {one.id for one in foreign.ours()}
    return Kills(
        f"cloud, driver {driver} (simulator)", verb,
        lambda: {str(one.id): one.state for one in list(clouds.machines.values()) if f"{one.id}" in ids},
    )  # fmt: skip


@pytest.mark.machines  # minutes: a server is made for each point
@pytest.mark.parametrize("driver, verb", CHANGING)
def test_killed_at_every_point_of_the_journal(tmp_path, clouds, foreign, driver, verb):
    kill_at(slice(None), driver, verb, tmp_path, clouds, foreign)


@pytest.mark.parametrize("driver, verb", CHANGING)
def test_killed_in_short_at_some_points_of_the_journal(tmp_path, clouds, foreign, driver, verb):
    kill_at(slice(1, None, 4), driver, verb, tmp_path, clouds, foreign)


def kill_at(some: slice, driver: str, verb: str, folder: Path, clouds: SmallClouds, foreign: Scene) -> None:
    whole = scene_of(folder / "whole", driver, clouds.url, verb != "up")
    # Between a thing that is done and the next before it begins nothing happens: one of both points is enough.
    points = [point for point in changing_points(generated(whole, verb)) if point.startswith("after ")][some]
    destroy(whole.life())
    assert points
    print(f"\n{verb}: killed at {len(points)} points on {driver}")
    kills = kills_of(driver, verb, foreign, clouds)
    before = kills.begin()

    def strike(number: int, point: str) -> None:
        scene = scene_of(folder / f"{number}", driver, clouds.url, verb != "up")
        killed(scene, verb, point)
        kills.reaped(scene, point, before, WHOLE)

    at_every(points, strike)


@pytest.mark.parametrize("driver, verb", CHANGING)
def test_killed_inside_the_call_that_changes_something(tmp_path, clouds, foreign, driver, verb):
    kills = kills_of(driver, verb, foreign, clouds)
    before = kills.begin()

    def strike(number: int, when: str) -> None:
        action = CHANGING[driver, verb]
        with proxy(clouds.url) as api:
            scene = scene_of(tmp_path / f"{number}", driver, api.url, verb != "up")  # it stays where it was made
            api.reset()
            process = scene.start(verb, "SIGKILL", "-")
            kill = lambda: os.kill(process.pid, signal.SIGKILL)  # noqa: E731
            fault = Fault(action, before=kill, status=503) if when == "asked" else Fault(action, after=kill, lost=True)
            api.have(fault)
            words = process.communicate(timeout=120)[0].decode()
            assert process.returncode == SIGKILLED, (when, words)
            assert fault.times == 0, when
            api.reset()
            kills.reaped(scene, f"{action} {when} (inside a call)", before, WHOLE)

    at_every(["asked", "done"], strike)
