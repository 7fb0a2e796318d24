"""Provider libvirt with this machine's own libvirtd: killed at its points, nothing is left; what cannot be is told.

Domains boot, without KVM where there is none. Run by `./run test-machines`, as root.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.hosts import PAUSED, RUNNING, STOPPED
from infratest.images.seed import END, UNITS
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.up import up
from infratest.providers.libvirt.connection import SYSTEM, Daemon
from infratest.stack.open import opened
from infratest.testing.waiting import wait_until
from tests.lifecycle.killed import Kills, Scene, changing_points, generated, killed, known_hosts
from tests.worlds.libvirtd import libvirtd

pytestmark = [pytest.mark.machines, pytest.mark.timeout(3600)]

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

    return Daemon(SYSTEM).ask("looking at all", look, Deadline(600))


def all_is_gone(scene: Scene, before: set[str], point: str) -> None:
    assert held() == before, point
    assert known_hosts(scene) == "", point


def kills_of(verb: str, scene: Scene) -> Kills:
    """Kills of a scene that may still stand: by what is in its things' names they are told from those of others."""
    return Kills("libvirt", verb, lambda: {name: "there" for name in held() if scene.id[:8] not in name})


def test_up_is_killed_at_every_point(tmp_path: Path) -> None:
    before = held()
    whole = scene_of(tmp_path / "whole", is_up=False)
    points = changing_points(generated(whole, "up"))
    destroy(whole.life())
    assert held() == before
    for number, point in enumerate(points):
        scene = scene_of(tmp_path / f"{number}", is_up=False)
        kills = kills_of("up", scene)
        others = kills.begin()
        killed(scene, "up", point)
        kills.reaped(scene, point, others, whole=2)
        all_is_gone(scene, before, point)
    print(f"\nup: killed at {len(points)} points")


def test_a_host_that_is_up_is_killed_within_each_change_and_at_every_point_of_its_end(tmp_path: Path) -> None:
    """A host boots for a minute: as long as it is there still, the next point is tried on the same one."""
    before = held()
    scene = scene_of(tmp_path / "0", is_up=True)
    try:
        for change in CHANGES:
            for moment in (0.0, 0.05, 0.2, 0.5, 1.0):
                killed_within(scene, change, moment)
        points = changing_points(generated(scene, "destroy"))
        all_is_gone(scene, before, "-")
        for number, point in enumerate(points, 1):
            if {one.kind for one in scene.ours()} != {"host", "network"}:
                destroy(scene.life())
                all_is_gone(scene, before, f"before {point}")
                scene = scene_of(tmp_path / f"{number}", is_up=False)
                making(scene)
            kills = kills_of("destroy", scene)
            others = kills.begin()
            killed(scene, "destroy", point)
            scene.reap_by_command()
            kills.judge(point, scene.ours(), scene.life().journal.live(), (), others)
    finally:
        destroy(scene.life())
    all_is_gone(scene, before, "the last")
    print(f"\ndestroy: killed at {len(points)} points")


def making(scene: Scene) -> None:
    """Have a host made that is live by the journal, and starting: whether it has booted is nothing to its removal."""
    life = scene.life()
    with life.operation("up", 600.0) as (operation, deadline):
        for together in life.provider.requests(life.stack.hosts, life.lease()):
            for request in together:
                operation.asked(request.kind, request.name)
                operation.made(life.provider.create(request, deadline), request.spec)


#: By its verb, what changes a host by calls of libvirt: struck at any moment within, the host can go on.
CHANGES = {
    "suspend": "life.provider.suspend(resource, Deadline(600))",
    "snapshot save": "life.provider.take_snapshot(resource, 'later', Deadline(600))",
    "snapshot restore": "life.provider.restore_snapshot(resource, 'first', Deadline(600))",
    "snapshot delete": "life.provider.delete_snapshot(resource, 'first', Deadline(600))",
    "halt": "life.provider.halt(resource, Deadline(600))",
}


