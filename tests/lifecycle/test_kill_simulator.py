"""Killed at any point on the simulated cloud, a run leaves nothing that `reap` does not remove, and nothing foreign is
touched; with the state directory lost too, nothing that `reap --expired` does not remove when the lease has ended.
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from infratest.lifecycle.lease import LEASE
from infratest.providers.base import Resource
from infratest.providers.simulator import Simulator
from infratest.providers.simulator.clock import VirtualClock
from infratest.providers.simulator.world import DELETED, DELETING, Item, World
from tests.lifecycle.killed import Kills, Scene, at_every, changing_points, generated, killed

pytestmark = pytest.mark.timeout(900)

STACK = """\
stack: kill
provider: {name: simulator, world: world, lag: 5s}
hosts:
  db: {groups: [data]}
  web: {groups: [web], after: [db]}
"""
OWNER = "kill@simulator"
NEVER = 4102444800  # a lease that ends in the year 2100
VERBS = ("up", "halt", "destroy", "snapshot save kept", "snapshot restore kept", "snapshot delete kept")
WHOLE = 3  # a network and two hosts


def new_scene(folder: Path) -> Scene:
    """A cloud with things of others in it: expired and somebody else's, of this owner and not expired, of nobody."""
    folder.mkdir(parents=True)
    scene = Scene(folder, owner=OWNER)
    scene.stack_file.write_text(STACK)
    provider = scene.provider()
    assert isinstance(provider, Simulator)
    for state, owner, ends in (("foreign", "jane@elsewhere", 1), ("other", OWNER, NEVER)):
        labels = {
            "infratest.state": state, "infratest.owner": owner, "infratest.stack": "kill", "infratest.env": "",
            "infratest.expires": str(ends), "infratest.name": "db",
        }  # fmt: skip
        for kind in ("network", "host"):
            provider.cloud.create(kind, "db", labels, state)
    provider.cloud.create("network", "kill", {}, "nobody")
    return scene


def prepared(template: Path, folder: Path) -> Scene:
    shutil.copytree(template, folder)
    return Scene(folder, owner=OWNER)


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders to begin with: nothing made, the stack up, and up with a snapshot kept."""
    folder = tmp_path_factory.mktemp("templates")
    scene = new_scene(folder / "empty")
    found = {"empty": scene.folder}
    for name, verb in (("up", "up"), ("kept", "snapshot save kept")):
        scene = prepared(scene.folder, folder / name)
        scene.command(verb)
        found[name] = scene.folder
    return found


def template_of(verb: str, templates: dict[str, Path]) -> Path:
    return templates["empty" if verb == "up" else "kept" if verb.endswith(("restore kept", "delete kept")) else "up"]


def items(scene: Scene) -> list[Item]:
    """Return what there is, by the cloud's own word, which no listing delays."""
    with World(scene.folder / "world", VirtualClock(0.0)).open(changes=False) as contents:
        going = [id for id, one in contents.items.items() if one.state == DELETING and not one.stays]
        return [one for id, one in contents.items.items() if one.state != DELETED and id not in going]


def ours(scene: Scene) -> list[Resource]:
    return [
        Resource(kind=one.kind, id=one.id, name=one.name)
        for one in items(scene)
        if one.labels.get("infratest.state") == scene.id
    ]


def others(scene: Scene, mine: str) -> dict[str, str]:
    """Return all that has not that id of a state directory; what of ours has no label is an orphan too."""
    return {
        one.id: str(sorted(one.labels.items())) for one in items(scene) if one.labels.get("infratest.state") != mine
    }


def later(scene: Scene) -> None:
    """Reap when the leases of this owner have ended."""
    World(scene.folder / "world", VirtualClock(0.0)).jump(LEASE + 3600)
    scene.command("reap --expired")


def kill_at(points: list[str], verb: str, template: Path, folder: Path, lost: bool) -> None:
    def strike(number: int, point: str) -> None:
        scene = prepared(template, folder / f"{number}")
        foreign = partial(others, scene, scene.id)
        before = foreign()
        killed(scene, verb, point)
        kills = Kills("simulator", verb, partial(others, scene, scene.id), ours)
        if lost:
            kills.lost(scene, point, before, partial(later, scene))
        else:
            kills.reaped(scene, point, before, WHOLE, again=number % 4 == 0)
        shutil.rmtree(scene.folder)

    at_every(points, strike)
    print(f"\n{verb}: killed at {len(points)} points{', state directory lost' if lost else ''}")


def points_of(verb: str, template: Path, folder: Path) -> list[str]:
    return changing_points(generated(prepared(template, folder), verb))


@pytest.mark.machines  # minutes, of which most are starts of Python
@pytest.mark.parametrize("lost", [False, True], ids=["", "state lost"])
@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_every_point(tmp_path: Path, templates: dict[str, Path], verb: str, lost: bool) -> None:
    template = template_of(verb, templates)
    kill_at(points_of(verb, template, tmp_path / "whole"), verb, template, tmp_path, lost)


@pytest.mark.parametrize("verb, first", [("up", 0), ("destroy", 1), ("halt", 2), ("snapshot save kept", 3)])
def test_killed_in_short_at_some_points(tmp_path: Path, templates: dict[str, Path], verb: str, first: int) -> None:
    """Every fifth point; the other way round for the state directory that is lost."""
    template = template_of(verb, templates)
    points = points_of(verb, template, tmp_path / "whole")
    kill_at(points[first::8], verb, template, tmp_path / "reaped", lost=False)
    kill_at(points[first + 4 :: 8], verb, template, tmp_path / "lost", lost=True)
