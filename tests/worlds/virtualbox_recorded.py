"""Answers of the real VBoxManage, as files of tests/data/virtualbox, for tests of how they are read.

    python -m tests.worlds.virtualbox_recorded    records them anew (needs the root that ./run test-machines sets up)

Each is `<name>.txt`, both streams one after the other, the world's folder being /world. Nobody writes them by hand.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

DATA = Path(__file__).parent.parent / "data" / "virtualbox"

BASE, CLONE = "9f058cce-48f5-45da-9439-ebeb27eb17c7", "11111111-2222-3333-4444-555555555555"
RECORD = '{"name": "c1", "labels": {"infratest.owner": "a@b, Value: \\"x\\""}}'


def recorded(name: str) -> str:
    return (DATA / f"{name}.txt").read_text("utf-8")


def record(folder: Path) -> None:
    from tests.worlds.virtualbox import virtualbox_world

    DATA.mkdir(exist_ok=True)
    with virtualbox_world(folder) as world:
        vbox = world.vbox
        vms, disk = str(world.folder / "vms"), str(world.empty_disk())
        vbox(
            "createvm", "--name", 'base "1"', "--ostype", "Debian_64", "--register", "--basefolder", vms, "--uuid", BASE
        )
        vbox("storagectl", BASE, "--name", "SATA", "--add", "sata", "--controller", "IntelAhci", "--portcount", "4")
        vbox("storagectl", BASE, "--name", "IDE 0", "--add", "ide")
        at = ("--storagectl", "SATA", "--port", "0", "--device", "0", "--type", "hdd")
        vbox("storageattach", BASE, *at, "--medium", disk)
        vbox("snapshot", BASE, "take", "infratest")
        link = ("--snapshot", "infratest", "--options", "link", "--register", "--basefolder", vms)
        vbox("clonevm", BASE, *link, "--name", "c1", "--uuid", CLONE)
        rules = ("--natpf1", "port-22,tcp,127.0.0.1,21001,,22", "--natpf1", "port-80,tcp,127.0.0.1,21002,,80")
        vbox("modifyvm", CLONE, *rules, "--nic2", "intnet", "--intnet2", "x", "--description", 'two\nlines "q" \\b')
        vbox("snapshot", CLONE, "take", "first", "--description", "infratest 1764300000.500 off")
        vbox("snapshot", CLONE, "take", 'the "second"')
        vbox("snapshot", CLONE, "take", "third", "--description", "infratest 1764300002.000 running")
        vbox("setextradata", "global", f"infratest/machine/{CLONE}", RECORD)
        vbox("setextradata", "global", "GUI/Other", "x")
        for name, words in {
            "list-vms": ["list", "vms"],
            "list-long-vms": ["list", "-l", "vms"],
            "list-long-hdds": ["list", "-l", "hdds"],
            "showvminfo": ["showvminfo", CLONE, "--machinereadable"],
            "snapshot-list": ["snapshot", CLONE, "list", "--machinereadable"],
            "getextradata": ["getextradata", "global", "enumerate"],
        }.items():
            _keep(world.folder, name, words)
        vbox("snapshot", CLONE, "restore", "first")
        for name, words in {
            "no-driver": ["startvm", CLONE, "--type", "headless"],
            "gone": ["showvminfo", "nosuch"],
            "off": ["controlvm", CLONE, "poweroff"],
            "exists": ["createvm", "--name", "c1", "--register", "--basefolder", vms],
            "no-file": ["closemedium", "dvd", "/nosuch.iso"],
            "usage": ["modifyvm", CLONE, "--nonsense"],
            "host-only": ["hostonlyif", "create"],
            "branched": ["snapshot", CLONE, "delete", "first"],
            "in-use": ["unregistervm", BASE, "--delete"],
        }.items():
            _keep(world.folder, f"refused-{name}", words, failed=True)


def _keep(world: Path, name: str, words: list[str], failed: bool = False) -> None:
    done = subprocess.run([world / "real", *words], capture_output=True, text=True)
    assert (done.returncode != 0) is failed, (words, done)
    text = (done.stderr + done.stdout).replace(str(world), "/world")
    (DATA / f"{name}.txt").write_text(text, "utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        record(Path(place) / "world")