def killed_within(scene: Scene, change: str, moment: float) -> None:
    provider, hosts, where = scene.provider(), scene.life().stack.hosts, (change, moment)
    (resource,) = [one for one in scene.ours() if one.kind == "host"]
    kills = kills_of(change, scene)
    others = kills.begin()

    def kept() -> set[str]:
        return {each.name for each in provider.snapshots(resource, Deadline(600))}

    if "first" not in kept():
        provider.take_snapshot(resource, "first", Deadline(600))
    with subprocess.Popen(program(CHANGE.format(change=CHANGES[change]), scene), stdout=subprocess.PIPE) as struck:
        assert struck.stdout is not None
        assert struck.stdout.readline() == b"begins\n"
        try:
            struck.wait(moment)  # any moment will do: what must hold holds at each
        except subprocess.TimeoutExpired:
            struck.kill()
    (host,) = provider.hosts(hosts, Deadline(600))
    assert host.state in (RUNNING, PAUSED, STOPPED), where

    def runs() -> bool:
        """The daemon may not even have begun with what the run that was struck has asked for last."""
        provider.start(resource, Deadline(600))
        (host,) = provider.hosts(hosts, Deadline(600))
        return host.state == RUNNING

    wait_until(runs, 600)
    assert kept() <= {"first", "later"}, where
    if "later" in kept():
        provider.delete_snapshot(resource, "later", Deadline(600))
    kills.judge(f"after {moment} s", scene.ours(), scene.life().journal.live(), (), others)


BEGIN = """
import sys
from pathlib import Path
from infratest.deadline import Deadline
from infratest.lifecycle.operation import Lifecycle
from infratest.stack import file
from infratest.store.directory import StateDir
life = Lifecycle(file.load(Path(sys.argv[1])), StateDir(Path(sys.argv[2])))
"""
CHANGE = """
existing, live = life.provider.existing(Deadline(600)), life.journal.live()
(resource,) = [one for one in existing if one.kind == "host" and one.id in live]
print("begins", flush=True)
{change}
"""


def program(text: str, scene: Scene) -> list[str]:
    return [sys.executable, "-c", BEGIN + text, str(scene.stack_file), str(scene.state.path)]


#: Struck while it makes a host: at any moment of that, the domain leads to all that there is.
MAKE = """
for together in life.provider.requests(life.stack.hosts, life.lease()):
    for request in together:
        print(request.kind, flush=True)
        life.provider.create(request, Deadline(600))
"""


@pytest.mark.parametrize("moment", [0.0, 0.05, 0.1, 0.2, 0.4, 0.8])
def test_killed_while_a_host_is_made(tmp_path: Path, moment: float) -> None:
    before = held()
    scene = scene_of(tmp_path / "scene", is_up=False)
    with subprocess.Popen(program(MAKE, scene), stdout=subprocess.PIPE) as struck:
        assert struck.stdout is not None
        assert [struck.stdout.readline() for _ in range(2)] == [b"network\n", b"host\n"]
        try:
            struck.wait(moment)  # any moment will do: what must hold holds at each
        except subprocess.TimeoutExpired:
            struck.kill()
    scene.reap_by_command()
    assert scene.ours() == []
    assert held() == before


#: Has the host end at $1, seconds since the epoch, in place of when its budget is over.
SOONER = f"""
sed -i "s/OnCalendar=.*/OnCalendar=$(date --utc --date=@$1 '+%F %T UTC')/" {UNITS}/{END}.timer
systemctl daemon-reload && systemctl restart {END}.timer && systemctl is-active {END}.timer
"""


def test_a_host_whose_budget_ended_while_it_was_suspended_powers_itself_off_when_it_goes_on(tmp_path: Path) -> None:
    scene = scene_of(tmp_path / "scene", is_up=False)
    scene.stack_file.write_text(STACK + "budget: {time: 20h, enforce: guest}\n")
    provider, hosts = scene.provider(), scene.life().stack.hosts
    try:
        (host,) = up(scene.life())
        end = int(time.time()) + 90
        transport = opened(host, Deadline(60))
        try:
            done = transport.run(["sh", "-c", SOONER, "sh", str(end)], Deadline(60))
        finally:
            transport.close()
        assert done.stdout == b"active\n", done.stderr
        (resource,) = [one for one in scene.ours() if one.kind == "host"]
        provider.suspend(resource, Deadline(600))
        assert provider.hosts(hosts, Deadline(60))[0].state == PAUSED
        wait_until(lambda: time.time() > end, 120)
        provider.start(resource, Deadline(600))  # its clock stands where it stood
        wait_until(lambda: provider.hosts(hosts, Deadline(60))[0].state == STOPPED, 120)
    finally:
        destroy(scene.life())


def test_a_daemon_that_is_not_there_is_told() -> None:
    with pytest.raises(ProviderError, match="is libvirtd running"):
        Daemon("qemu+unix:///system?socket=/nonexistent/sock").ask("looking", lambda each: each, Deadline(20))
