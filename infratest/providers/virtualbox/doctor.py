"""What `infratest doctor` says about VirtualBox on this machine. Called by the VirtualBox provider."""

from __future__ import annotations

import getpass
import grp
import os
import sys
from pathlib import Path

from infratest.deadline import Deadline
from infratest.diagnosis import Finding, unusable
from infratest.errors import InfratestError
from infratest.providers.virtualbox import answers, box
from infratest.providers.virtualbox.vboxmanage import DRIVER, VBoxManage, driver_advice, find

GROUP = "vboxusers"

#: The oldest release whose answers and options are known here.
OLDEST = (6, 1)

LOADED = Path("/proc/modules")


def findings() -> list[Finding]:
    """Return what was looked at: the program, then what starting a machine needs."""
    try:
        vbox = find()
        version = _version(vbox)
        known = len(answers.machines(vbox.run(["list", "vms"], Deadline(30))))
        folder = box.machine_folder(vbox, Deadline(30))
    except InfratestError as error:
        return [unusable("provider virtualbox", error, "see what it says when you run it: `VBoxManage list vms`")]
    old = _numbers(version) < OLDEST
    program = Finding(
        name="provider virtualbox",
        usable=not old,
        found=f"VirtualBox {version} ({vbox.program}); it knows {known} machines and keeps them in {folder}",
        advice=f"VirtualBox {OLDEST[0]}.{OLDEST[1]} or newer is needed" if old else "",
    )
    return [program, *_driver(), *_processor(vbox), *_group()]


def _version(vbox: VBoxManage) -> str:
    lines = vbox.run(["--version"], Deadline(30)).split()
    return lines[-1] if lines else ""


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.replace("_", ".").replace("r", ".").split(".")
    return tuple(int(part) for part in parts[:2] if part.isdigit())


def _driver() -> list[Finding]:
    if sys.platform != "linux":
        return []
    there = DRIVER.exists()
    found = f"{DRIVER} is there" if there else f"{DRIVER} is missing: no machine can start"
    return [Finding(name="VirtualBox's driver", usable=there, found=found, advice="" if there else driver_advice())]


def _processor(vbox: VBoxManage) -> list[Finding]:
    """By VirtualBox's own word; on Linux the modules of KVM hold what it needs while they have a machine."""
    told = vbox.run(["list", "hostinfo"], Deadline(30))
    can = "Processor supports HW virtualization: yes" in told
    advice = (
        ""
        if can
        else "switch VT-x or AMD-V on in the firmware; inside a virtual machine it needs nested virtualisation"
    )
    found = "the processor's virtualisation is on" if can else "the processor's virtualisation is off or not there"
    lines = [Finding(name="virtualisation", usable=can, found=found, advice=advice)]
    try:
        kvm = [
            line.split()[0]
            for line in LOADED.read_text("ascii").splitlines()
            if line.startswith(("kvm_intel ", "kvm_amd "))
        ]
    except OSError:
        kvm = []
    if kvm:
        words = f"{kvm[0]} is loaded: where a machine of KVM runs, none of VirtualBox starts on older kernels"
        lines.append(
            Finding(name="other hypervisors", usable=True, found=words, advice=f"rmmod {kvm[0]} where it does")
        )
    return lines


def _group() -> list[Finding]:
    """Who is in the group may use USB devices and host-only networks; machines start without it."""
    if sys.platform != "linux" or os.geteuid() == 0:
        return []
    user = getpass.getuser()
    try:
        group = grp.getgrnam(GROUP)
    except KeyError:
        return [Finding(name=f"group {GROUP}", usable=True, found="there is none on this machine")]
    inside = user in group.gr_mem or group.gr_gid in os.getgroups()
    found = f"{user} is in it" if inside else f"{user} is not in it: some installations let nobody else start machines"
    advice = "" if inside else f"as root: usermod -aG {GROUP} {user}, and log in again"
    return [Finding(name=f"group {GROUP}", usable=True, found=found, advice=advice)]
