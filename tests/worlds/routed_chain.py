"""Four machines' networks in a row on this one: who looks, two routers, what is looked at; no way leads out of them.

Network namespaces joined by cables (veth), `10.87.1.1 -- .2 10.87.2.1 -- .2 10.87.3.1 -- .2`; of IPv6 the same in fd87.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

FIRST, SECOND, FAR = "10.87.1.2", "10.87.2.2", "10.87.3.2"
FIRST6, SECOND6, FAR6 = "fd87:1::2", "fd87:2::2", "fd87:3::2"
#: On the far machine: an address that drops datagrams. Behind the first router: networks that it says it cannot reach.
DROPS, UNREACHABLE, PROHIBITED = "10.87.3.9", "10.87.8.1", "10.87.9.1"
#: On the first cable, where no machine has it; and where the looker has no way to.
NOBODY, NO_WAY = "10.87.1.77", "203.0.113.9"

SIDES = ("looker", "first", "second", "far")


class Chain:
    """What stands: `name` begins the names of all namespaces."""

    def __init__(self, name: str) -> None:
        self.name = name

    def runs(self, side: str, *words: str, **more: object) -> subprocess.CompletedProcess[str]:
        """Run a program in the network of a machine."""
        return subprocess.run(
            [shutil.which("ip") or "ip", "netns", "exec", f"{self.name}-{side}", *words],
            capture_output=True, text=True, timeout=120, check=False, **more,  # type: ignore[call-overload]
        )  # fmt: skip

    def does(self, side: str, *words: str, **more: object) -> None:
        done = self.runs(side, *words, **more)
        assert done.returncode == 0, f"{words}: {done.stderr}"

    @contextlib.contextmanager
    def listener(self, side: str, port: int) -> Iterator[None]:
        """Have a program listen to a port for datagrams on a machine, that answers none."""
        keeps = f"import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('', {port})); print(); input()"
        words = ["ip", "netns", "exec", f"{self.name}-{side}", sys.executable, "-c", keeps]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "\n"
            try:
                yield
            finally:
                program.communicate("\n", timeout=60)

    @contextlib.contextmanager
    def mute(self) -> Iterator[None]:
        """Have the second router say nothing of what it does not pass on."""
        rules = (
            "table inet mute { chain out { type filter hook output priority 0;"
            " icmp type time-exceeded drop; icmpv6 type time-exceeded drop\n}\n}\n"
        )
        self.does("second", "nft", "-f", "-", input=rules)
        try:
            yield
        finally:
            self.does("second", "nft", "delete", "table", "inet", "mute")


@contextlib.contextmanager
def routed_chain() -> Iterator[Chain]:
    """Make the networks; all of them are gone when the block has ended."""
    chain = Chain(f"infratest-chain-{os.getpid()}")
    try:
        for side in SIDES:
            subprocess.run(["ip", "netns", "add", f"{chain.name}-{side}"], check=True, capture_output=True)
            chain.does(side, "ip", "link", "set", "lo", "up")
            chain.does(side, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
            chain.does(side, "sysctl", "-qw", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
        for number, (left, right) in enumerate(itertools.pairwise(SIDES), 1):
            chain.does(
                left, "ip", "link", "add", f"to{number}", "type", "veth",
                "peer", "name", f"from{number}", "netns", f"{chain.name}-{right}",
            )  # fmt: skip
            for side, device, last in ((left, f"to{number}", 1), (right, f"from{number}", 2)):
                chain.does(side, "ip", "link", "set", device, "up")
                chain.does(side, "ip", "addr", "add", f"10.87.{number}.{last}/24", "dev", device)
                chain.does(side, "ip", "addr", "add", f"fd87:{number}::{last}/64", "dev", device, "nodad")
        for side, networks, gateway in (
            ("looker", (2, 3, 8, 9), "1::2"), ("first", (3,), "2::2"),
            ("second", (1,), "2::1"), ("far", (1, 2), "3::1"),
        ):  # fmt: skip
            four = f"10.87.{gateway.replace('::', '.')}"
            for network in networks:
                chain.does(side, "ip", "route", "add", f"10.87.{network}.0/24", "via", four)
                chain.does(side, "ip", "-6", "route", "add", f"fd87:{network}::/64", "via", f"fd87:{gateway}")
        chain.does("first", "ip", "route", "add", "unreachable", "10.87.8.0/24")
        chain.does("first", "ip", "route", "add", "prohibit", "10.87.9.0/24")
        chain.does("far", "ip", "addr", "add", f"{DROPS}/24", "dev", "from3")
        rules = f"table ip far {{ chain in {{ type filter hook input priority 0; ip daddr {DROPS} drop\n}}\n}}\n"
        chain.does("far", "nft", "-f", "-", input=rules)
        yield chain
    finally:
        for side in SIDES:
            subprocess.run(["ip", "netns", "delete", f"{chain.name}-{side}"], capture_output=True, check=False)
