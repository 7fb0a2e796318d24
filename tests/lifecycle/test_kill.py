"""Killed or interrupted at any point, a run leaves nothing that `infratest reap` does not remove, and nothing foreign
is touched. The points are generated: a run that nothing happens to writes down every one that it passes.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.reap import reap
from infratest.lifecycle.status import status
from infratest.lifecycle.up import up
from infratest.providers.base import HostSpec, Lease
from infratest.store.journal import Journal
from tests.lifecycle.killed import INTERRUPTED, STEPS, Scene, at_every, generated, killed, wait_for_first_point

pytestmark = pytest.mark.timeout(900)  # hundreds of processes, each with all its imports, on a machine that is busy

FAKE = """\
stack: shop
provider: {name: fake, world: world}
hosts:
  db: {groups: [data]}
  web: {count: 2, groups: [web], after: [db]}
"""
#: The whole fake stack by name.
FAKE_NAMES = {"shop", "db", "web-1", "web-2"}


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


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("verb, is_up", [("up", False), ("destroy", True), ("halt", True)])
def test_killed_at_points_of_the_fake(tmp_path, verb, is_up, step, record_property):
    points = generated(fake_scene(tmp_path / "whole", is_up), verb)
    assert any("before create db" in point for point in points) or verb != "up"
    # What only looks leaves nothing behind: dead before it is dead after it.
    points = [point for point in points if not point.startswith(("after existing", "after hosts"))][step // 2 :: step]
    print(f"\n{verb}: killed at {len(points)} points")
    record_property("kill_points", len(points))

    def strike(number: int, point: str) -> None:
        scene = fake_scene(tmp_path / f"{number}", is_up)
        killed(scene, verb, point)
        if number % 10 == 0:
            scene.reap_by_command()
        check_after_kill(scene, FAKE_NAMES, verb)
        assert foreign_in(scene) == {"shop", "db"}, point
        shutil.rmtree(scene.folder)

    at_every(points, strike)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("verb, is_up", [("up", False), ("destroy", True)])
def test_interrupted_at_points_of_the_fake(tmp_path, verb, is_up, step):
    """Ctrl-C needs no reaper: `up` undoes itself, `destroy` can be run again, both say so."""
    points = generated(fake_scene(tmp_path / "whole", is_up), verb)
    points = [point for point in points if " writing " not in point][::step]  # of an event, when all is done
    print(f"\n{verb}: interrupted at {len(points)} points")

    def strike(number: int, point: str) -> None:
        scene = fake_scene(tmp_path / f"{number}", is_up)
        status, words = scene.run(verb, "SIGINT", point)
        assert status in (0, INTERRUPTED), (point, words)
        assert "Traceback" not in words
        names = {one.name for one in scene.ours()}
        if verb == "up":
            assert names == (set() if status else FAKE_NAMES), (point, words)
            assert status == 0 or re.search("stopped by SIGINT|infratest: interrupted", words), (point, words)
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
