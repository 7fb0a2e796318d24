"""This machine as the only host of a stack: it is there already, and nothing of it is ever made or removed.

Loaded by name for `provider: local` and for `--host local` without a stack file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infratest.deadline import Deadline
from infratest.diagnosis import Finding
from infratest.errors import ProviderError
from infratest.hosts import Host
from infratest.providers.base import HostSpec, Lease, Provider, Request, Resource, transport_of

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Options:
    """This machine needs none."""


@dataclass(frozen=True)
class HostOptions:
    """It is what it is."""


class Local(Provider):
    """Hands out this machine under the names of the stack file."""

    declared = True
    undeclared = "local"

    def requests(self, hosts: Sequence[HostSpec], lease: Lease) -> list[list[Request]]:
        """Nothing has to be made."""
        return []

    def create(self, request: Request, deadline: Deadline) -> Resource:
        raise ProviderError(f"provider local makes nothing, and was asked for {request.kind} {request.name!r}")

    def destroy(self, resource: Resource, deadline: Deadline) -> None:
        raise ProviderError(f"provider local removes nothing, and was asked to remove {resource.kind} {resource.id}")

    def existing(self, deadline: Deadline) -> list[Resource]:
        return []

    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        return [
            Host(
                name=spec.name,
                groups=spec.groups,
                labels=spec.labels,
                address=LOOPBACK,
                transport=transport_of(spec, "local", ["local"]),
                sudo=spec.sudo,
            )
            for spec in specs
        ]

    @classmethod
    def doctor(cls) -> list[Finding]:
        """It needs nothing."""
        return [Finding(name="provider local", usable=True, found="this machine, without SSH")]
