"""Killed at any point around a machine under QEMU, a run leaves nothing that `reap` does not remove.

Machines go on from a saved memory, and nobody waits for a boot. Run by `./run test-machines`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.hosts import PAUSED, RUNNING, STOPPED
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.up import up
from infratest.providers.qemu import folder
from tests.lifecycle.killed import Kills, Scene, changing_points, generated, killed

pytestmark = [pytest.mark.machines, pytest.mark.timeout(3600)]

STACK = "stack: kill\nprovider: qemu\nhosts: {web: {memory: 256MiB}}\n"


def scene_of(folder: Path, is_up: bool) -> Scene:
    folder.mkdir(parents=True)
    scene = Scene(folder)
    scene.stack_file.write_text(STACK)
    if is_up:
        up(scene.life())
    return scene


@pytest.fixture(autouse=True, scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A place for machines of these tests' own, in which another state directory's host runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("s")))
        scene = scene_of(tmp_path_factory.mktemp("foreign") / "stack", is_up=True)
        yield
        assert [host.state for host in scene.life().hosts()] == [RUNNING]
        destroy(scene.life())
        assert machines() == {}


def machines() -> dict[str, str]:
    """Return all machines, and how each is."""
    return {one.path.name: "runs" if one.runs() else "stands" for one, _ in folder.machines()}


@pytest.mark.parametrize("verb, is_up", [("up", False), ("halt", True), ("destroy", True)])
def test_killed_at_every_point(tmp_path: Path, verb: str, is_up: bool) -> None:
    whole = scene_of(tmp_path / "whole", is_up)
    points = changing_points(generated(whole, verb))
    destroy(whole.life())
    kills = Kills("qemu", verb, machines)
    before = kills.begin()
    for number, point in enumerate(points):
        scene = scene_of(tmp_path / f"{number}", is_up)
        killed(scene, verb, point)
        kills.reaped(scene, point, before)
    print(f"\n{verb}: killed at {len(points)} points")


#: By its verb, what changes a machine by several calls of QEMU: struck at any moment within, the machine can go on.
CHANGES = {
    "suspend": "provider.suspend(resource, Deadline(600))",
    "snapshot save": "provider.take_snapshot(resource, 'later', Deadline(600))",
    "snapshot restore": "provider.restore_snapshot(resource, 'first', Deadline(600))",
    "snapshot delete": "provider.delete_snapshot(resource, 'first', Deadline(600))",
    "halt": "provider.halt(resource, Deadline(600))",
}
PROGRAM = """
import sys
from pathlib import Path
from infratest.deadline import Deadline
from infratest.stack import file
from infratest.stack.open import open_provider
from infratest.store.directory import StateDir
stack = file.load(Path(sys.argv[1]))
provider = open_provider(stack, StateDir(Path(sys.argv[2])))
(resource,) = [one for one in provider.existing(Deadline(600)) if one.id == sys.argv[3]]
print("begins", flush=True)
{change}
"""


@pytest.mark.parametrize("change", list(CHANGES))
def test_killed_within_a_change_the_machine_goes_on(tmp_path: Path, change: str) -> None:
    kills = Kills("qemu", change, machines)
    scene = scene_of(tmp_path / "scene", is_up=True)
    before = kills.begin()
    provider = scene.provider()
    (resource,) = scene.ours()
    try:
        for moment in (0.0, 0.05, 0.2, 0.5, 1.0):
            if not any(each.name == "first" for each in provider.snapshots(resource, Deadline(600))):
                provider.take_snapshot(resource, "first", Deadline(600))
            words = [sys.executable, "-c", PROGRAM.format(change=CHANGES[change]), scene.stack_file, scene.state.path]
            with subprocess.Popen([*map(str, words), resource.id], stdout=subprocess.PIPE) as struck:
                assert struck.stdout is not None
                assert struck.stdout.readline() == b"begins\n"
                time.sleep(moment)  # any moment will do: what must hold holds at each
                struck.kill()
            (host,) = provider.hosts(scene.life().stack.hosts, Deadline(600))
            assert host.state in (RUNNING, PAUSED, STOPPED)
            provider.start(resource, Deadline(600))
            (host,) = provider.hosts(scene.life().stack.hosts, Deadline(600))
            assert host.state == RUNNING
            names = {each.name for each in provider.snapshots(resource, Deadline(600))}
            assert names <= {"first", "later"}
            if "later" in names:
                provider.delete_snapshot(resource, "later", Deadline(600))
            kills.judge(f"after {moment} s", scene.ours(), scene.life().journal.live(), (), before)
    finally:
        destroy(scene.life())
    assert scene.ours() == []
