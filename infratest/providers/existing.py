"""Hosts that are there already and mostly reached by SSH; nothing of them is made or removed.

Loaded by name for `provider: existing`. They stand in the stack file, or in inventories that `from:` names: the stack
file's reader asks those, so that whoever looks at a stack sees them all. What a host leaves out (address, user, port,
key, jump) comes from ssh_config.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from infratest import outsiders
from infratest.deadline import Deadline
from infratest.diagnosis import Finding
from infratest.errors import ProviderError, UserError
from infratest.hosts import Host
from infratest.options import LINE, WORD, fields
from infratest.paths import path_of
from infratest.providers.base import HostSpec, Lease, Provider, Request, Resource, host_options, transport_of

STATE_KNOWN_HOSTS = "known_hosts"
#: The way to a host that says no other.
SSH = "ssh"
#: It reaches nothing: `provider: fake` has it.
PRETENDING = "fake"

#: As an ssh_config: none is read.
NO_CONFIG = "none"
#: Where the ssh transport keeps what ssh_config says, so that OpenSSH's client is not asked at every run.
ANSWERS = "cache/ssh"

#: What the ssh transport imports: either serves, and that transport says what each is for.
CLIENTS = ("ssh2", "paramiko")


@dataclass(frozen=True)
class Options:
    """Where they are written down, and how all of them are reached; a path is relative to the stack file."""

    from_: tuple[Any, ...] = field(
        default=(),
        metadata={
            "plugins": "inventory",
            "title": "a list of sources, such as {ssh-config: ~/.ssh/config}",
            "description": "Where more hosts are written down than the stack file has; asked anew at each run.",
        },
    )
    known_hosts: str = field(
        default="", metadata={"description": "the known_hosts file to trust instead of ssh_config's"}
    )
    pin: bool = field(
        default=False,
        metadata={"description": "pin an unknown host key at first use, in known-hosts or in the state directory"},
    )
    config: str = field(default="", metadata={"description": "the ssh_config to read instead, or none"})
    agent: bool = field(default=True, metadata={"description": "use the keys of the SSH agent"})
    pipelined: bool = field(
        default=False,
        metadata={"description": "libssh2: log in without waiting for each answer; saves 2 round trips"},
    )
    connect_timeout: float | None = field(
        default=None, metadata={"dimension": "time", "description": "longest wait for a connection"}
    )


@dataclass(frozen=True, kw_only=True)
class HostOptions:
    """How one host is reached; ssh_config has what is left out. A transport takes those that it has options for."""

    address: str = field(
        default="",
        metadata={
            "title": "an address or a name, one word",
            "pattern": WORD,
            "own": True,
            "description": "Where a host is that exists already.",
        },
    )
    port: int | None = field(
        default=None,
        metadata={
            "title": "a port number from 1 to 65535", "low": 1, "high": 65535,
            "description": "The SSH port of a host that exists already.",
        },
    )  # fmt: skip
    user: str = field(
        default="",
        metadata={
            "title": "a user's name, one word",
            "pattern": WORD,
            "description": "The user to log in as (default: as ssh_config says).",
        },
    )
    key: str = field(
        default="",
        metadata={
            "title": "a path",
            "pattern": LINE,
            "description": "The private key to log in with, to a host that exists already.",
        },
    )
    jump: str = field(
        default="",
        metadata={
            "title": "a host to go through, as user@name:port",
            "pattern": WORD,
            "description": "The way to a host that exists already.",
        },
    )
    config: str = field(
        default="",
        metadata={
            "title": "a path, or none",
            "pattern": LINE,
            "description": "The ssh_config to read for a host that exists already, in place of the provider's.",
        },
    )


class Existing(Provider):
    """Hands out the hosts of the stack file; whether one answers is for its transport to find out."""

    options: Options
    declared = True

    def requests(self, hosts: Sequence[HostSpec], lease: Lease) -> list[list[Request]]:
        """Nothing has to be made."""
        return []

    def create(self, request: Request, deadline: Deadline) -> Resource:
        raise ProviderError(
            f"provider existing makes nothing, and was asked for {request.kind} {request.name!r}; "
            "name another provider for hosts that are to be made"
        )

    def destroy(self, resource: Resource, deadline: Deadline) -> None:
        raise ProviderError(f"provider existing removes nothing, and was asked to remove {resource.kind} {resource.id}")

    def existing(self, deadline: Deadline) -> list[Resource]:
        return []

    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        others = [name for name in outsiders.names("transport") if name not in (SSH, PRETENDING)]
        return [
            Host(
                name=spec.name,
                groups=spec.groups,
                labels=spec.labels,
                address=spec.address,
                transport=transport_of(spec, "existing", [SSH, *others]),
                options=self._reached(spec),
                sudo=spec.sudo,
            )
            for spec in specs
        ]

    @classmethod
    def doctor(cls) -> list[Finding]:
        """Say whether hosts can be reached by SSH from here."""
        usable = any(find_spec(library) for library in CLIENTS)
        found = "hosts that are there already, by SSH" + ("" if usable else ": no client for it is installed")
        return [Finding(name="provider existing", usable=usable, found=found,
                        advice="" if usable else "pip install 'infratest[ssh]'")]  # fmt: skip

    def _shared(self) -> dict[str, Any]:
        options: dict[str, Any] = {"agent": self.options.agent, "pin": self.options.pin}
        if self.options.known_hosts:
            options["known-hosts"] = self._path(self.options.known_hosts)
        elif self.options.pin:
            options["known-hosts"] = str(self.context.state / STATE_KNOWN_HOSTS)
        options["answers"] = str(self.context.state / ANSWERS)
        if self.options.config:
            options["config"] = self._config(self.options.config)
        if self.options.pipelined:
            options["pipelined"] = True
        if self.options.connect_timeout is not None:
            options["connect-timeout"] = self.options.connect_timeout
        return options

    def _reached(self, spec: HostSpec) -> dict[str, Any]:
        """Return the options of a host's transport: of the provider's and the host's own those that it has.

        Raises:
            UserError: the host says what its transport has no use for.
        """
        name, own = spec.transport or SSH, self._own(host_options(spec, HostOptions))
        kind = outsiders.options_of(outsiders.get("transport", name))
        known = fields(kind) if kind is not None else {}
        for key in own:
            if key not in known and key != "address":  # every transport can look at the host's address
                raise UserError(
                    f"{spec.where or spec.name}: transport {name} has no use for `{key}`; remove it, or say "
                    "another transport"
                )
        every = self._shared() | own
        if every.get("config") == NO_CONFIG:  # nothing is asked, and nothing kept
            del every["answers"]
        return {key: value for key, value in every.items() if key in known}

    def _own(self, options: HostOptions) -> dict[str, Any]:
        given = {
            "address": options.address,
            "port": options.port,
            "user": options.user,
            "key": self._path(options.key) if options.key else "",
            "jump": options.jump,
            "config": self._config(options.config),
        }
        return {key: value for key, value in given.items() if value}

    def _config(self, text: str) -> str:
        return self._path(text) if text not in ("", NO_CONFIG) else text

    def _path(self, text: str) -> str:
        return str(path_of(self.context.folder, text))
