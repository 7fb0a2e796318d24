"""Debian's Vagrant on the same registry of VirtualBox as ours, counted by one shim. Called by the case `lifecycle`.

It knows VirtualBox up to 7.0, so that it is told that version; every other call goes on to the real VBoxManage. Its box
is a machine with an empty disk; behind a machine that "runs" an sshd answers (tests/worlds/virtualbox_sshd.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.problem import BenchError
from tests.worlds.virtualbox import VirtualBoxWorld

PROGRAM, PACKAGE = "vagrant", "vagrant"
#: What it is told to be: the newest that it knows.
VERSION = "7.0.20r163906"
LIMIT = 1800  # seconds of one call
SHIM = """\
#!/bin/sh
if [ "$1" = --version ]; then
    echo "$*" >> "{folder}/calls"
    echo {version}
    exit 0
fi
exec "{folder}/bin/VBoxManage" "$@"
"""
FILE = """\
Vagrant.configure("2") do |config|
  config.vm.box = "bench"
  config.vm.box_check_update = false
  config.vm.synced_folder ".", "/vagrant", disabled: true
  config.ssh.insert_key = false
  config.ssh.private_key_path = "{key}"
  config.ssh.username = "root"
  config.vm.provider "virtualbox" do |provider|
    provider.linked_clone = true
    provider.check_guest_additions = false
    provider.memory = 64
  end
  (1..{count}).each {{ |number| config.vm.define "web-#{{number}}" }}
end
"""


@dataclass(frozen=True)
class Vagrant:
    """Vagrant with a home and a box of its own in a world's folder."""

    world: VirtualBoxWorld

    @property
    def _folder(self) -> Path:
        return self.world.folder / "vagrant"

    @property
    def version(self) -> str:
        return self._run("--version").split()[-1]

    def prepare(self) -> None:
        """Make keys and a box, and have the box taken in."""
        keys = self.world.folder / "keys"
        for folder in (keys, self._folder / "bin", self._folder / "box"):
            folder.mkdir(parents=True)
        for name, kind in (("host_key", "ed25519"), ("user_key", "ecdsa")):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", kind, "-m", "PEM", "-N", "", "-f", keys / name], check=True, timeout=60
            )
        shutil.copy(keys / "user_key.pub", keys / "authorized_keys")
        shim = self._folder / "bin" / "VBoxManage"
        shim.write_text(SHIM.format(folder=self.world.folder, version=VERSION))
        shim.chmod(0o755)
        self._run("box", "add", "--name", "bench", str(self._box()))

    def up(self, count: int) -> list[str]:
        """Bring up so many machines and take them down; return the calls of `up`."""
        folder = self._folder / "project"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        key = self.world.folder / "keys" / "user_key"
        (folder / "Vagrantfile").write_text(FILE.format(key=key, count=count))
        self.world.calls()
        self._run("up", "--provider", "virtualbox", folder=folder)
        calls = self.world.calls()
        self._run("destroy", "--force", folder=folder)
        return calls

    def _box(self) -> Path:
        disk = self.world.empty_disk("box.vdi")
        vbox, into = self.world.vbox, self._folder / "box"
        vbox("createvm", "--name", "box", "--ostype", "Debian_64", "--register")
        vbox("modifyvm", "box", "--memory", "64", "--nic1", "nat", "--nictype1", "virtio", "--audio-driver", "none")
        vbox("storagectl", "box", "--name", "SATA", "--add", "sata", "--portcount", "1")
        vbox("storageattach", "box", "--storagectl", "SATA", "--port", "0", "--type", "hdd", "--medium", str(disk))
        vbox("export", "box", "--output", str(into / "box.ovf"))
        vbox("unregistervm", "box", "--delete")
        (into / "metadata.json").write_text('{"provider": "virtualbox"}\n')
        (into / "Vagrantfile").write_text('Vagrant.configure("2") { |config| config.vm.base_mac = "080027123456" }\n')
        packed = self._folder / "bench.box"
        with tarfile.open(packed, "w:gz") as archive:
            for path in sorted(into.iterdir()):
                archive.add(path, path.name)
        return packed

    def _run(self, *words: str, folder: Path | None = None) -> str:
        environment = os.environ | {
            "PATH": f"{self._folder / 'bin'}:{os.environ['PATH']}", "HOME": str(self._folder),
            "VAGRANT_HOME": str(self._folder / "home"), "VAGRANT_CHECKPOINT_DISABLE": "1",
        }  # fmt: skip
        began = time.monotonic()
        done = subprocess.run(
            [PROGRAM, *words], cwd=folder or self._folder, env=environment, capture_output=True, text=True,
            timeout=LIMIT, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            said = (done.stderr + done.stdout)[-1500:]
            raise BenchError(
                f"vagrant {' '.join(words)}: {done.returncode} after {time.monotonic() - began:.0f} s: {said}"
            )
        return done.stdout
