"""Many hosts behind the delay link: a network namespace and an sshd each, all on one bridge.

They share this machine's files; processes and network are their own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from benchmarks.environment import ran
from benchmarks.link import Link, link
from benchmarks.namespaces import ip, name, namespaces
from benchmarks.server import Server, servers

BRIDGE = "10.201.128.1"
FIRST = IPv4Address("10.201.129.1")


@dataclass
class Hosts:
    """Hosts that answer: the link they are behind, their namespaces, addresses and servers."""

    way: Link
    names: list[str]
    servers: list[Server]

    @property
    def addresses(self) -> list[str]:
        return [each.address for each in self.servers]

    def cpu(self) -> float:
        """Return the CPU seconds that all servers have spent on connections."""
        return sum(each.cpu() for each in self.servers)


@contextlib.contextmanager
def hosts(count: int, rtt: float) -> Iterator[Hosts]:
    """Make hosts at this round-trip time in milliseconds from where the measuring is done (`way.near`)."""
    names = [name(f"h{number}") for number in range(1, count + 1)]
    addresses = [str(FIRST + number) for number in range(count)]
    with link(rtt) as way, namespaces(*names):
        _join(way.far, names, addresses)
        with servers(list(zip(names, addresses, strict=True)), way.near, alone=True) as found:
            yield Hosts(way, names, found)


def _join(far: str, names: list[str], addresses: list[str]) -> None:
    ip("link add bridge0 type bridge", f"addr add {BRIDGE}/18 dev bridge0", "link set bridge0 up", inside=far)
    ends = []
    for number, each in enumerate(names):
        ends += [
            f"link add v{number} type veth peer name eth0 netns {each}",
            f"link set v{number} master bridge0",
            f"link set v{number} up",
        ]
    ip(*ends, inside=far)
    for each, address in zip(names, addresses, strict=True):
        ip(f"addr add {address}/18 dev eth0", "link set eth0 up", f"route add default via {BRIDGE}", inside=each)
    _forward(far)


def _forward(namespace: str) -> None:
    ran("ip", "netns", "exec", namespace, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
