"""One machine: cloned from a master, set up, looked at, kept in snapshots, removed. Called by the provider."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.images.cache import cache_folder
from infratest.providers import _host_ports
from infratest.providers.base import Console, Snapshot
from infratest.providers.virtualbox import answers
from infratest.providers.virtualbox.registry import Record
from infratest.providers.virtualbox.vboxmanage import BRANCHED, EXISTS, GONE, NO_FILE, OFF, VBoxManage

#: What its folder holds beside VirtualBox's own files.
SEED, CONSOLE = "seed.iso", "console.log"

#: How our names of machines begin; nothing with another name is ever removed.
OURS = "infratest-"

#: Of `list vms`: a machine whose settings file is gone or damaged.
INACCESSIBLE = "<inaccessible>"

#: The first serial port of a PC: its address and interrupt.
SERIAL = ("0x3F8", "4")

#: How much of the end of a serial log is shown, in bytes.
SHOWN = 64 * 1024

MIB = 1024 * 1024
TICK = 0.1  # seconds between two tries for a lock


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place at a storage controller."""

    controller: str
    port: int
    device: int = 0

    def words(self) -> list[str]:
        return ["--storagectl", self.controller, "--port", str(self.port), "--device", str(self.device)]


def mac(uuid: str, card: int) -> str:
    """Return the hardware address of a machine's network card, as VirtualBox takes it; each of ours has its own."""
    return "080027" + hashlib.sha256(f"{uuid} {card}".encode()).hexdigest()[:6].upper()


def with_colons(address: str) -> str:
    return ":".join(address[at : at + 2] for at in range(0, 12, 2)).lower()


def clone(vbox: VBoxManage, master: str, snapshot: str, record: Record, deadline: Deadline) -> None:
    """Make a machine that stands on a master's disk. One after the other on this machine: of calls at the same time
    some return ten seconds after the work is done."""
    words = ["clonevm", master, "--snapshot", snapshot, "--options", "link", "--register"]
    words += ["--name", record.name, "--uuid", record.uuid, "--basefolder", str(Path(record.folder).parent)]
    with locked("clone", deadline):
        vbox.run(words, deadline)


def settings(record: Record, ports: dict[int, int], network: str, more: Sequence[str]) -> list[str]:
    """Return the words of the one `modifyvm` that makes a clone what it is to be.

    Args:
        network: the internal network's name. more: further words, which win.
    """
    owner = record.labels.get("infratest.owner", "")
    words = ["--description", f"infratest: host {record.host} of stack {record.labels['infratest.stack']}, {owner}"]
    words += ["--nic1", "nat", "--macaddress1", mac(record.uuid, 1), "--cableconnected1", "on"]
    for port, at in ports.items():
        words += ["--natpf1", f"port-{port},tcp,{_host_ports.LOOPBACK},{at},,{port}"]
    words += ["--nic2", "intnet", "--intnet2", network, "--macaddress2", mac(record.uuid, 2), "--cableconnected2", "on"]
    console = str(Path(record.folder, CONSOLE))
    words += ["--uart1", *SERIAL, "--uartmode1", "file", console]
    return ["modifyvm", record.uuid, *words, *more]


def attach_seed(vbox: VBoxManage, record: Record, slot: Slot, deadline: Deadline) -> None:
    at = Path(record.folder, SEED)
    vbox.run(["storageattach", record.uuid, *slot.words(), "--type", "dvddrive", "--medium", str(at)], deadline)


