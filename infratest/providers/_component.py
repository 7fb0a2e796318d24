"""What a provider is asked for beside hosts: a component of the stack, as a value that knows nothing of how it is made.

A component's file in `components/` makes one of these of what the stack file says; a provider reads those that it
knows, and asks its cloud. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:  # a request there holds a component of here
    from infratest.deadline import Deadline
    from infratest.providers.base import HostSpec, Lease, Request, Resource

#: The networks of every address.
ANYWHERE = ("0.0.0.0/0", "::/0")
#: What may be let in; `icmp` is that of either version.
PROTOCOLS = ("tcp", "udp", "icmp", "any")
FIRST_PORT, LAST_PORT = 1, 65535


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What a firewall lets in: one protocol, and of TCP and UDP ports from `first` to `last`.

    Args:
        networks: where it may come from, in CIDR's notation. hosts: names of hosts of the stack that it may come from.
    """

    protocol: str = "tcp"
    first: int = FIRST_PORT
    last: int = LAST_PORT
    networks: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Firewall:
    """A host behind one or several is let in to by what they open, on its SSH port, and by nothing else."""

    openings: tuple[Opening, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Address:
    """An address of one host that outlives it. `pool`: where it is taken from, empty for the provider's choice."""

    pool: str = ""


@dataclass(frozen=True, kw_only=True)
class KeyPair:
    """A key that is let in to hosts. `public`: its public half, a line as OpenSSH writes it."""

    public: str = ""


@dataclass(frozen=True, kw_only=True)
class ComponentSpec:
    """A component as the stack file wants it.

    Args:
        kind: the word behind `type:`, and the kind of its resource. hosts: names of those that it is for. wish: one of
        the values above, or an outsider's own. on_hosts: it is wanted there, also where a provider makes such things.
    """

    name: str
    kind: str
    hosts: tuple[str, ...] = ()
    wish: object = None
    on_hosts: bool = False
    where: str = ""  # file:line, for messages


@runtime_checkable
class MakesComponents(Protocol):
    """A provider that makes components as resources of their own, whose kind is their type.

    `create` makes one of a request that has a `component`, before the hosts that it is for; `destroy` removes it when
    they are gone, `existing` lists it with its outputs. Hosts that are made later are made with what is for them.
    """

    #: The types that it can make somewhere, by one driver or another: for messages.
    COMPONENTS: ClassVar[tuple[str, ...]]

    def makes(self) -> Collection[str]:
        """Return the types that it makes. Asks nobody, and needs no credentials."""
        ...

    def declare(self, components: Sequence[ComponentSpec], hosts: Sequence[HostSpec]) -> None:
        """Hear of all components that it makes, and of all hosts of the stack, before any is asked for. Asks nobody.

        Raises:
            UserError: one that it cannot make, and where it is written.
        """

    def fit(self, component: ComponentSpec, made: Resource, hosts: Sequence[Resource], deadline: Deadline) -> None:
        """Have one that exists be as it is declared, for the hosts that exist; a second time changes nothing.

        Args:
            hosts: all of the stack that exist by now, some of which it may be for.
        """


@runtime_checkable
class CarriesComponents(Protocol):
    """A provider some of whose components carry no labels from their first moment, and stand in what does."""

    def carriers(self, components: Sequence[ComponentSpec], lease: Lease) -> list[Request]:
        """Return what these are to be made in: it is asked for before them, where it is not there."""
        ...

    def way_to(self, kind: str) -> str:
        """Return what to say in the stack file that it makes a type which it does not make now; empty where nothing."""
        ...
