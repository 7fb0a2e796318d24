"""Killed at any call of VBoxManage, a run leaves nothing that `infratest reap` leaves; and nothing foreign is touched.

On the real VBoxManage. Every call of a run is a point before and one after, with the records of the journal between.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.snapshot import save
from infratest.lifecycle.up import up
from infratest.providers import _host_ports
from infratest.stack import file
from infratest.store.directory import StateDir
from infratest.store.journal import Journal
from tests.worlds.virtualbox import VirtualBoxWorld, virtualbox_world

pytestmark = pytest.mark.timeout(1200)

INFRATEST = Path(sys.executable).with_name("infratest")
STACK = "stack: kill\nprovider: virtualbox\nhosts: {{web: {{image: {image}, memory: 64MiB}}}}\n"


@dataclass
class Scene:
    """A stack of one host in a folder of its own."""

    folder: Path
    world: VirtualBoxWorld

    @property
    def state(self) -> StateDir:
        return StateDir(self.folder / ".infratest")

    def life(self) -> Lifecycle:
        return Lifecycle(file.load(self.folder / "stack.yaml"), self.state)

    def run(self, *verb: str) -> subprocess.CompletedProcess[str]:
        words = [INFRATEST, *verb, "--stack", self.folder / "stack.yaml", "--state", self.state.path]
        return subprocess.run(words, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)

    def ours(self) -> list[str]:
        life = self.life()
        found = life.provider.existing(life.limit(60))
        return [one.kind for one in found if one.labels["infratest.state"] == life.state_id()]


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[VirtualBoxWorld]:
    """A registry with a machine of the user's own, and a stack of another state directory that is up."""
    with virtualbox_world(tmp_path_factory.mktemp("kill") / "world", guest="sshd") as world:
        world.empty_disk()
        world.vbox("createvm", "--name", "theirs", "--register")
        world.vbox("setextradata", "global", "theirs", "kept")
        foreign = scene(world, "foreign", is_up=True)
        before = foreign.life().hosts()
        yield world
        assert foreign.life().hosts() == before
        destroy(foreign.life())
        assert [name for name in world.machines() if not name.startswith("infratest-image-")] == ["theirs"]
        assert "Key: theirs, Value: kept" in world.vbox("getextradata", "global", "enumerate")
        assert "infratest/machine/" not in world.vbox("getextradata", "global", "enumerate")


def scene(world: VirtualBoxWorld, name: str, is_up: bool) -> Scene:
    folder = world.folder / name
    folder.mkdir()
    (folder / "stack.yaml").write_text(STACK.format(image=world.folder / "empty.vdi"))
    made = Scene(folder, world)
    if is_up:
        up(made.life())
    return made


def prepared(world: VirtualBoxWorld, name: str, verb: tuple[str, ...]) -> Scene:
    made = scene(world, name, is_up=verb[0] != "up")
    if verb[:2] in (("snapshot", "restore"), ("snapshot", "delete")):
        save(made.life(), "kept")
    return made


VERBS = [("up",), ("destroy",), ("halt",), ("snapshot", "save", "kept"), ("snapshot", "restore", "kept")]


@pytest.mark.machines
@pytest.mark.parametrize("verb", VERBS, ids=[" ".join(verb[:2]) for verb in VERBS])
def test_killed_at_every_call(world, verb):
    at_calls(world, verb, step=1)


def test_killed_at_every_fifth_point_of_up(world):
    at_calls(world, ("up",), step=5)


def at_calls(world: VirtualBoxWorld, verb: tuple[str, ...], step: int) -> None:
    name = "-".join(verb) + f"-{step}"
    whole = prepared(world, f"{name}-whole", verb)
    world.calls()
    done = whole.run(*verb)
    assert done.returncode == 0, done.stderr
    calls = world.calls()
    destroy(whole.life())
    points = [(moment, number) for number in range(1, len(calls) + 1) for moment in ("before", "after")][::step]
    print(f"\n{' '.join(verb)}: killed at {len(points)} points")
    foreign = of_others(world)
    for moment, number in points:
        point = f"{moment} call {number}, {calls[number - 1][:80]}"
        struck = prepared(world, f"{name}-{moment}-{number}", verb)
        world.calls()
        (world.folder / "strike").write_text(f"{moment} {number}\n")
        try:
            done = struck.run(*verb)
        finally:
            (world.folder / "strike").unlink()
        assert done.returncode == -9, (point, done.returncode, done.stderr)
        check_after(struck, verb, point)
        assert of_others(world) == foreign, point


def check_after(struck: Scene, verb: tuple[str, ...], point: str) -> None:
    """After `reap` stands what the journal holds as live, and after `destroy` nothing."""
    reaped = struck.run("reap")
    assert reaped.returncode == 0, (point, reaped.stderr)
    assert "Traceback" not in reaped.stderr
    left = struck.ours()
    assert "leftover" not in left, point
    assert len(left) == len(struck.life().journal.live()) or verb == ("destroy",), point
    destroy(struck.life())
    assert struck.ours() == [], point
    assert Journal(struck.state).records() == [], point
    known = struck.state.path / "known_hosts"
    assert not known.exists() or known.read_text().strip() == "", point
    assert list((struck.world.folder / "vms").glob(f"infratest-kill-web-{struck.state.id[:8]}*")) == [], point


def of_others(world: VirtualBoxWorld) -> tuple[list[str], dict[str, dict[int, int]]]:
    """Return all machines, and the ports of those on record."""
    extra = world.vbox("getextradata", "global", "enumerate")
    records = re.findall("Key: infratest/machine/([0-9a-f-]+),", extra)
    return world.machines(), {uuid: _host_ports.allotted(uuid) for uuid in records}
