"""Killed or interrupted at any point, a run leaves nothing that `infratest reap` does not remove, and nothing foreign
is touched. The points are generated: a run that nothing happens to writes down every one that it passes.
"""

from __future__ import annotations

import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import reap
from infratest.lifecycle.status import status
from infratest.lifecycle.up import up
from infratest.providers.base import HostSpec, Lease, Provider, Resource
from infratest.stack import file
from infratest.stack.open import open_provider
from infratest.store.directory import StateDir
from infratest.store.journal import Journal

pytestmark = pytest.mark.timeout(900)  # hundreds of processes, each with all its imports, on a machine that is busy

PROGRAM = Path(__file__).with_name("killed.py")
INFRATEST = Path(sys.executable).with_name("infratest")
SIGKILLED, INTERRUPTED = -9, 130

FAKE = """\
stack: shop
provider: {name: fake, world: world}
hosts:
  db: {groups: [data]}
  web: {count: 2, groups: [web], after: [db]}
"""
#: The whole fake stack by name.
FAKE_NAMES = {"shop", "db", "web-1", "web-2"}

CONTAINER = """\
stack: kill
provider: container
hosts:
  db: {memory: 128MiB}
  web: {memory: 128MiB}
"""


@dataclass
class Scene:
    """A folder with a stack, and what is there before the verb: nothing, or the stack up."""

    folder: Path

    @property
    def stack_file(self) -> Path:
        return self.folder / "stack.yaml"

    @property
    def state(self) -> StateDir:
        return StateDir(self.folder / ".infratest")

    def life(self) -> Lifecycle:
        return Lifecycle(file.load(self.stack_file), self.state)

    def provider(self) -> Provider:
        return open_provider(file.load(self.stack_file), self.state)

    def start(self, verb: str, name: str, point: str) -> subprocess.Popen[bytes]:
        arguments = [sys.executable, PROGRAM, self.stack_file, self.state.path, verb, name, point]
        return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, verb: str, name: str, point: str) -> tuple[int, str]:
        process = self.start(verb, name, point)
        out, _ = process.communicate(timeout=120)
        return process.returncode, out.decode()

    def points(self) -> list[str]:
        return (self.folder / "points").read_text().splitlines()

    def ours(self) -> list[Resource]:
        id = (self.state.path / "id").read_text().strip() if (self.state.path / "id").exists() else "none"
        found = self.provider().existing(Deadline(60))
        return [one for one in found if one.labels.get("infratest.state") == id]

    def reap_by_command(self) -> str:
        arguments = [INFRATEST, "reap", "--stack", self.stack_file, "--state", self.state.path]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr


def fake_scene(folder: Path, is_up: bool) -> Scene:
    folder.mkdir(parents=True)
    scene = Scene(folder)
    scene.stack_file.write_text(FAKE)
    foreign = Lease(owner="jane@elsewhere", state_id="foreign", stack="shop", env="", expires=0)
    provider = scene.provider()
    for together in provider.requests([HostSpec(name="db")], foreign):
        for request in together:
            provider.create(request, Deadline(10))
    if is_up:
        up(scene.life())
    return scene


def foreign_in(scene: Scene) -> set[str]:
    found = scene.provider().existing(Deadline(60))
    return {one.name for one in found if one.labels["infratest.state"] == "foreign"}


def check_after_kill(scene: Scene, whole: set[str], verb: str) -> None:
    """What stands after `reap`: just what the journal holds as live; after `up` the whole stack or nothing of it."""
    again = reap(scene.life())
    assert again.left == ()
    held, there = scene.life().journal.live(), {one.id: one.name for one in scene.ours()}
    assert set(held) >= set(there)
    if verb == "up":
        assert set(there.values()) in (set(), whole)
    assert reap(scene.life()).removed == ()
    assert status(scene.life()).interrupted == ()
    destroy(scene.life())
    assert scene.ours() == []
    assert Journal(scene.state).records() == []


def generated(scene: Scene, verb: str) -> list[str]:
    """Every point that a run passes to which nothing happens."""
    status, words = scene.run(verb, "SIGKILL", "-")
    assert status == 0, words
    points = scene.points()
    assert len(points) == len(set(points))
    return points


