"""What a stack file may say of machines under QEMU and of their stack, and what of it no machine can be."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Literal

from infratest.errors import UserError
from infratest.option_schema import units
from infratest.providers import _subnet
from infratest.providers._disk_sizes import sizes
from infratest.providers._memory import MEMORY
from infratest.providers.base import HostSpec, Made, host_options

DEFAULT_IMAGE, DEFAULT_USER = "debian-12", "root"
DEFAULT_MEMORY = 256 * 1024**2

#: QEMU itself asks for no least; with less no Linux comes up.
LEAST_MEMORY = 16 * 1024**2

#: What useradd takes without arguing.
USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")

#: The network of a stack's hosts: every stack has one of its own, so that all may have the same addresses.
SUBNET = "10.219.0.0/24"

#: The network of the first card, behind which QEMU stands. (its own default)
OUTSIDE = ipaddress.IPv4Network("10.0.2.0/24")


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of `provider: {name: qemu, ...}`."""

    subnet: str = field(
        default=SUBNET, metadata={"description": "the network of the stack's hosts, which no other stack sees"}
    )
    memory: int | None = field(
        default=None,
        metadata=MEMORY | {"description": "memory of a host that says nothing itself (256MiB)", "low": LEAST_MEMORY},
    )
    boot: Literal["warm", "cold"] = field(
        default="warm",
        metadata={
            "description": "warm: an image is booted once, and each new host goes on from there in seconds; cold: each "
            "host boots. A host with `disks:` or of a disk of your own always boots cold."
        },
    )


@dataclass(frozen=True, kw_only=True)
class HostOptions(Made):
    """Options of a host that is a machine under QEMU."""

    memory: int | None = field(default=None, metadata=MEMORY | {"low": LEAST_MEMORY})
    cpus: int | None = field(default=None, metadata={"low": 1, "high": 64, "description": "Its processors (1)."})
    disks: tuple[str, ...] = field(
        default=(),
        metadata={
            "title": "a list of sizes", "each": "a size with its unit, such as 10GiB", "pattern": units("size"),
            "description": "Empty disks that it has besides its own, as 10GiB.",
        },
    )  # fmt: skip


def options(spec: HostSpec) -> HostOptions:
    return host_options(spec, HostOptions)


def ports(spec: HostSpec) -> list[int]:
    return list(dict.fromkeys([22, *options(spec).ports]))


def disk_sizes(spec: HostSpec) -> tuple[int, ...]:
    return sizes(options(spec).disks, f"{spec.where or spec.name}: hosts.{spec.name}.disks")


def user(spec: HostSpec) -> str:
    """Return who logs in; any other than root is made at the first start, with sudo without a password."""
    name = options(spec).user or DEFAULT_USER
    if not USER.fullmatch(name):
        raise UserError(
            f"{spec.where or spec.name}: user {name!r} is no user of a Linux host: write small letters, digits, _ and -"
        )
    return name


def network(subnet: str, hosts: int = 1) -> ipaddress.IPv4Network:
    whole = _subnet.read(subnet, "qemu", SUBNET, beside=2, hosts=hosts)
    if whole.overlaps(OUTSIDE):
        words = "by which a host reaches the world"
        raise UserError(f"provider qemu: subnet: {subnet} overlaps with {OUTSIDE}, {words}; write one as {SUBNET}")
    return whole
