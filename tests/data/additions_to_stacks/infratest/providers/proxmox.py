"""A provider whose name the design has: its hosts are this machine, by names that stand on shelves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from infratest.deadline import Deadline
from infratest.diagnosis import Finding
from infratest.errors import ProviderError
from infratest.hosts import Host
from infratest.providers.base import HostSpec, Lease, Provider, Request, Resource, host_options, transport_of


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of the provider."""

    site: str = field(default="", metadata={"description": "Where the shelves are."})


@dataclass(frozen=True, kw_only=True)
class HostOptions:
    """Options of a host."""

    cpus: int = field(default=1, metadata={"description": "Processors.", "low": 1, "high": 64})
    shelf: str = field(default="", metadata={"description": "Where it stands.", "pattern": "^s[0-9]+$"})


class Proxmox(Provider):
    """Hands out this machine."""

    declared = True

    def requests(self, hosts: Sequence[HostSpec], lease: Lease) -> list[list[Request]]:
        return []

    def create(self, request: Request, deadline: Deadline) -> Resource:
        raise ProviderError("provider proxmox makes nothing")

    def destroy(self, resource: Resource, deadline: Deadline) -> None:
        raise ProviderError("provider proxmox removes nothing")

    def existing(self, deadline: Deadline) -> list[Resource]:
        return []

    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        return [
            Host(
                name=spec.name,
                groups=spec.groups,
                labels=_labels(spec),
                address="127.0.0.1",
                transport=transport_of(spec, "proxmox", ["local"]),
                sudo=spec.sudo,
            )
            for spec in specs
        ]

    @classmethod
    def doctor(cls) -> list[Finding]:
        """It needs nothing."""
        return [Finding(name="provider proxmox", usable=True, found="shelves")]


def _labels(spec: HostSpec) -> dict[str, str]:
    shelf = host_options(spec, HostOptions).shelf
    return {**spec.labels, "shelf": shelf} if shelf else dict(spec.labels)
