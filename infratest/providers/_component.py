"""What a provider is asked for beside hosts: a component of the stack, as a value that knows nothing of how it is made.

A component's file in `components/` makes one of these of what the stack file says; a provider reads those that it
knows, and asks its cloud. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
class ComponentSpec:
    """A component as the stack file wants it.

    Args:
        kind: the word behind `type:`, and the kind of its resource. hosts: names of those that it is for. wish: one of
        the values above, or an outsider's own.
    """

    name: str
    kind: str
    hosts: tuple[str, ...] = ()
    wish: object = None
    where: str = ""  # file:line, for messages


def hosts_of(components: tuple[ComponentSpec, ...], kind: str) -> Mapping[str, tuple[ComponentSpec, ...]]:
    """Return, by the name of each host that has any, its components of a kind."""
    found: dict[str, tuple[ComponentSpec, ...]] = {}
    for one in components:
        for host in one.hosts if one.kind == kind else ():
            found[host] = (*found.get(host, ()), one)
    return found
