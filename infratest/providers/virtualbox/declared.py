"""What a stack file may say of VirtualBox and of its hosts, and what of it is refused. Called by the provider."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infratest.errors import UserError
from infratest.options import LINE
from infratest.providers import _subnet
from infratest.providers._disk_sizes import sizes
from infratest.providers._memory import MEMORY, OF_ALL
from infratest.providers.base import Made
from infratest.providers.virtualbox import source

DEFAULT_IMAGE, DEFAULT_USER = "debian-12", "root"

#: What useradd takes without arguing.
USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")

#: What VirtualBox's NAT gives to the first card of every machine.
NAT = ipaddress.IPv4Network("10.0.2.0/24")

MIB = 1024 * 1024

#: What VirtualBox gives a machine at least and at most. (`VBoxManage list systemproperties`)
LIMITS = {"low": 4 * MIB, "high": 2097152 * MIB}

#: Places at a machine's controller for disks of its own.
MOST_DISKS = 8

_KNOWN = "a machine is known by it; it cannot be changed"
_FOLDER = "it says where a machine's files are, which are looked for in their usual folder; it cannot be changed"
_WAY = "hosts are reached by it; it cannot be changed (`ports:` names further ports)"
_STACK = "the hosts of a stack are in one network by it; `bridged:` and `host-only:` give a host further cards"
_CONSOLE = "`infratest console` reads what it writes; it cannot be changed"
#: Arguments of `modifyvm` that are ours, without hyphens, which VirtualBox 7 has more of; and why each.
OWN = {
    "name": _KNOWN, "description": _KNOWN, "groups": _FOLDER, "snapshotfolder": _FOLDER,
    "nic1": _WAY, "macaddress1": _WAY, "cableconnected1": _WAY, "natpf1": _WAY, "natnet1": _WAY,
    "nic2": _STACK, "macaddress2": _STACK, "cableconnected2": _STACK, "intnet2": _STACK,
    "uart1": _CONSOLE, "uartmode1": _CONSOLE,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of `provider: {name: virtualbox, ...}`."""

    subnet: str = field(
        default="10.99.0.0/24",
        metadata={"description": "the network between the stack's hosts; other stacks may have the same"},
    )
    memory: int | None = field(default=None, metadata=OF_ALL | LIMITS)


@dataclass(frozen=True, kw_only=True)
class HostOptions(Made):
    """Options of a host that is a VirtualBox machine."""

    checksum: str = field(
        default="",
        metadata={
            "title": "sha256: and 64 digits",
            "description": "Of the image where it is a file; one from the web must have it.",
        },
    )
    memory: int | None = field(default=None, metadata=MEMORY | LIMITS)
    cpus: int | None = field(default=None, metadata={"low": 1, "high": 64, "description": "Its processors."})
    disks: tuple[str, ...] = field(
        default=(),
        metadata={"title": "a list of sizes", "description": "Empty disks that it has besides its own, as 10GiB."},
    )
    gui: bool = field(default=False, metadata={"description": "Start it with a window."})
    bridged: str = field(
        default="",
        metadata={
            "title": "a network card's name",
            "pattern": LINE,
            "description": "A card of this machine, whose network it joins with a third card of its own.",
        },
    )
    host_only: str = field(
        default="",
        metadata={
            "title": "a host-only network's name",
            "pattern": LINE,
            "description": "A host-only network of VirtualBox, as vboxnet0, that it joins with a fourth card.",
        },
    )
    customize: tuple[Any, ...] = field(
        default=(),
        metadata={
            "title": "a list of lists of texts",
            "description": "Further arguments of `VBoxManage modifyvm`, as [[--vram, '32']].",
        },
    )


def foresee(own: HostOptions, folder: Path) -> None:
    """Refuse what no host can be. Raises UserError: what, and why."""
    if own.user and not USER.fullmatch(own.user):
        raise UserError(f"user {own.user!r} is no user of a Linux host: write small letters, digits, _ and -")
    disks(own)
    wishes(own, Options())
    source.foresee(own.image or DEFAULT_IMAGE, own.checksum, folder)


def source_of(own: HostOptions, folder: Path) -> source.Source:
    """Return what a host is made from."""
    return source.source(own.image or DEFAULT_IMAGE, own.checksum, folder)


def ports(own: HostOptions) -> list[int]:
    """Return the ports of a host that the controller must reach."""
    return list(dict.fromkeys([22, *own.ports]))


def disks(own: HostOptions) -> tuple[int, ...]:
    """Return the sizes of a host's further disks, in bytes. Raises UserError."""
    return sizes(own.disks, "disks", MOST_DISKS)


def wishes(own: HostOptions, options: Options) -> list[str]:
    """Return the words for `modifyvm` of what a host says for itself; `customize:` comes last, so that it wins."""
    words = []
    memory = own.memory or options.memory
    if memory:
        words += ["--memory", str(memory // MIB)]
    if own.cpus:
        words += ["--cpus", str(own.cpus)]
    if own.bridged:
        words += ["--nic3", "bridged", "--bridgeadapter3", own.bridged]
    if own.host_only:
        words += ["--nic4", "hostonly", "--hostonlyadapter4", own.host_only]
    for arguments in own.customize:
        if not isinstance(arguments, (list, tuple)) or not all(isinstance(word, str) for word in arguments):
            raise UserError(f"customize: expected lists of texts, as [[--vram, '32']], found {arguments!r}")
        _refuse_own(arguments)
        words += arguments
    return words


def _refuse_own(arguments: Sequence[str]) -> None:
    """Refuse what we set ourselves, and by which we know a machine and reach it, however it is spelt."""
    for word in arguments:
        name = word.partition("=")[0]
        if name.startswith("-") and (why := OWN.get(name.replace("-", "").lower())):
            raise UserError(f"customize: {name}: {why}")


def network(options: Options, hosts: int = 1) -> ipaddress.IPv4Network:
    """Return the network between the hosts of a stack. Raises UserError: it is none, too small, or taken."""
    given = _subnet.read(options.subnet, "virtualbox", "10.99.0.0/24", beside=3, hosts=hosts)
    if given.overlaps(NAT):
        raise UserError(f"provider virtualbox: subnet {given}: VirtualBox's NAT has {NAT} for itself; name another")
    return given


def machine_name(state: str, stack: str, env: str, host: str) -> str:
    """Return VirtualBox's name of a host, and of its folder: readable, no other environment's, fit for a file's name.

    In an environment it ends with a digest: `web` in `eu-west` and `west-web` in `eu` read the same, and the folder of
    the one would be removed with the other.
    """
    whose = hashlib.sha256("\0".join((state, stack, env, host)).encode()).hexdigest() if env else state
    parts = ["infratest", stack[:60], env[:60], host[:80], whose[:8]]
    return "-".join(re.sub(r"[^A-Za-z0-9_.-]", "_", part) for part in parts if part)
