"""The heavy guest behind the stand-in for power: a machine under QEMU, of what VirtualBox's registry says.

Its disk is a flat copy that the real VBoxManage makes when it starts, and takes back when it is off: so snapshots,
restore and linked clones of machines that ran are VirtualBox's own, on real content. It boots by the disk's own boot
loader from an AHCI controller, with the registry's memory, processors, drives, serial port and NAT rules; the hosts of
an internal network share a multicast group of the loopback. No acceleration, so that it runs anywhere.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.worlds import virtualbox_power as power_of

#: VirtualBox's word for a network card -> QEMU's.
CARDS = {"virtio": "virtio-net-pci", "82540EM": "e1000", "82545EM": "e1000", "82543GC": "e1000"}


class Machine:
    """Guests that are machines under QEMU."""

    def __init__(self, power: power_of.Power) -> None:
        self._power = power
        self._folder = power.run_folder

    def start(self, uuid: str, info: dict[str, str]) -> None:
        medium, drive = _disks(info)
        flat, kept = self._folder / f"{uuid}.vdi", self._folder / f"{uuid}.medium"
        self._power.ask("clonemedium", "disk", medium, str(flat), "--format", "VDI")
        self._power.ask("closemedium", "disk", str(flat))
        kept.write_text(medium)
        words = ["qemu-system-x86_64", "-name", uuid, "-M", "q35,usb=off", "-accel", "tcg,thread=multi,tb-size=128"]
        words += ["-cpu", "max", "-smp", info["cpus"], "-m", info["memory"], "-nodefaults", "-display", "none"]
        words += ["-drive", f"file={flat},format=vdi,if=ide,index=0,cache=unsafe"]
        if drive:
            words += ["-drive", f"file={drive},format=raw,if=ide,index=1,media=cdrom,readonly=on"]
        mode, _, console = info.get("uartmode1", "").partition(",")
        words += ["-serial", f"file:{console}" if mode == "file" else "null"]
        words += ["-device", "virtio-rng-pci", *_cards(info)]
        # By its name alone: a whole path of a test's folder may be longer than a socket's address can be.
        words += ["-qmp", f"unix:{uuid}.qmp,server=on,wait=off"]
        words += ["-pidfile", str(self._pidfile(uuid)), "-daemonize"]
        done = subprocess.run(words, capture_output=True, text=True, cwd=self._folder)
        if done.returncode != 0:
            raise SystemExit(f"VBoxManage: error: the stand-in's QEMU did not start: {done.stderr}")

    def alive(self, uuid: str) -> bool:
        return power_of.running(self._pidfile(uuid))

    def button(self, uuid: str) -> None:
        """Press the power button."""
        with opened(self._folder) as folder, socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(f"/proc/self/fd/{folder}/{uuid}.qmp")
            for command in ("qmp_capabilities", "system_powerdown"):
                monitor.sendall(json.dumps({"execute": command}).encode() + b"\n")
            seen = b""
            while seen.count(b'"return"') < 2:
                more = monitor.recv(4096)
                if not more:
                    return
                seen += more

    def end(self, uuid: str) -> None:
        """Cut the power, and write what the machine has written back into its disk."""
        power_of.end_process(self._pidfile(uuid))
        (self._folder / f"{uuid}.qmp").unlink(missing_ok=True)  # QEMU is in another folder since, and cannot
        flat, kept = self._folder / f"{uuid}.vdi", self._folder / f"{uuid}.medium"
        if not flat.exists():
            return
        self._power.real("clonemedium", "disk", str(flat), kept.read_text(), "--existing")
        self._power.real("closemedium", "disk", str(flat))
        flat.unlink(missing_ok=True)
        kept.unlink(missing_ok=True)

    def _pidfile(self, uuid: str) -> Path:
        return self._folder / f"{uuid}.pid"


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    """Hold a folder open, for a path below it that is short."""
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)


def _disks(info: dict[str, str]) -> tuple[str, str]:
    """Return the UUID of the first hard disk, and the path of the volume in the drive."""
    medium = drive = ""
    for key, value in info.items():
        match = re.fullmatch(r"(.+)-(\d+)-(\d+)", key)
        if match is None or value in ("none", "emptydrive"):
            continue
        if value.endswith(".iso"):
            drive = value
        elif not medium and f"{match[1]}-ImageUUID-{match[2]}-{match[3]}" in info:
            medium = info[f"{match[1]}-ImageUUID-{match[2]}-{match[3]}"]
    assert medium, info
    return medium, drive


def _cards(info: dict[str, str]) -> list[str]:
    words = []
    for number in range(1, 5):
        kind = info.get(f"nic{number}", "none")
        if kind == "nat":
            rules = [f"hostfwd=tcp:127.0.0.1:{at}-:{port}" for port, at in power_of.forwards(info).items()]
            words += ["-netdev", ",".join([f"user,id=n{number}", *rules])]
        elif kind == "intnet":
            port = 20000 + zlib.crc32(info[f"intnet{number}"].encode()) % 1000
            words += ["-netdev", f"socket,id=n{number},mcast=230.0.0.1:{port},localaddr=127.0.0.1"]
        else:
            continue
        address = re.sub(r"(..)(?=.)", r"\1:", info[f"macaddress{number}"])
        card = CARDS.get(info.get(f"nictype{number}", ""), "e1000")
        words += ["-device", f"{card},netdev=n{number},mac={address}" + (",romfile=" if card != "e1000" else "")]
    return words
