"""Killed at any point on OpenStack, a run leaves nothing that `reap` does not remove, and touches nothing foreign.

The points are those of test_kill_cloud.py: of the journal and the provider, and inside each call that changes
something.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.up import up
from tests.lifecycle.killed import (
    Kills,
    Scene,
    at_every,
    changing_points,
    generated,
    inside,
    killed,
    killed_inside,
)
from tests.worlds.openstack.account import OPTIONS, host_options, logged_in
from tests.worlds.openstack.cloud import Project, cloud
from tests.worlds.openstack.seam import seam

pytestmark = pytest.mark.timeout(900)

WHOLE = 2  # a group and a host

#: What changes something: the service, and the call.
CHANGING = {
    "up": (
        ("network", "POST /v2.0/security-groups"),
        ("network", "POST /v2.0/security-group-rules"),
        ("compute", "POST /v2.1/servers"),
    ),
    "halt": (("compute", "POST /v2.1/servers/.*/action"),),
    "destroy": (("compute", "DELETE /v2.1/servers/.*"), ("network", "DELETE /v2.0/security-groups/.*")),
}


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with cloud().project() as project, logged_in(project.login()):
        project.quota(instances=30, cores=60)
        yield project


@pytest.fixture(scope="module")
def foreign(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A stack of the same name from another state directory, up for as long as these tests last."""
    scene = openstack_scene(tmp_path_factory.mktemp("foreign") / "stack", is_up=True)
    before = {one.id for one in scene.ours()}
    assert len(before) == WHOLE
    yield scene
    assert {one.id for one in scene.ours()} == before
    assert [host.state for host in scene.life().hosts()] == ["running"]
    destroy(scene.life())
    assert scene.ours() == []


def openstack_scene(folder: Path, is_up: bool, **options: str) -> Scene:
    """Write a stack file, for the cloud itself or for what stands before it, and have it up."""
    folder.mkdir(parents=True)
    scene = Scene(folder)
    host = {key.replace("_", "-"): value for key, value in host_options().items()}
    stack = {"stack": "kill", "provider": {"name": "cloud", **OPTIONS, **options}, "hosts": {"web": host}}
    scene.stack_file.write_text(json.dumps(stack))
    if is_up:
        up(scene.life())
    return scene


def kills_of(verb: str, foreign: Scene) -> Kills:
    return Kills("cloud, driver openstack (fake compute)", verb, lambda: {one.id: one.name for one in foreign.ours()})


@pytest.mark.machines  # minutes, of which most are OpenStack's own
@pytest.mark.parametrize("verb", ["up", "halt", "destroy"])
def test_killed_at_every_point_of_the_journal(tmp_path, foreign, verb):
    whole = openstack_scene(tmp_path / "whole", verb != "up")
    points = changing_points(generated(whole, verb))
    destroy(whole.life())
    print(f"\n{verb}: killed at {len(points)} points on OpenStack")
    kills = kills_of(verb, foreign)
    before = kills.begin()

    def strike(number: int, point: str) -> None:
        scene = openstack_scene(tmp_path / f"{number}", verb != "up")
        killed(scene, verb, point)
        kills.reaped(scene, point, before, WHOLE)

    at_every(points, strike)


@pytest.mark.machines  # as above; `./run test` kills in the midst of EC2's calls, and of CloudStack's
@pytest.mark.parametrize("verb", ["up", "halt", "destroy"])
def test_killed_inside_calls_that_changes_something(tmp_path, project, foreign, verb):
    kills = kills_of(verb, foreign)
    before = kills.begin()

    def strike(number: int, point: str) -> None:
        service, call = point.split(" ", 1)
        with seam(project) as seen:
            there = {"region": seen.region, "endpoint": f"{seen.identity.url}v3"}
            scene = openstack_scene(tmp_path / f"{number}", verb != "up", **there)
            killed_inside(scene, verb, call, seen.proxies[service])
            kills.reaped(scene, f"{point} (inside a call)", before, WHOLE)

    at_every(inside([f"{service} {action}" for service, action in CHANGING[verb]], 1), strike)
