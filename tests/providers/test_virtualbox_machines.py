"""Hosts of VirtualBox that boot: the real VBoxManage, and a stand-in for power that boots under QEMU what it says.

What was kept, restored and packaged is read back in a guest: snapshots, clones and exports are VirtualBox's own.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infratest.images.seed import END
from infratest.providers.virtualbox.source import INSECURE_KEY
from tests.worlds.virtualbox import VirtualBoxWorld, virtualbox_world

pytestmark = [pytest.mark.machines, pytest.mark.timeout(7200)]

HUNG = 1800.0  # seconds after which a program hangs: a disk is copied, and booted without acceleration
STACK = """\
stack: {name}
provider: virtualbox
budget: {{time: 20h, enforce: guest}}
hosts: {{web: {{count: {count}, memory: 256MiB, image: {image}}}}}
"""


class Project:
    """A stack of machines in a folder of its own."""

    def __init__(self, world: VirtualBoxWorld, name: str, count: int, image: str) -> None:
        self.folder = world.folder / name
        self.folder.mkdir()
        (self.folder / "stack.yaml").write_text(STACK.format(name=name, count=count, image=image))

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "infratest", *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=HUNG)
        assert "Traceback" not in done.stderr
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done

    def ends(self, host: str) -> None:
        """Assert that a host powers itself off when the budget is over, by its own word."""
        budget = json.loads(self.run("status", "--format", "json").stdout)["budget"]
        moment = datetime.fromtimestamp(int(budget["ends"]), UTC).strftime("%a %Y-%m-%d %H:%M:%S UTC")
        show = f"TZ=UTC LC_ALL=C systemctl show --property=NextElapseUSecRealtime --value {END}.timer"
        assert self.on(host, f"systemctl is-enabled {END}.timer; {show}") == ["enabled", moment]

    def on(self, host: str, command: str) -> list[str]:
        """Return the lines that a command on a host prints, without the host's name."""
        return [line.partition("| ")[2].strip() for line in self.run("run", host, command).stdout.splitlines()]


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[VirtualBoxWorld]:
    with virtualbox_world(tmp_path_factory.mktemp("machines") / "world", guest="qemu") as world:
        yield world
        assert [name for name in world.machines() if not name.startswith("infratest-image-")] == []
        assert list((world.folder / "run").iterdir()) == []


def test_hosts_find_each_other_and_what_was_kept_comes_back(world):
    project = Project(world, "kept", 2, "debian-12")
    try:
        project.run("up")
        assert project.on("web-1", "hostname") == ["web-1"]
        project.ends("web-1")
        greeting = project.on("web-1", "bash -c 'read -r line < /dev/tcp/web-2/22 && echo $line'")[0]
        assert greeting.startswith("SSH-2.0-OpenSSH")
        project.run("run", "*", "echo first > /root/mark; sync")
        project.run("halt")
        project.run("snapshot", "save", "first")
        project.run("up")
        assert project.on("web-2", "cat /root/mark; echo second > /root/mark; sync") == ["first"]
        project.run("halt", "--host", "web-2")
        project.run("snapshot", "restore", "first")
        project.run("up")
        assert project.on("web-2", "cat /root/mark") == ["first"]
        assert "root: clean" in project.run("console", "web-1").stdout
    finally:
        project.run("destroy")


def test_a_box_made_of_a_host_is_a_host_again(world):
    """A Vagrant box as others make them: it lets in the key that everybody has, and reads no seed volume."""
    source = Project(world, "source", 1, "debian-12")
    box = world.folder / "debian.box"
    try:
        source.run("up")
        public = subprocess.run(["ssh-keygen", "-y", "-f", as_key(world)], capture_output=True, text=True, check=True)
        source.run("run", "*", MAKE_A_BOX.format(key=public.stdout.strip()))
        source.run("halt")
        machine = next(name for name in world.machines() if name.startswith("infratest-source-web-"))
        pack(world, machine, box)
    finally:
        source.run("destroy")
    project = Project(world, "boxed", 1, str(box))
    try:
        project.run("up")
        assert project.on("web-1", "id -un; hostname; cat /etc/box") == ["vagrant", "web-1", "a box"]
        project.ends("web-1")
        assert project.on("web-1", "ip -br address | grep -o 10.99.0.2") == ["10.99.0.2"]
        refused = subprocess.run(
            ["ssh", "-F", "none", "-i", as_key(world), "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes",
             "-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={project.folder}/.infratest/known_hosts",
             "-p", port_of(world, "infratest-boxed-"), "vagrant@127.0.0.1", "true"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert "Permission denied" in refused.stderr  # the key that everybody has is let in no more
        project.run("halt")
        project.run("up")
        assert project.on("web-1", "ip -br address | grep -o 10.99.0.2") == ["10.99.0.2"]
    finally:
        project.run("destroy")


MAKE_A_BOX = """\
set -e
useradd --create-home --shell /bin/bash vagrant
install -d -m 700 -o vagrant -g vagrant /home/vagrant/.ssh
echo '{key}' > /home/vagrant/.ssh/authorized_keys
chown vagrant:vagrant /home/vagrant/.ssh/authorized_keys
chmod 600 /home/vagrant/.ssh/authorized_keys
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/vagrant
echo 'a box' > /etc/box
rm -f /etc/systemd/network/20-infratest-second.network
rm -f /etc/systemd/system/infratest-end.* /etc/systemd/system/timers.target.wants/infratest-end.timer
sync
"""


def as_key(world: VirtualBoxWorld) -> Path:
    """Return a copy of the key that everybody has, which only its owner can read."""
    path = world.folder / "insecure_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(INSECURE_KEY.read_bytes())
    return path


def port_of(world: VirtualBoxWorld, prefix: str) -> str:
    name = next(name for name in world.machines() if name.startswith(prefix))
    lines = world.vbox("showvminfo", name, "--machinereadable").splitlines()
    return next(line.split(",")[3] for line in lines if line.startswith("Forwarding") and "port-22" in line)


def pack(world: VirtualBoxWorld, machine: str, box: Path) -> None:
    """Make a box of a machine, as `vagrant package` does."""
    folder = world.folder / "box"
    folder.mkdir()
    world.vbox("export", machine, "--output", str(folder / "box.ovf"))
    with tarfile.open(box, "w:gz", compresslevel=1) as archive:
        text = json.dumps({"provider": "virtualbox"}).encode()
        entry = tarfile.TarInfo("metadata.json")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
