"""Addresses of this machine's loopback, behind a firewall of its own: let in, refused, dropped, forbidden, greeting."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, both, quoted

GREETINGS = {
    "silent": b"", "ssh": b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "mail": b"220-one\r\n220 two\r\n",
    "odd": b'a "b" \\ {c}\r\n',
}  # fmt: skip
#: What is in each of them.
TEXTS = {"silent": (), "ssh": ("SSH-2.0", "Debian"), "mail": ("220-one", "220 two"), "odd": ('"b"', "\\", "{c}")}
VIEWPOINTS = (" from the host", " from the controller", "")

RULES = """
table inet oracle {{
  chain in {{
    type filter hook input priority 0;
    tcp dport {dropped} drop
    tcp dport {forbidden} reject with icmpx type admin-prohibited
    udp dport 123 drop
    ip daddr 127.0.0.77 icmp type echo-request drop
    tcp dport {open} ip saddr 127.0.0.9 reject with tcp reset
  }}
}}
"""


class Objects(NamedTuple):
    """Ports: of servers by how they greet, and of what is stopped, refused, or answers over UDP or does not."""

    greeting: dict[str, int]
    dropped: int
    forbidden: int
    refused: int
    echo: int
    mute: int


def objects(place: Path) -> Objects:
    """Start the servers, and the firewall in this world's own network."""
    greeting = {name: _server(words) for name, words in GREETINGS.items()}
    dropped, forbidden = _server(b"never"), _server(b"never")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        refused = closed.getsockname()[1]
    rules = RULES.format(dropped=dropped, forbidden=forbidden, open=greeting["silent"])
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    # Another subject may give the world a default route: to this address it has none in any case.
    subprocess.run(["ip", "route", "add", "throw", "203.0.113.9/32"], check=True)
    return Objects(greeting, dropped, forbidden, refused, _datagrams(True), _datagrams(False))


def _server(words: bytes) -> int:
    server = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=200)

    def serve() -> None:
        while True:
            one, _ = server.accept()
            threading.Thread(target=_greet, args=(one, words), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


def _greet(one: socket.socket, words: bytes) -> None:
    with one:
        try:
            one.sendall(words)
            one.recv(1)
        except OSError:
            pass  # who asked had enough


def _datagrams(answers: bool) -> int:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            _, place = server.recvfrom(2048)
            if answers:
                server.sendto(b"here", place)

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of addresses, from each viewpoint."""
    port = objects.greeting["silent"]
    right: dict[str, bool | str] = {
        f"127.0.0.1:{port}": True, f"[::1]:{port}": True, f"tcp://localhost:{port}": True,
        f"127.0.0.1:{objects.refused}": False, f"127.0.0.1:{objects.dropped}": False,
        f"[::1]:{objects.dropped}": False, f"127.0.0.1:{objects.forbidden}": False,
        f"udp://127.0.0.1:{objects.echo}": True, f"udp://127.0.0.1:{objects.mute}": UNKNOWN,
        f"udp://127.0.0.1:{objects.refused}": False, "udp://127.0.0.1:123": False,
        "203.0.113.9:80": UNKNOWN,  # this world has no way there
    }  # fmt: skip
    for view in VIEWPOINTS:
        for address, truth in right.items():
            forms = (f'the address "{address}" is reachable{view}', f'the address "{address}" is not reachable{view}')
            yield from both(*forms, truth, address)
            for bound, soon in (("less than 60 s", True), ("more than 60 s", False)):
                state = UNKNOWN if truth == UNKNOWN else OK if truth and soon else CRITICAL
                yield Question(f'the address "{address}" is reachable in {bound}{view}', state, address)
        for local, truth in (("127.0.0.1", True), ("127.0.0.9", False), ("127.0.0.8", True), ("192.0.2.77", UNKNOWN)):
            start = f'the address "127.0.0.1:{port}"'
            forms = (
                f'{start} is reachable through "{local}"{view}',
                f'{start} is not reachable through "{local}"{view}',
            )
            yield from both(*forms, truth, f"coming from {local}")
        yield from _greetings(objects, view)
        yield from _pings(view)
        yield from _ways(view)


#: Address -> the share of pings in per cent that are lost; UNKNOWN where there is no way.
LOST: dict[str, int | str] = {"127.0.0.1": 0, "localhost": 0, "::1": 0, "127.0.0.77": 100, "203.0.113.9": UNKNOWN}


def _pings(view: str) -> Iterator[Question]:
    for address, lost in LOST.items():
        start = f'the address "{address}"'
        truth: bool | str = lost == 0 if lost != UNKNOWN else UNKNOWN
        yield from both(f"{start} answers ping{view}", f"{start} does not answer ping{view}", truth, address)
        for bound, right in (
            ("less than 5 %", OK if lost == 0 else CRITICAL), ("exactly 0 %", OK if lost == 0 else CRITICAL),
            ("at most 100 %", OK if lost == 0 else CRITICAL), ("more than 0 %", CRITICAL),
        ):  # fmt: skip
            right = UNKNOWN if lost == UNKNOWN else right
            yield Question(f"{start} answers ping with {bound} loss{view}", right, address)
        for bound, soon in (("less than 60 s", True), ("more than 60 s", False)):
            right = UNKNOWN if lost == UNKNOWN else OK if lost == 0 and soon else CRITICAL
            yield Question(f"{start} answers ping in {bound}{view}", right, address)


def _ways(view: str) -> Iterator[Question]:
    """Ask for what is one hop away: this world has no routers, tests/facts/test_trace.py has."""
    for address, there in (("127.0.0.1", True), ("::1", True), ("localhost", True), ("203.0.113.9", False)):
        for bound, holds in (
            ("exactly 1 hop", True), ("at most 1 hop", True), ("at least 1 hop", True), ("less than 1 hop", False),
            ("exactly 2 hops", False), ("at least 2 hops", False),
        ):  # fmt: skip
            right = UNKNOWN if not there else OK if holds else CRITICAL
            yield Question(f'the address "{address}" is reached by {bound}{view}', right, address)
        start = f'the way to the address "{address}"'
        for router in ("127.0.0.1", "192.0.2.1"):
            yield from both(
                f'{start} passes through "{router}"{view}', f'{start} does not pass through "{router}"{view}',
                False if there else UNKNOWN, address,
            )  # fmt: skip


def _greetings(objects: Objects, view: str) -> Iterator[Question]:
    places = objects.greeting | {"refused": objects.refused, "dropped": objects.dropped}
    everything = [text for texts in TEXTS.values() for text in texts] + ["never", "ssh-2.0"]
    for name, port in places.items():
        for text in everything:
            start = f'the address "127.0.0.1:{port}"'
            forms = (
                f"{start} greets with {quoted(text)}{view}",
                f"{start} does not greet with {quoted(text)}{view}",
            )
            truth: bool | str = text in TEXTS[name] if TEXTS.get(name) else ABSENT
            yield from both(*forms, truth, name)
