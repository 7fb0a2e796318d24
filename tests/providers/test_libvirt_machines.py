"""Provider libvirt with this machine's own libvirtd: killed at its points, nothing is left; what cannot be is told.

Domains boot, without KVM where there is none. Run by `./run test-machines`, as root.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.up import up
from infratest.providers.libvirt.connection import SYSTEM, Daemon
from tests.lifecycle.killed import SIGKILLED, Scene, changing_points, generated, known_hosts
from tests.worlds.libvirtd import libvirtd

pytestmark = [pytest.mark.machines, pytest.mark.timeout(2400)]

STACK = "stack: kill\nprovider: libvirt\nhosts: {web: {memory: 256MiB}}\n"


@pytest.fixture(autouse=True, scope="module")
def daemon() -> Iterator[None]:
    with libvirtd():
        yield


def scene_of(folder: Path, is_up: bool) -> Scene:
    folder.mkdir(parents=True)
    scene = Scene(folder)
    scene.stack_file.write_text(STACK)
    if is_up:
        up(scene.life())
    return scene


def held() -> set[str]:
    """Return all that the daemon holds, whoever made it, but for images: none may go or stay that should not."""

    def look(connection) -> set[str]:
        names = {one.name() for one in (*connection.listAllDomains(), *connection.listAllNetworks())}
        for pool in connection.listAllStoragePools():
            if pool.isActive():
                pool.refresh()
                names |= {name for name in pool.listVolumes() if not name.startswith("image-")}
        return names

    return Daemon(SYSTEM).ask("looking at all", look, Deadline(60))


@pytest.mark.parametrize("verb, is_up", [("up", False), ("destroy", True)])
def test_killed_at_every_point(tmp_path: Path, verb: str, is_up: bool) -> None:
    before = held()
    whole = scene_of(tmp_path / "whole", is_up)
    points = changing_points(generated(whole, verb))
    destroy(whole.life())
    assert held() == before
    for number, point in enumerate(points):
        scene = scene_of(tmp_path / f"{number}", is_up)
        try:
            status, words = scene.run(verb, "SIGKILL", point)
            assert status == SIGKILLED, (point, words)
            scene.reap_by_command()
            assert set(scene.life().journal.live()) >= {one.id for one in scene.ours()}, point
        finally:
            destroy(scene.life())
        assert held() == before, point
        assert known_hosts(scene) == "", point
    print(f"\n{verb}: killed at {len(points)} points")


#: Struck while it makes a host: at any moment of that, the domain leads to all that there is.
PROGRAM = """
import sys
from pathlib import Path
from infratest.deadline import Deadline
from infratest.lifecycle.operation import Lifecycle
from infratest.stack import file
from infratest.store.directory import StateDir
life = Lifecycle(file.load(Path(sys.argv[1])), StateDir(Path(sys.argv[2])))
for together in life.provider.requests(life.stack.hosts, life.lease()):
    for request in together:
        print(request.kind, flush=True)
        life.provider.create(request, Deadline(120))
"""


@pytest.mark.parametrize("moment", [0.0, 0.05, 0.1, 0.2, 0.4, 0.8])
def test_killed_while_a_host_is_made(tmp_path: Path, moment: float) -> None:
    before = held()
    scene = scene_of(tmp_path / "scene", is_up=False)
    words = [sys.executable, "-c", PROGRAM, scene.stack_file, scene.state.path]
    with subprocess.Popen([*map(str, words)], stdout=subprocess.PIPE) as struck:
        assert struck.stdout is not None
        assert [struck.stdout.readline() for _ in range(2)] == [b"network\n", b"host\n"]
        try:
            struck.wait(moment)  # any moment will do: what must hold holds at each
        except subprocess.TimeoutExpired:
            struck.kill()
    scene.reap_by_command()
    assert scene.ours() == []
    assert held() == before


def test_a_daemon_that_is_not_there_is_told() -> None:
    with pytest.raises(ProviderError, match="is libvirtd running"):
        Daemon("qemu+unix:///system?socket=/nonexistent/sock").ask("looking", lambda each: each, Deadline(20))
