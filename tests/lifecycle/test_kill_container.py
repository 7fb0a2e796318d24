"""Killed or interrupted at any point on real containers, a run leaves nothing that `reap` does not remove, and nothing
foreign is touched; with the state directory lost too, nothing that `reap --expired` does not remove a day later.

What there is the engine's own client says, not the provider.
"""

from __future__ import annotations

import random
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from infratest.lifecycle.destroy import destroy
from infratest.providers.base import Resource
from tests.lifecycle.killed import (
    INTERRUPTED,
    Kills,
    Scene,
    at_every,
    changing_points,
    generated,
    killed,
    known_hosts,
    wait_for_first_point,
)
from tests.worlds.tiny_container import engine, found

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(1800)]

STACK = """\
stack: kill
provider: container
hosts:
  db: {memory: 128MiB}
  web: {memory: 128MiB}
"""
NEVER = 4102444800  # a lease that ends in the year 2100
WHOLE = 3  # a network and two hosts
#: What a machine's clock says a day later, to the program behind it and no other.
A_DAY_LATER = ("faketime", "-f", "+25h")


def scene_of(folder: Path, is_up: bool) -> Scene:
    """Every scene has an owner of its own: no other's stack on this engine may seem to have expired."""
    folder.mkdir(parents=True)
    scene = Scene(folder, owner=f"kill-{secrets.token_hex(8)}")
    scene.stack_file.write_text(STACK)
    if is_up:
        scene.command("up")
    return scene


@dataclass
class Others:
    """What is on the engine that is not of a scene: a stack that is up, and containers with other labels or none."""

    stack: Scene
    image: str
    planted: list[str]

    def plant(self, **labels: object) -> str:
        words = [word for name, value in labels.items() for word in ("--label", f"infratest.{name}={value}")]
        name = f"infratest-kill-web-{secrets.token_hex(4)}"
        engine("create", "--name", name, "--network", "none", *words, self.image)
        self.planted.append(name)
        return name

    def remove(self, name: str) -> None:
        self.planted.remove(name)
        engine("rm", "--force", name)

    def seen(self, *more: str) -> dict[str, str]:
        """Return how they are; of these planted ones, too, that come and go with a scene."""
        ids = [one.id for one in ours(self.stack)] + self.planted[:PLANTED] + [*more]
        form = "{{.Name}} {{.Id}} {{if .State}}{{.State.Status}} {{.State.StartedAt}}{{end}}"
        words = [found().program, "inspect", "--format", form, *ids]
        answer = subprocess.run(words, capture_output=True, text=True).stdout  # of those that are gone nothing
        forms = "{{.Name}} {{.Id}}"
        networks = [one.id for one in ours(self.stack) if one.kind == "network"]
        words = [found().program, "network", "inspect", "--format", forms, *networks]
        answer += subprocess.run(words, capture_output=True, text=True).stdout
        return dict(line.split(" ", 1) for line in answer.splitlines())


PLANTED = 2  # that stay for all of these tests


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Others]:
    scene = scene_of(tmp_path_factory.mktemp("foreign") / "stack", is_up=True)
    host = next(one.id for one in ours(scene) if one.kind == "host")
    others = Others(scene, engine("inspect", "--format", "{{.Image}}", host), [])
    try:
        others.plant()
        others.plant(state="foreign", owner="jane@elsewhere", stack="kill", env="", expires=1)
        before = others.seen()
        assert len(before) == WHOLE + PLANTED
        yield others
        assert others.seen() == before
        assert [host.state for host in scene.life().hosts()] == ["running", "running"]
    finally:
        for name in list(others.planted):
            others.remove(name)
        destroy(scene.life())
    assert ours(scene) == []


def ours(scene: Scene) -> list[Resource]:
    """Return what the engine has with the scene's id, by the engine's own word."""
    label = f"label=infratest.state={scene.id}"
    hosts = engine("ps", "--all", "--no-trunc", "--filter", label, "--format", "{{.ID}} {{.Names}}")
    networks = engine("network", "ls", "--no-trunc", "--filter", label, "--format", "{{.ID}} {{.Name}}")
    return [
        Resource(kind=kind, id=line.split()[0], name=line.split()[1])
        for kind, answer in (("host", hosts), ("network", networks))
        for line in answer.splitlines()
    ]


