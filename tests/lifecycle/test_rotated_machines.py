"""The stack's key on machines that come back as they were before it was another: who is let in, and nobody shut out.

A snapshot of QEMU holds the memory too: the sshd in it goes on with the former key alone. On EC2 (moto's, whose nodes
run Debian's cloud-init) a host comes back by a reboot, by halt and up, and by a rebuild.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infratest.cli._client import ssh_command
from infratest.hosts import Host
from infratest.lifecycle import login_key
from infratest.lifecycle.destroy import destroy
from infratest.providers import _key_rotation, _ssh_keys
from tests.lifecycle.killed import SIGKILLED, Scene, killed
from tests.worlds import moto_ec2

pytestmark = [pytest.mark.machines, pytest.mark.timeout(1800)]

QEMU = """\
stack: rotated
provider: qemu
defaults: {image: debian-12, memory: 256MiB}
hosts: {web: {}}
"""
EC2 = """\
stack: rotated
provider: {name: cloud, driver: ec2, region: eu-central-1}
defaults: {image: debian-12, memory: 256MiB}
hosts: {web: {count: 2}}
"""
FOLLOWED = "knew a former key of the stack, and has the present one now"


class Rotated(Scene):
    """A stack whose key has been another."""

    @property
    def folder_of_keys(self) -> Path:
        return self.state.path / "keys"

    def public(self) -> str:
        return _ssh_keys.user_key(self.folder_of_keys)[1].split()[1]

    def formers(self) -> list[Path]:
        return _key_rotation.formers(self.folder_of_keys)

    def rotate(self) -> str:
        """Have another key in use; return what was said."""
        before = self.public()
        words = self.command("keypair rotate")
        assert self.public() != before
        return words

    def ssh(self, host: Host, command: str, key: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command by the system's client, with the key in use or with another, and with no other."""
        way = login_key.with_key(host, key) if key else host
        words = ssh_command(way, [command], "-o", "BatchMode=yes", "-o", "ConnectTimeout=60")
        return subprocess.run(words, capture_output=True, text=True, timeout=120)

    def lets_in_the_present_key_alone(self, *names: str) -> None:
        """Let each running host let in the key in use, and no former one; by sshd's own word and by its files."""
        hosts = [host for host in self.life().hosts() if host.name in names]
        assert [(host.name, host.state) for host in hosts] == [(name, "running") for name in names]
        for host in hosts:
            look = self.ssh(host, "cat ~/.ssh/authorized_keys /root/.ssh/authorized_keys /home/*/.ssh/* || true")
            assert look.returncode == 0, look.stderr
            lines = [line for line in look.stdout.splitlines() if "ssh-ed25519" in line]
            assert {self.public()} == {line.split("ssh-ed25519 ")[1].split()[0] for line in lines}
            for key in self.formers():
                refused = self.ssh(host, "true", key)
                assert refused.returncode == 255, key
                assert "Permission denied" in refused.stderr, refused.stderr


@contextmanager
def up(folder: Path, stack: str) -> Iterator[Rotated]:
    """A stack that is up; nothing of it may be left behind."""
    scene = Rotated(folder)
    scene.stack_file.write_text(stack)
    try:
        scene.command("up")
        yield scene
    finally:
        destroy(scene.life())
    assert scene.ours() == []


@pytest.fixture
def qemu(tmp_path: Path) -> Iterator[Rotated]:
    with up(tmp_path, QEMU) as scene:
        yield scene


def test_a_snapshot_from_before_two_rotations_is_let_in_to_after_it_is_restored(qemu: Rotated) -> None:
    qemu.command("snapshot save before")
    qemu.rotate()
    qemu.rotate()
    assert len(qemu.formers()) == 2
    qemu.lets_in_the_present_key_alone("web")
    assert FOLLOWED in qemu.command("snapshot restore before")
    qemu.lets_in_the_present_key_alone("web")
    # What was halted when it was kept comes back halted, and follows when it is up.
    qemu.command("halt")
    qemu.command("snapshot save off")
    assert "given the new key by the next `infratest up` of them: web" in qemu.rotate()
    qemu.command("snapshot restore off")
    assert FOLLOWED in qemu.command("up")
    qemu.lets_in_the_present_key_alone("web")
    # The one that remembers the first key is there still, so that this key is.
    assert FOLLOWED in qemu.command("snapshot restore before")
    qemu.lets_in_the_present_key_alone("web")
    assert len(qemu.formers()) == 3


def test_killed_while_a_restored_host_is_given_the_key_the_next_up_goes_on(qemu: Rotated) -> None:
    qemu.command("snapshot save before")
    qemu.rotate()
    for step in ("before let_in web #1", "before prove web #1", "before take_away web #1"):
        killed(qemu, "snapshot restore before", step)
        if "let_in" in step:  # who asks it meanwhile is told what to do
            asked = subprocess.run([*qemu._words("run"), "web", "true"], capture_output=True, text=True, timeout=120)
            assert asked.returncode == 255
            words = "If it came back as it was before `keypair rotate`, `infratest up` gives it the present key"
            assert words in asked.stderr
        qemu.command("up")
        qemu.lets_in_the_present_key_alone("web")
    assert "nothing to reap" in qemu.reap_by_command()


@pytest.fixture
def ec2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rotated]:
    with moto_ec2.of_machines() as cloud:
        for name, value in (moto_ec2.credentials() | {"AWS_ENDPOINT_URL": cloud.url}).items():
            monkeypatch.setenv(name, value)
        with up(tmp_path, EC2) as scene:
            yield scene


def test_on_ec2_hosts_that_come_back_in_any_way_let_in_the_present_key_alone(ec2: Rotated) -> None:
    both = ("web-1", "web-2")
    ec2.command("halt --host web-2")
    assert "given the new key by the next `infratest up` of them: web-2" in ec2.rotate()
    ec2.lets_in_the_present_key_alone("web-1")
    assert FOLLOWED in ec2.command("up")
    ec2.lets_in_the_present_key_alone(*both)
    ec2.rotate()
    ec2.lets_in_the_present_key_alone(*both)
    ec2.command("reboot")  # cloud-init has the first key in its user data, and must not bring it back
    ec2.lets_in_the_present_key_alone(*both)
    ec2.command("rebuild --host web-1")
    ec2.lets_in_the_present_key_alone(*both)
    status, words = ec2.run("keypair rotate", "SIGKILL", "after switch #1")
    assert status == SIGKILLED, words
    ec2.command("rebuild --host web-2")  # made with the key in use, beside a host that lets both in
    ec2.command("keypair rotate")
    ec2.lets_in_the_present_key_alone(*both)
