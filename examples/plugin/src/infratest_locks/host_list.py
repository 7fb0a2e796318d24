"""The provider `host-list`: hosts that are there already, with their addresses in a plain text file.

    # name       address          user
    web-1        192.0.2.11       nagios
    db           192.0.2.20

    provider: {name: host-list, file: hosts.txt}
    hosts: {web-1: {groups: [web]}, db: {}}

For a list that another program writes: the stack file says what must be so, the list where it is. It makes and removes
nothing. Hosts are reached by SSH, with what ssh_config says of their addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from infratest.deadline import Deadline
from infratest.diagnosis import Finding
from infratest.errors import ProviderError, UserError
from infratest.hosts import Host
from infratest.providers.base import HostSpec, Lease, Provider, Request, Resource, transport_of


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where the list is."""

    file: str = field(default="hosts.txt", metadata={"description": "the list, relative to the stack file"})


@dataclass(frozen=True, kw_only=True)
class HostOptions:
    """A host says nothing of its own here: the list does."""


class HostList(Provider):
    """Hands out the hosts of the stack file at the addresses of the list.

    It is not `declared`: the list may change while the stack file stays, so it is read at every run.
    """

    options: Options

    def requests(self, hosts: Sequence[HostSpec], lease: Lease) -> list[list[Request]]:
        """Nothing has to be made."""
        return []

    def create(self, request: Request, deadline: Deadline) -> Resource:
        raise ProviderError(f"provider host-list makes nothing, and was asked for {request.kind} {request.name!r}")

    def destroy(self, resource: Resource, deadline: Deadline) -> None:
        raise ProviderError(f"provider host-list removes nothing, and was asked to remove {resource.kind}")

    def existing(self, deadline: Deadline) -> list[Resource]:
        return []

    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        """Return the hosts at their addresses.

        Raises:
            UserError: the list cannot be read, has a line that is none, or has not a host that is asked for.
        """
        listed = self._listed()
        missing = [spec.name for spec in specs if spec.name not in listed]
        if missing:
            raise UserError(f"{self._path}: no line for {', '.join(missing)}; write `{missing[0]} ADDRESS [USER]`")
        return [self._host(spec, *listed[spec.name]) for spec in specs]

    @classmethod
    def doctor(cls) -> list[Finding]:
        """Say what it is for: it needs nothing on this machine."""
        return [Finding(name="provider host-list", usable=True, found="hosts from a list", advice="")]

    def _host(self, spec: HostSpec, address: str, user: str) -> Host:
        # What ssh_config says of an address is the login's own; a user in the list stands over it.
        options = {"address": address} | ({"user": user} if user else {})
        transport = transport_of(spec, "host-list", ["ssh", "local"])
        return Host(
            name=spec.name,
            groups=spec.groups,
            labels=spec.labels,
            address=address,
            transport=transport,
            options=options if transport == "ssh" else {},
            sudo=spec.sudo,
        )

    @property
    def _path(self) -> str:
        return str(self.context.folder / self.options.file)

    def _listed(self) -> dict[str, tuple[str, str]]:
        """Return address and user by name."""
        found: dict[str, tuple[str, str]] = {}
        try:
            text = (self.context.folder / self.options.file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{self._path}: cannot be read: {error}") from error
        for number, line in enumerate(text.splitlines(), 1):
            words = line.partition("#")[0].split()
            if not words:
                continue
            if len(words) not in (2, 3) or words[0] in found:
                raise UserError(
                    f"{self._path}:{number}: expected `NAME ADDRESS [USER]`, each name once, found {line!r}"
                )
            found[words[0]] = (words[1], words[2] if len(words) == 3 else "")
        return found
