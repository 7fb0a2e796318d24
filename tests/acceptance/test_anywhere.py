"""The example anywhere: the whole way from up to destroy, on each provider by its one line of the stack file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import cloudstack_simulator, forked, moto_ec2
from tests.worlds.libvirtd import libvirtd
from tests.worlds.openstack.cloud import cloud
from tests.worlds.virtualbox import virtualbox_world
from tests.worlds.wheel import ROOT

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(3600)]

EXAMPLE = ROOT / "examples/anywhere"
#: The `provider:` lines of the stack file by their provider's name, and driver.
LINES = dict(
    zip(
        ("container", "virtualbox", "qemu", "libvirt", "ec2", "openstack", "cloudstack"),
        re.findall(r"^(?:# )?(provider: .*)$", (EXAMPLE / "stack.yaml").read_text(), re.M),
        strict=True,
    )
)


#: Has a cloud, and a copy of the example that stands on it.
World = Callable[[Path], AbstractContextManager["Project"]]


class Project:
    """A copy of the example with another provider's line."""

    def __init__(self, folder: Path, line: str, environment: dict[str, str] | None = None) -> None:
        self.folder = folder / "anywhere"
        shutil.copytree(EXAMPLE, self.folder, ignore=shutil.ignore_patterns(".infratest"))
        path = self.folder / "stack.yaml"
        text = path.read_text()
        assert text.count("\nprovider: container\n") == 1
        path.write_text(text.replace("\nprovider: container\n", f"\n{line}\n"))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("INFRATEST_STA")}
        self._environment = kept | (environment or {})

    def run(self, *words: str, seconds: int = 900) -> subprocess.CompletedProcess[str]:
        done = forked.run(words, cwd=self.folder, env=self._environment, timeout=seconds)
        assert "Traceback" not in done.stderr
        return done


def whole_way(project: Project) -> None:
    """Up, red, provision, green, monitor, down."""
    try:
        up = project.run("up")
        assert up.returncode == 0, up.stderr
        assert "2 hosts ready" in up.stderr
        red = project.run("test")
        assert red.returncode == 2, red.stdout
        assert "✗ nginx is there" in red.stdout
        provision = project.run("provision")
        assert provision.returncode == 0, provision.stderr
        green = project.run("test")
        assert green.returncode == 0, green.stdout
        # Its own 10 s are little where QEMU computes on a busy machine.
        check = project.run("check", "--timeout", "120s")
        assert (check.returncode, check.stderr) == (0, ""), check.stdout
        assert check.stdout.startswith("INFRATEST OK - anywhere 2 hosts: 4 scenarios ok | ")
    finally:
        down = project.run("destroy")
    assert down.returncode == 0, down.stderr
    assert "nothing to reap" in project.run("reap").stderr
    after = project.run("check")
    assert after.returncode == 2, after.stdout
    assert "not made" in after.stdout or "gone" in after.stdout


def verbs(project: Project) -> None:
    """What is done to a host that is there; its disk is the same through all but the last."""

    def asked(command: str) -> str:
        done = project.run("run", "web-1", command)
        assert done.returncode == 0, done.stderr
        return done.stdout.removeprefix("web-1 | ").strip()

    def ready(*words: str) -> str:
        done = project.run(*words, "--host", "web-1")
        assert done.returncode == 0, done.stderr
        assert "web-1: ready" in done.stderr
        return asked("cat /proc/1/stat").split()[21]  # when its first process began

    try:
        begun = [ready("up")]
        asked("echo kept >/root/file")
        halt = project.run("halt", "--host", "web-1")
        assert (halt.returncode, halt.stdout) == (0, ""), halt.stderr
        assert "halted: web-1" in halt.stderr
        assert "stopped" in project.run("status").stdout
        check = project.run("check", "--host", "web-1")
        assert check.returncode == 2, check.stdout
        begun.append(ready("up"))
        assert asked("cat /root/file") == "kept"
        begun.append(ready("reboot"))
        assert asked("cat /root/file") == "kept"
        begun.append(ready("rebuild"))
        assert asked("ls /root/file || true") == ""
        assert len(set(begun)) == 4, begun
        console = project.run("console", "web-1")
        assert console.returncode == 0, console.stderr
        assert "Reached target" in console.stdout, console.stdout
    finally:
        down = project.run("destroy")
    assert down.returncode == 0, down.stderr
    assert "nothing to reap" in project.run("reap").stderr


def test_on_containers(tmp_path: Path) -> None:
    whole_way(Project(tmp_path, LINES["container"]))


@contextmanager
def on_ec2(folder: Path, **network: Any) -> Iterator[Project]:
    """moto's EC2, on whose instances Debian's cloud-init reads the user data that the API was given."""
    with moto_ec2.of_machines(**network) as ec2:
        yield Project(folder, LINES["ec2"], moto_ec2.credentials() | {"AWS_ENDPOINT_URL": ec2.url})


@contextmanager
def on_openstack(folder: Path) -> Iterator[Project]:
    """OpenStack's own services; nova's fake compute driver has a machine started where it says that one runs."""
    with cloud().project_of_machines() as project:
        yield Project(folder, LINES["openstack"], project.login())


@pytest.mark.machines
@pytest.mark.parametrize("world", [on_ec2, on_openstack])
def test_on(world: World, tmp_path: Path) -> None:
    with world(tmp_path) as project:
        whole_way(project)


@pytest.mark.machines
@pytest.mark.parametrize("world", [on_ec2, on_openstack])
def test_verbs(world: World, tmp_path: Path) -> None:
    with world(tmp_path) as project:
        verbs(project)


@pytest.mark.machines
def test_on_cloudstack(tmp_path: Path) -> None:
    """A simulator of CloudStack's API, on whose instances Debian's cloud-init reads the user data it was given."""
    with cloudstack_simulator.of_machines() as cloud:
        login = cloudstack_simulator.credentials() | {"CLOUDSTACK_ENDPOINT": cloud.url}
        whole_way(Project(tmp_path, LINES["cloudstack"], login))


def test_a_host_that_did_not_get_its_user_data_whole_says_so(tmp_path: Path) -> None:
    """cloud-init's own words, and nothing is left of the host."""
    with on_ec2(tmp_path, heard=200) as project:
        up = project.run("up", "--host", "web-1")
        assert up.returncode == 1
        assert "A host that was made just now shows another key" in up.stderr
        assert "[WARNING]: Failed loading yaml blob. Invalid format at line 8" in up.stderr
        assert "undone: host web-1" in up.stderr
        assert "\ufffd" not in up.stderr  # of colours
        assert "nothing to reap" in project.run("reap").stderr


@pytest.mark.machines
def test_on_virtualbox(tmp_path: Path) -> None:
    """The real VBoxManage; a stand-in for power boots under QEMU what its registry says."""
    with virtualbox_world(tmp_path / "virtualbox", guest="qemu"):
        whole_way(Project(tmp_path, LINES["virtualbox"]))


@pytest.mark.machines
def test_on_libvirt(tmp_path: Path) -> None:
    with libvirtd():
        whole_way(Project(tmp_path, LINES["libvirt"]))


@pytest.mark.machines
def test_on_qemu(tmp_path: Path) -> None:
    whole_way(Project(tmp_path, LINES["qemu"]))
