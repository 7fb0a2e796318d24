"""Killed inside a call about a component of a cloud, a run leaves nothing that `reap` does not remove."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.up import up
from tests.lifecycle.killed import STEPS, Scene, at_every, inside, killed_inside
from tests.lifecycle.test_kill_cloud import WHOLE, cloud_scene, kills_of
from tests.worlds import moto_ec2
from tests.worlds.fault_proxy import proxy

pytestmark = pytest.mark.timeout(900)

COMPONENTS = (
    "components:\n  rule: {type: firewall, allow: [{port: 80}, {port: 81, from: {host: web}}]}\n"
    "  front: {type: address, to: {host: web}}\n"
)
#: A key, a group and a host, a firewall and an address.
MORE = WHOLE + 2

#: What changes something at EC2 about components alone.
CHANGING = {
    "up": ("AllocateAddress", "AssociateAddress"),
    "destroy": ("ReleaseAddress",),
}


@pytest.fixture(scope="module", autouse=True)
def _account() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in moto_ec2.credentials().items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A stack of the same name, with components of the same names, from another state directory."""
    scene = scene_with_components(tmp_path_factory.mktemp("foreign") / "stack", is_up=True)
    before = {one.id for one in scene.ours()}
    assert len(before) == MORE
    yield scene
    assert {one.id for one in scene.ours()} == before
    destroy(scene.life())
    assert scene.ours() == []


def scene_with_components(folder: Path, is_up: bool, url: str = "") -> Scene:
    """Args: url: of what stands before the API; a stack stays at the place where it was made."""
    scene = cloud_scene(folder, is_up=False, url=url)
    scene.stack_file.write_text(scene.stack_file.read_text() + COMPONENTS)
    if is_up:
        up(scene.life())
    return scene


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("verb", ["up", "destroy"])
def test_killed_inside_calls_about_a_component(tmp_path, foreign, verb, step):
    kills = kills_of(verb, foreign)
    before = kills.begin()

    def strike(number: int, point: str) -> None:
        with proxy(moto_ec2.cloud().url) as api:
            scene = scene_with_components(tmp_path / f"{number}", verb != "up", api.url)
            api.reset()
            killed_inside(scene, verb, point, api)
            api.reset()
            kills.reaped(scene, f"{point} (inside a call)", before, MORE)

    at_every(inside(CHANGING[verb], step), strike)