def kill_at(points: list[str], verb: str, folder: Path, others: Others, lost: bool) -> None:
    def strike(number: int, point: str) -> None:
        scene = scene_of(folder / f"{number}", verb != "up")
        same = others.plant(state="other", owner=scene.owner, stack="kill", env="", expires=NEVER) if lost else ""
        kills = Kills("container", verb, partial(others.seen, *filter(None, [same])), ours)
        before = kills.begin()
        try:
            killed(scene, verb, point)
            if lost:
                kills.lost(scene, point, before, lambda: scene.command("reap --expired", *A_DAY_LATER))
            else:
                kills.reaped(scene, point, before, WHOLE, again=number % 8 == 0)
        finally:
            if same:
                others.remove(same)
            destroy(scene.life())
        shutil.rmtree(scene.folder)

    at_every(points, strike)
    print(f"\n{verb}: killed at {len(points)} points on containers{', state directory lost' if lost else ''}")


def points_of(verb: str, folder: Path) -> list[str]:
    scene = scene_of(folder, verb != "up")
    try:
        return changing_points(generated(scene, verb))
    finally:
        destroy(scene.life())


@pytest.mark.machines  # minutes: hosts are made anew for each point
# With the state directory lost, a stack that was whole is the same at every point of its end.
@pytest.mark.parametrize("verb, lost", [("up", False), ("halt", False), ("destroy", False), ("up", True)])
def test_killed_at_every_point(tmp_path: Path, others: Others, verb: str, lost: bool) -> None:
    kill_at(points_of(verb, tmp_path / "whole"), verb, tmp_path, others, lost)


@pytest.mark.parametrize("verb, first", [("up", 6), ("destroy", 5), ("halt", 3)])
def test_killed_in_short_at_some_points(tmp_path: Path, others: Others, verb: str, first: int) -> None:
    points = points_of(verb, tmp_path / "whole")
    kill_at(points[first::24], verb, tmp_path / "reaped", others, lost=False)
    kill_at(points[-first::12][:1], verb, tmp_path / "lost", others, lost=True)


@pytest.mark.parametrize(
    "point",
    [
        "before create web #1",
        # All are looked at once to see which are to be made, and once to be returned: up and ready, and undone.
        "before hosts db web #2",
    ],
)
def test_interrupted_while_containers_come_up(tmp_path: Path, others: Others, point: str) -> None:
    scene = scene_of(tmp_path / "stack", is_up=False)
    try:
        status, words = scene.run("up", "SIGINT", point)
        assert status == INTERRUPTED, words
        assert "stopped by SIGINT" in words
        assert ours(scene) == []
    finally:
        destroy(scene.life())
    assert not (scene.state.path / "journal.jsonl").exists()


def test_interrupted_at_random_moments_of_containers(tmp_path: Path, others: Others) -> None:
    """A call of the engine that is cut off may still make something: the undo waits for it."""
    seed = random.randrange(2**32)
    print(f"\nrandom moments: seed {seed}")
    moments = random.Random(seed)
    statuses = []
    for moment in (0.0, *(moments.uniform(0.05, 1.5) for _ in range(5))):
        scene = scene_of(tmp_path / f"{len(statuses)}", is_up=False)
        process = scene.start("up", "SIGINT", "-")
        try:
            wait_for_first_point(scene, process)
            try:
                process.wait(timeout=moment)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
            words = process.communicate(timeout=60)[0].decode()
            statuses.append(process.returncode)
            # On a fast machine the hosts may be up before the moment comes; the signal then meets Python's own end.
            through = process.returncode in (0, -signal.SIGINT)
            assert through or process.returncode == INTERRUPTED, (seed, moment, words)
            assert len(ours(scene)) == (WHOLE if through else 0), (seed, moment, words)
            assert (known_hosts(scene) != "") is through, (seed, moment)
        finally:
            destroy(scene.life())
    assert INTERRUPTED in statuses, (seed, statuses)
