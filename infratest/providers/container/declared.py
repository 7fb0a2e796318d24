"""What a stack file may say of hosts that are containers and of their stack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from infratest.providers._memory import MEMORY, OF_ALL
from infratest.providers.base import HostSpec, Made, host_options
from infratest.units import plain

DEFAULT_IMAGE, DEFAULT_USER = "debian-12", "root"

#: Bytes that docker gives a container at least; with fewer podman fails when it starts one. (docker's
#: daemon/daemon_unix.go, linuxMinMemory)
LEAST_MEMORY = 6 * 2**20

#: Shares of a processor that docker gives at least; how many there are at most its machine knows.
LEAST_CPUS, MOST_CPUS = 0.01, 1024


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of `provider: {name: container, ...}`."""

    engine: Literal["auto", "docker", "podman"] = field(
        default="auto", metadata={"description": "which container engine; auto takes the first that answers"}
    )
    subnet: str | None = field(
        default=None, metadata={"description": "the stack's network, as 10.201.7.0/24; the engine chooses without it"}
    )
    endpoints: Literal["auto", "published"] = field(
        default="auto", metadata={"description": "published: reach hosts by ports on 127.0.0.1, not by their address"}
    )
    memory: int | None = field(default=None, metadata=OF_ALL | {"low": LEAST_MEMORY})


@dataclass(frozen=True, kw_only=True)
class HostOptions(Made):
    """Options of a host that is a container."""

    memory: int | None = field(default=None, metadata=MEMORY | {"low": LEAST_MEMORY})
    cpus: float | None = field(
        default=None,
        metadata={
            "low": LEAST_CPUS,
            "high": MOST_CPUS,
            "description": "Processors whose time it may take at most, as 2 or 0.5 (all).",
        },
    )
    command: str | tuple[str, ...] = field(
        default="",
        metadata={
            "title": "a command, or a list of its words",
            "description": "What runs in it in place of its image's own command (the image's entrypoint stays).",
        },
    )
    environment: dict[str, Any] = field(
        default_factory=dict,
        metadata={
            "title": "a map of names to text",
            "description": "Variables of its first process and of commands that its engine runs in it; services of "
            "systemd and logins have their own.",
            "secret": True,
        },
    )


def options(spec: HostSpec) -> HostOptions:
    return host_options(spec, HostOptions)


def ports(spec: HostSpec) -> list[int]:
    return list(dict.fromkeys([22, *options(spec).ports]))


def limits(spec: HostSpec, stack: Options) -> list[str]:
    """Return the words for `create` of what a host may take of its machine."""
    memory, cpus = options(spec).memory or stack.memory, options(spec).cpus
    words = ["--memory", str(memory), "--memory-swap", str(memory)] if memory else []
    return [*words, "--cpus", plain(cpus)] if cpus else words
