"""Killed at any point on a cloud, a run leaves nothing that `reap` does not remove, and touches nothing foreign.

Two kinds of points: those of the journal and the provider, as for every provider (`struck.py`), and, which only a cloud
has, inside a call: when the API has been asked and has not begun, and when it has done it and nobody hears of it.
"""

from __future__ import annotations

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
from tests.worlds import moto_ec2
from tests.worlds.fault_proxy import proxy

pytestmark = pytest.mark.timeout(900)

WHOLE = 3  # a key, a group and a host

#: What changes something at EC2; the other calls look.
CHANGING = {
    "up": ("ImportKeyPair", "CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "RunInstances"),
    "halt": ("StopInstances",),
    "destroy": ("TerminateInstances", "DeleteKeyPair", "DeleteSecurityGroup"),
}


@pytest.fixture(scope="module", autouse=True)
def _account() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in moto_ec2.credentials().items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A stack of the same name from another state directory, up for as long as these tests last."""
    scene = cloud_scene(tmp_path_factory.mktemp("foreign") / "stack", is_up=True)
    before = {one.id for one in scene.ours()}
    assert len(before) == WHOLE
    yield scene
    assert {one.id for one in scene.ours()} == before
    assert [host.state for host in scene.life().hosts()] == ["running"]
    destroy(scene.life())
    assert scene.ours() == []


def cloud_scene(folder: Path, is_up: bool, url: str = "") -> Scene:
    folder.mkdir(parents=True)
    scene = Scene(folder)
    write(scene, url)
    if is_up:
        up(scene.life())
    return scene


def write(scene: Scene, url: str = "") -> None:
    """Write the stack file, for the API itself or for what stands before it."""
    options = "".join(f", {name}: {value}" for name, value in moto_ec2.options(url).items())
    host = "".join(
        f"    {name.replace('_', '-')}: '{value}'\n" for name, value in text(moto_ec2.host_options()).items()
    )
    scene.stack_file.write_text(
        f"stack: kill\nprovider: {{name: cloud{options}}}\nhosts:\n  web:\n{host}"
        f"    ssh-port: {moto_ec2.host_options()['ssh_port']}\n"
    )


def text(options: dict[str, object]) -> dict[str, str]:
    return {name: value for name, value in options.items() if isinstance(value, str)}


def kills_of(verb: str, foreign: Scene) -> Kills:
    return Kills("cloud, driver ec2 (moto)", verb, lambda: {one.id: one.name for one in foreign.ours()})


@pytest.mark.machines  # minutes: a server is made for each point
@pytest.mark.parametrize("verb", ["up", "halt", "destroy"])
def test_killed_at_every_point_of_the_journal(tmp_path, foreign, verb):
    kill_at(points_of(tmp_path / "whole", verb), verb, tmp_path, foreign)


@pytest.mark.parametrize("verb, first", [("up", 2), ("halt", 1), ("destroy", 3)])
def test_killed_in_short_at_some_points_of_the_journal(tmp_path, foreign, verb, first):
    kill_at(points_of(tmp_path / "whole", verb)[first::10], verb, tmp_path, foreign)


def points_of(folder: Path, verb: str) -> list[str]:
    whole = cloud_scene(folder, verb != "up")
    # Between a thing that is done and the next before it begins nothing happens: one of both points is enough.
    points = [point for point in changing_points(generated(whole, verb)) if point.startswith("after ")]
    destroy(whole.life())
    return points


def kill_at(points: list[str], verb: str, folder: Path, foreign: Scene) -> None:
    print(f"\n{verb}: killed at {len(points)} points on EC2")
    kills = kills_of(verb, foreign)
    before = kills.begin()

    def strike(number: int, point: str) -> None:
        scene = cloud_scene(folder / f"{number}", verb != "up")
        killed(scene, verb, point)
        kills.reaped(scene, point, before, WHOLE)

    at_every(points, strike)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("verb", ["up", "halt", "destroy"])
def test_killed_inside_calls_that_changes_something(tmp_path, foreign, verb, step):
    kills = kills_of(verb, foreign)
    before = kills.begin()

    def strike(number: int, point: str) -> None:
        with proxy(moto_ec2.cloud().url) as api:
            scene = cloud_scene(tmp_path / f"{number}", verb != "up", api.url)  # it stays where it was made
            api.reset()
            killed_inside(scene, verb, point, api)
            api.reset()
            kills.reaped(scene, f"{point} (inside a call)", before, WHOLE)

    at_every(inside(CHANGING[verb], step), strike)