def add_disk(vbox: VBoxManage, record: Record, slot: Slot, size: int, deadline: Deadline) -> None:
    """Give a machine one more disk, empty, of so many bytes."""
    at = str(Path(record.folder, f"disk-{slot.port}.vdi"))
    vbox.run(
        ["createmedium", "disk", "--filename", at, "--size", str(max(1, size // MIB)), "--format", "VDI"], deadline
    )
    vbox.run(["storageattach", record.uuid, *slot.words(), "--type", "hdd", "--medium", at], deadline)


def start(vbox: VBoxManage, record: Record, deadline: Deadline) -> None:
    """Start a machine that does not run; its ports must be free: VirtualBox would start it without a way in.

    Raises:
        ProviderError: somebody else listens on one of its ports, or VirtualBox could not start it.
    """
    for port, at in ports(vbox, record.uuid, deadline).items():
        if not _host_ports.free(at):
            raise ProviderError(
                f"host {record.host} cannot be started: port {at} of {_host_ports.LOOPBACK}, which leads to its port "
                f"{port}, is taken by another program: end that (`ss -ltnp sport = :{at}` names it), or destroy the "
                "host and bring it up anew"
            )
    kind = "gui" if record.gui else "headless"
    vbox.patiently(lambda: vbox.run(["startvm", record.uuid, "--type", kind], deadline), deadline)


def power_off(vbox: VBoxManage, uuid: str, deadline: Deadline) -> None:
    """Cut the power; fine if it is off or gone."""
    vbox.unless((OFF, GONE), ["controlvm", uuid, "poweroff"], deadline)


def info(vbox: VBoxManage, uuid: str, deadline: Deadline) -> dict[str, str]:
    """Return what VirtualBox says of one machine; only of one that nobody changes just now."""
    return answers.values(vbox.run(["showvminfo", uuid, "--machinereadable"], deadline))


def ports(vbox: VBoxManage, uuid: str, deadline: Deadline) -> dict[int, int]:
    """Return a machine's ports: by the list of host ports, else (somebody has removed the cache) by its NAT rules."""
    held = _host_ports.allotted(uuid)
    if held:
        return held
    rules = [value.split(",") for key, value in info(vbox, uuid, deadline).items() if key.startswith("Forwarding(")]
    return {int(rule[5]): int(rule[3]) for rule in rules if len(rule) == 6 and rule[0].startswith("port-")}


def remove(vbox: VBoxManage, record: Record, name: str | None, deadline: Deadline) -> None:
    """Remove a machine with its disks, and what is left of one that was half made or half removed.

    Args:
        name: by which it is registered, None where it is not.
    Raises:
        ProviderError: another machine stands on its disks, it is locked, or a file cannot be removed.
    """
    if name == INACCESSIBLE:
        vbox.unless((GONE,), ["unregistervm", record.uuid], deadline)
    elif name is not None:
        power_off(vbox, record.uuid, deadline)
        _no_children(vbox, record, deadline)
        delete = ["unregistervm", record.uuid, "--delete"]
        vbox.patiently(lambda: vbox.unless((GONE,), delete, deadline), deadline)
    seed = Path(record.folder, SEED)
    if seed.exists():
        vbox.unless((NO_FILE, GONE), ["closemedium", "dvd", str(seed)], deadline)
    remove_folder(Path(record.folder))


def remove_folder(folder: Path) -> None:
    """Remove a folder of ours; fine if it is gone."""
    if not folder.name.startswith(OURS):
        raise ProviderError(f"{folder} is not removed: its name is none of ours")
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ProviderError(f"{folder} cannot be removed: {error.strerror}; remove it by hand") from error


def _no_children(vbox: VBoxManage, record: Record, deadline: Deadline) -> None:
    """VirtualBox unregisters a machine before it sees that its disks cannot be removed: look first."""
    known = answers.media(vbox.run(["list", "-l", "hdds"], deadline))
    mine = {uuid for uuid, medium in known.items() if record.uuid in medium.users}
    others = {user for medium in known.values() if medium.parent in mine for user in medium.users} - {record.uuid}
    if others:
        raise ProviderError(
            f"host {record.host} is not removed: machines that infratest has not made stand on its disks "
            f"({', '.join(sorted(others))}): remove these first, or make them whole by `VBoxManage clonevm`"
        )


# Snapshots

#: How the description of a snapshot of ours begins; of one that is deleted and on which two others still stand.
MARK, FORGOTTEN = "infratest", "infratest: deleted, others stand on it"


def snapshots(vbox: VBoxManage, uuid: str, deadline: Deadline) -> list[answers.Kept]:
    """Return a machine's snapshots, the oldest first."""
    return [one for one in _all_snapshots(vbox, uuid, deadline) if one.description != FORGOTTEN]


def _all_snapshots(vbox: VBoxManage, uuid: str, deadline: Deadline) -> list[answers.Kept]:
    if "CurrentSnapshotName" not in info(vbox, uuid, deadline):
        return []  # `snapshot list` of a machine without one is an error
    return answers.snapshots(vbox.run(["snapshot", uuid, "list", "--machinereadable"], deadline))


def delete_snapshot(vbox: VBoxManage, uuid: str, kept: answers.Kept, deadline: Deadline) -> None:
    """Delete a snapshot. VirtualBox refuses while both another one and the machine as it is now stand on it: it is then
    put out of sight, and deleted together with the last but one of these."""

    def delete(snapshot: str) -> bool:
        return vbox.unless((BRANCHED,), ["snapshot", uuid, "delete", snapshot], deadline)

    def work() -> None:
        if not delete(kept.uuid):
            words = ["--name", f"{kept.name} (deleted)", "--description", FORGOTTEN]
            vbox.run(["snapshot", uuid, "edit", kept.uuid, *words], deadline)

    vbox.patiently(work, deadline)
    left = [one for one in _all_snapshots(vbox, uuid, deadline) if one.description == FORGOTTEN]
    for one in reversed(left):
        delete(one.uuid)


def as_snapshot(kept: answers.Kept) -> Snapshot:
    """Return a snapshot as everyone sees it; one that somebody made without us has no time."""
    mark, _, rest = kept.description.partition(" ")
    when, _, how = rest.partition(" ")
    try:
        taken = float(when) if mark == MARK else 0.0
    except ValueError:
        taken = 0.0
    return Snapshot(name=kept.name, taken=taken, running=how == "running")


def take_snapshot(vbox: VBoxManage, uuid: str, name: str, running: bool, deadline: Deadline) -> None:
    about = f"{MARK} {time.time():.3f} {'running' if running else 'off'}"
    words = ["snapshot", uuid, "take", name, "--description", about]
    vbox.patiently(lambda: vbox.run(words, deadline), deadline)


def console(vbox: VBoxManage, record: Record, deadline: Deadline) -> Console:
    """Return the end of the serial log, and a picture of the screen of a machine that runs."""
    try:
        with Path(record.folder, CONSOLE).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - SHOWN))
            text = log.read().decode("utf-8", "replace")
    except OSError:
        text = ""
    picture = Path(record.folder, "screen.png")
    try:
        shown = vbox.unless((OFF, GONE, EXISTS), ["controlvm", record.uuid, "screenshotpng", str(picture)], deadline)
        return Console(text=text, screenshot=picture.read_bytes() if shown else b"")
    except (ProviderError, OSError):
        return Console(text=text)  # the picture is the lesser half, and not every machine has a screen
    finally:
        picture.unlink(missing_ok=True)


@contextmanager
def locked(what: str, deadline: Deadline) -> Iterator[None]:
    """Hold a lock that all processes of this user share: VirtualBox does some things rightly only one by one."""
    folder = cache_folder() / "virtualbox"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / f"{what}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ProviderError(
            f"{folder} cannot be written: {error.strerror}; name another folder with INFRATEST_CACHE"
        ) from error
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if deadline.passed:
                    raise ProviderError(f"another infratest has held VirtualBox's {what} lock for too long") from None
                time.sleep(TICK)
        yield
    finally:
        os.close(handle)
