"""What a stack file may say of hosts under libvirt and of their stack, and what of it no host can be."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Literal

from infratest.errors import UserError
from infratest.option_schema import units
from infratest.options import LINE
from infratest.providers import _subnet
from infratest.providers._disk_sizes import sizes
from infratest.providers._memory import MEMORY
from infratest.providers.base import HostSpec, Made, host_options
from infratest.providers.libvirt.connection import SYSTEM

DEFAULT_IMAGE, DEFAULT_USER = "debian-12", "root"
DEFAULT_MEMORY = 256 * 1024**2

#: QEMU itself asks for no least; with less no Linux comes up.
LEAST_MEMORY = 16 * 1024**2

#: What useradd takes without arguing.
USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of `provider: {name: libvirt, ...}`."""

    uri: str = field(default=SYSTEM, metadata={"description": f"the daemon to use; this version knows {SYSTEM} alone"})
    pool: str = field(
        default="infratest",
        metadata={
            "pattern": LINE,
            "description": "libvirt's storage pool for images and hosts' disks; made where it is not there",
        },
    )
    subnet: str | None = field(
        default=None, metadata={"description": "the stack's network, as 10.205.7.0/24; a free one is chosen without it"}
    )
    memory: int | None = field(
        default=None,
        metadata=MEMORY | {"description": "memory of a host that says nothing itself (256MiB)", "low": LEAST_MEMORY},
    )
    accelerator: Literal["auto", "kvm", "tcg"] = field(
        default="auto",
        metadata={"description": "kvm, or tcg, which computes every instruction and is slow; auto: kvm where it works"},
    )


@dataclass(frozen=True, kw_only=True)
class HostOptions(Made):
    """Options of a host that is a domain of libvirt."""

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


def subnet(text: str, hosts: int = 1) -> ipaddress.IPv4Network:
    # One of those that are no host's is the gateway.
    return _subnet.read(text, "libvirt", "10.205.7.0/24", beside=3, hosts=hosts, least=8)
