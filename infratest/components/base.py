"""The contract of a component: what of the stack it is for, and what its provider is asked for.

Where the provider makes such a thing (a security group, a floating address) it is a resource like a host: journalled
before it is asked for, with the lease's labels, found by `existing`, removed by `destroy` and `reap`. Where it does
not, some components can be had on the hosts instead (`OnHosts`): they are a part of these, and go with them. A
component that can be had by neither is refused before anything is made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from infratest.deadline import Deadline
from infratest.errors import UserError, unknown
from infratest.providers._component import ComponentSpec
from infratest.providers.base import HostSpec
from infratest.transports.base import Transport

#: What chooses hosts, in a map of one key.
HOST, GROUP = "host", "group"


@dataclass(frozen=True, kw_only=True)
class ForHosts:
    """The options of a component that is for hosts of the stack: a base that its `Options` may have."""

    to: dict[str, Any] = field(
        default_factory=dict,
        metadata={
            "title": "a map of one key: host or group",
            "description": "Which hosts it is for, as {group: web} or {host: lb} (default: all).",
        },
    )


class Component(ABC):
    """One entry of `components:`. Its `Options`, a frozen dataclass, stand beside it or inside it.

    Args:
        where: file:line: key of it, for messages. folder: of the stack file, where paths begin.
    """

    #: What of it may stand in braces, as {address.NAME.address}.
    attributes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, options: Any, where: str, folder: Path) -> None:
        self.options = options
        self.where = where
        self.folder = folder

    @abstractmethod
    def wish(self, hosts: Sequence[HostSpec]) -> object:
        """Return what a provider is asked for. Raises UserError: what it cannot be, and where that is written.

        Args:
            hosts: all of the stack.
        """

    def hosts(self, hosts: Sequence[HostSpec]) -> tuple[str, ...]:
        """Return the names of the hosts that it is for, those that its `to` chooses. Raises UserError."""
        return chosen(getattr(self.options, "to", {}), hosts, f"{self.where}.to")

    def stays_on_hosts(self) -> bool:
        """Return whether it is wanted on its hosts, also where a provider makes such things: by an option `on`."""
        return getattr(self.options, "on", "") == "hosts"

    @classmethod
    @abstractmethod
    def words(cls, spec: ComponentSpec) -> str:
        """Return what it is, for people, in a few words."""


@runtime_checkable
class OnHosts(Protocol):
    """A component that can be had on the hosts themselves. Its class is asked, for all of its type at once."""

    #: What is done on a host, in a few words: `rules of nftables`.
    on_hosts: ClassVar[str]

    @classmethod
    def place(
        cls,
        components: Sequence[ComponentSpec],
        transport: Transport,
        addresses: Mapping[str, Sequence[str]],
        stack: str,
        deadline: Deadline,
    ) -> None:
        """Have one host be as these want it; a second time changes nothing. Without any it is taken away again.

        Args:
            components: those that are for this host. transport: open, to it. addresses: of the stack's hosts, by name.
        Raises:
            ProviderError: it could not be done, and what is missing. TransportError: the host does not answer.
        """


def chosen(selection: Mapping[str, Any], hosts: Sequence[HostSpec], where: str) -> tuple[str, ...]:
    """Return the names of the hosts that a map of one key chooses, of none all.

    Args:
        where: file:line: key, for messages.
    Raises:
        UserError: another key, or a host or group that there is not.
    """
    if not selection:
        return tuple(spec.name for spec in hosts)
    key, wanted = next(iter(selection.items()))
    if len(selection) != 1 or key not in (HOST, GROUP) or not isinstance(wanted, str):
        raise UserError(f"{where}: found {dict(selection)}; write {{host: NAME}} or {{group: NAME}}")
    if key == HOST:
        names = [spec.name for spec in hosts]
        if wanted not in names:
            raise UserError(f"{where}: {unknown('host', wanted, names)}")
        return (wanted,)
    members = tuple(spec.name for spec in hosts if wanted in spec.groups)
    if not members:
        raise UserError(f"{where}: {unknown('group', wanted, sorted({one for spec in hosts for one in spec.groups}))}")
    return members
