"""QEMU's process: which program and accelerator, a machine's command line, how it is started and ended.

The same command line must come from the same record, whatever this version's order of devices is: a state that was
saved can be loaded by the same devices alone.
"""

from __future__ import annotations

import os
import platform
import shutil
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.local_program import call
from infratest.providers import _host_ports
from infratest.providers._accelerator import TCG, working
from infratest.providers.qemu.folder import Folder, Record
from infratest.providers.qemu.qmp import Gone, monitor

#: The program, machine, and further devices, by the architecture of this machine.
SYSTEMS = {
    "x86_64": ("qemu-system-x86_64", "q35,usb=off", ("-device", "vmgenid,guid=auto")),
    "aarch64": ("qemu-system-aarch64", "virt", ()),
    "arm64": ("qemu-system-aarch64", "virt", ()),
}

#: The first card's hardware address: its network holds nobody else.
FIRST_MAC = "52:54:00:00:00:01"

#: The virtio serial port on which our own images listen. (fixtures/images/machine/infratest-seed)
SEED_PORT = "infratest.seed"

START = 60.0  # seconds for QEMU to begin
GRACE = 60.0  # seconds that a machine may take to power off in order


@dataclass(frozen=True, kw_only=True)
class Qemu:
    """QEMU on this machine: its program and version, and the accelerator that works with it."""

    program: str
    version: str
    accelerator: str
    refusal: str = ""  # why the fast one does not work

    @property
    def key(self) -> str:
        """What a saved state depends on."""
        return f"{self.version} {self.accelerator} {platform.machine()}"


_lock = threading.Lock()
_known: dict[str, Qemu] = {}


def find(deadline: Deadline) -> Qemu:
    """Return the QEMU of this machine; it is asked once.

    Raises:
        ProviderError: there is none, or it does not begin.
    """
    name, _, _ = _system()
    program = shutil.which(name)
    if program is None:
        raise ProviderError(
            f"there is no {name} in PATH; install QEMU (on Debian `apt-get install qemu-system-x86 qemu-utils`)"
        )
    if shutil.which("qemu-img") is None:
        raise ProviderError("there is no qemu-img in PATH; install it (on Debian `apt-get install qemu-utils`)")
    with _lock:
        if program not in _known:
            status, out, err = call([program, "--version"], deadline)
            if status != 0:
                raise ProviderError(f"`{program} --version` failed: {clean(err or out, 300)}")
            accelerator, refusal = working(program, _system()[1], deadline)
            version = out.splitlines()[0].removeprefix("QEMU emulator version ").strip()
            _known[program] = Qemu(program=program, version=version, accelerator=accelerator, refusal=refusal)
        return _known[program]


def _system() -> tuple[str, str, tuple[str, ...]]:
    machine = platform.machine()
    if machine not in SYSTEMS:
        raise ProviderError(f"provider qemu makes machines on {', '.join(sorted(SYSTEMS))}, not on {machine}")
    return SYSTEMS[machine]


def start(qemu: Qemu, one: Folder, record: Record, deadline: Deadline, more: Sequence[str] = ()) -> None:
    """Start a machine's QEMU.

    Args:
        more: words for its command line, as `-loadvm NAME`.
    Raises:
        ProviderError: it did not begin; with its own words.
    """
    words = [*command_line(qemu, one, record), *more]
    with one.life(deadline) as alive:
        for path in (one.pid, one.qmp):  # of an earlier start; never of one that runs
            path.unlink(missing_ok=True)
        for end in (".in", ".out"):
            with suppress(FileExistsError):
                os.mkfifo(f"{one.port}{end}", 0o600)
        status, out, err = call(words, deadline.at_most(START), keep=(alive,))
    if status != 0:
        raise ProviderError(f"{record.name}: QEMU did not start: {_reason(err or out or f'exit {status}', record)}")


def _reason(words: str, record: Record) -> str:
    """Return QEMU's words, and what to do about those that are known."""
    text = clean(" ".join(line.rpartition("qemu-system-x86_64: ")[2] for line in words.strip().splitlines()[-3:]), 400)
    if "annot allocate memory" in text or "cannot set up guest memory" in text:
        return f"{text}; this machine cannot give it {record.memory // 1024**2} MiB: say less with `memory:`"
    if "Could not set up host forwarding rule" in text:
        return f"{text}; somebody else has taken the port since then: `destroy` and `up` of this stack choose anew"
    if "No space left" in text:
        return f"{text}; the disk of this machine is full"
    return text


def command_line(qemu: Qemu, one: Folder, record: Record) -> list[str]:
    """Return the words that start a machine."""
    _, machine, devices = _system()
    fast = qemu.accelerator != TCG
    words = [qemu.program, "-name", f"infratest-{record.name}", "-nodefaults", "-no-user-config", "-M", machine]
    words += ["-accel", qemu.accelerator if fast else "tcg,thread=multi,tb-size=128", "-cpu", "host" if fast else "max"]
    words += ["-smp", str(record.cpus), "-m", f"{record.memory // 1024**2}", "-display", "none", "-rtc", "base=utc"]
    words += ["-serial", f"file:{_escaped(one.serial)}", "-pidfile", str(one.pid), "-daemonize"]
    words += ["-qmp", f"unix:{_escaped(one.qmp)},server=on,wait=off"]
    if record.kernel:
        words += ["-kernel", record.kernel, "-initrd", record.initrd, "-append", record.command_line]
    for disk in one.disks(record):
        words += ["-drive", f"file={_escaped(disk)},format=qcow2,if=virtio,cache=unsafe,discard=unmap"]
    if one.seed.exists():
        words += ["-drive", f"file={_escaped(one.seed)},format=raw,if=virtio,readonly=on"]
    forwards = "".join(
        f",hostfwd=tcp:{_host_ports.LOOPBACK}:{at}-:{port}" for port, at in _host_ports.allotted(record.id).items()
    )
    words += ["-netdev", f"user,id=out{forwards}", "-device", f"virtio-net-pci,netdev=out,mac={FIRST_MAC},romfile="]
    words += ["-netdev", f"socket,id=peers,mcast={record.group},localaddr={_host_ports.LOOPBACK}"]
    words += ["-device", f"virtio-net-pci,netdev=peers,mac={record.mac},romfile="]
    words += ["-chardev", f"pipe,id=seed,path={_escaped(one.port)}", "-device", "virtio-serial-pci"]
    words += ["-device", f"virtserialport,chardev=seed,name={SEED_PORT}", "-device", "virtio-rng-pci", *devices]
    return words


def _escaped(path: Path) -> str:
    """A comma ends a value in QEMU's options, two are one."""
    return str(path).replace(",", ",,")


def end(one: Folder, name: str, deadline: Deadline) -> None:
    """End a machine's QEMU, asked first so that its disks are whole; fine where it does not run."""
    if one.runs():
        with suppress(ProviderError), monitor(one.qmp, name, deadline.at_most(5)) as asked:
            asked.run("quit", deadline.at_most(5))
        if not one.ended(deadline.at_most(5)):
            one.kill(deadline)


def power_off(one: Folder, name: str, deadline: Deadline) -> None:
    """Press a machine's power button, and cut the power where that does not end it."""
    limit = deadline.at_most(GRACE)
    try:
        with monitor(one.qmp, name, limit) as asked:
            if asked.status(limit) == "running":
                asked.run("system_powerdown", limit)
                one.ended(limit)
    except Gone:
        pass
    end(one, name, Deadline(max(10.0, deadline.left)))