def at_every(points: list[str], strike: Callable[[int, str], None]) -> None:
    """Strike at every point, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(strike, range(len(points)), points))


@pytest.mark.parametrize("verb, is_up", [("up", False), ("destroy", True), ("halt", True)])
def test_killed_at_every_point_of_the_fake(tmp_path, verb, is_up, record_property):
    points = generated(fake_scene(tmp_path / "whole", is_up), verb)
    print(f"\n{verb}: killed at {len(points)} points")
    record_property("kill_points", len(points))
    assert any("before create db" in point for point in points) or verb != "up"

    def strike(number: int, point: str) -> None:
        scene = fake_scene(tmp_path / f"{number}", is_up)
        status, words = scene.run(verb, "SIGKILL", point)
        assert status == SIGKILLED, (point, words)
        if number % 10 == 0:
            scene.reap_by_command()
        check_after_kill(scene, FAKE_NAMES, verb)
        assert foreign_in(scene) == {"shop", "db"}, point
        shutil.rmtree(scene.folder)

    at_every(points, strike)


@pytest.mark.parametrize("verb, is_up", [("up", False), ("destroy", True)])
def test_interrupted_at_every_point_of_the_fake(tmp_path, verb, is_up):
    """Ctrl-C needs no reaper: `up` undoes itself, `destroy` can be run again, both say so."""
    points = generated(fake_scene(tmp_path / "whole", is_up), verb)
    print(f"\n{verb}: interrupted at {len(points)} points")

    def strike(number: int, point: str) -> None:
        scene = fake_scene(tmp_path / f"{number}", is_up)
        status, words = scene.run(verb, "SIGINT", point)
        assert status in (0, INTERRUPTED), (point, words)
        assert "Traceback" not in words
        names = {one.name for one in scene.ours()}
        if verb == "up":
            assert names == (set() if status else FAKE_NAMES), (point, words)
            assert status == 0 or re.search("stopped by SIGINT", words), (point, words)
        assert {one.name for one in scene.life().journal.live().values()} <= names, point
        destroy(scene.life())
        assert scene.ours() == []
        assert foreign_in(scene) == {"shop", "db"}, point
        shutil.rmtree(scene.folder)

    at_every(points, strike)


def test_killed_at_20_random_moments_of_the_fake(tmp_path):
    seed = random.randrange(2**32)
    print(f"\nrandom moments: seed {seed}")
    moments = random.Random(seed)
    slow = FAKE.replace("world: world", "world: world, delay: 30ms")

    def strike(number: int, moment: float) -> None:
        scene = fake_scene(tmp_path / f"{number}", is_up=False)
        scene.stack_file.write_text(slow)
        process = scene.start("up", "SIGKILL", "-")
        wait_for_first_point(scene, process)
        try:
            process.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        scene.stack_file.write_text(FAKE)
        check_after_kill(scene, FAKE_NAMES, "up")
        assert foreign_in(scene) == {"shop", "db"}, (seed, moment)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(strike, range(20), [moments.uniform(0, 1.2) for _ in range(20)]))


def wait_for_first_point(scene: Scene, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    points = scene.folder / "points"
    while not points.exists() or not points.stat().st_size:
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.005)


# On real containers


def container_scene(folder: Path, is_up: bool) -> Scene:
    folder.mkdir(parents=True)
    scene = Scene(folder)
    scene.stack_file.write_text(CONTAINER)
    if is_up:
        up(scene.life())
    return scene


@pytest.fixture(scope="module")
def foreign_stack(tmp_path_factory):
    """A container stack of another state directory, up for as long as these tests last."""
    scene = container_scene(tmp_path_factory.mktemp("foreign") / "stack", is_up=True)
    before = {one.id for one in scene.ours()}
    assert len(before) == 3
    yield scene
    assert {one.id for one in scene.ours()} == before
    assert [host.state for host in scene.life().hosts()] == ["running", "running"]
    destroy(scene.life())
    assert scene.ours() == []


def changing_points(points: list[str]) -> list[str]:
    """Without those around calls that only look: they are many and equal (the fake has them all)."""
    return [point for point in points if not re.match(r"(before|after) (existing|hosts)\b", point)]


@pytest.mark.hosts
@pytest.mark.parametrize("verb, is_up", [("up", False), ("destroy", True)])
def test_killed_at_every_point_of_containers(tmp_path, foreign_stack, verb, is_up):
    whole = container_scene(tmp_path / "whole", is_up)
    points = changing_points(generated(whole, verb))
    names = {one.name for one in whole.ours()} if verb == "up" else set()
    destroy(whole.life())
    print(f"\n{verb}: killed at {len(points)} points on containers")
    foreign = {one.id for one in foreign_stack.ours()}

    def strike(number: int, point: str) -> None:
        scene = container_scene(tmp_path / f"{number}", is_up)
        try:
            status, words = scene.run(verb, "SIGKILL", point)
            assert status == SIGKILLED, (point, words)
            scene.reap_by_command()
            held, there = scene.life().journal.live(), {one.id: one.name for one in scene.ours()}
            assert set(held) >= set(there), point
            if verb == "up":
                assert len(there) in (0, len(names)), point
        finally:
            destroy(scene.life())
        assert scene.ours() == [], point
        assert known_hosts(scene) == "", point
        assert {one.id for one in foreign_stack.ours()} == foreign, point

    at_every(points, strike)


def known_hosts(scene: Scene) -> str:
    path = scene.state.path / "known_hosts"
    return path.read_text().strip() if path.exists() else ""


@pytest.mark.hosts
@pytest.mark.parametrize(
    "point",
    [
        "before create web #1",
        # All are looked at once to see which are to be made, and once to be returned: up and ready, and undone.
        "before hosts db web #2",
    ],
)
def test_interrupted_while_containers_come_up(tmp_path, foreign_stack, point):
    scene = container_scene(tmp_path / "stack", is_up=False)
    try:
        status, words = scene.run("up", "SIGINT", point)
        assert status == INTERRUPTED, words
        assert "stopped by SIGINT" in words
        assert scene.ours() == []
    finally:
        destroy(scene.life())
    assert not (scene.state.path / "journal.jsonl").exists()


@pytest.mark.hosts
def test_interrupted_at_random_moments_of_containers(tmp_path, foreign_stack):
    """A call of the engine that is cut off may still make something: the undo waits for it."""
    seed = random.randrange(2**32)
    print(f"\nrandom moments: seed {seed}")
    moments = random.Random(seed)
    statuses = []
    for moment in (0.0, *(moments.uniform(0.05, 1.5) for _ in range(5))):
        scene = container_scene(tmp_path / f"{len(statuses)}", is_up=False)
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
            assert len(scene.ours()) == (3 if through else 0), (seed, moment, words)
            assert (known_hosts(scene) != "") is through, (seed, moment)
        finally:
            destroy(scene.life())
    assert INTERRUPTED in statuses, (seed, statuses)
