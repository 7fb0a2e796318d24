"""Real Memcached servers: one with items, one that nobody used, one that is full, and a port where nobody is."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import (
    ABSENT,
    CRITICAL,
    OK,
    UNKNOWN,
    Question,
    both,
    bounds,
    packaged,
    soon,
    versions,
)  # fmt: skip
from tests.worlds import servers, tls_servers

VIEWPOINTS = ("", " from the host")
#: Server -> its items, what it had of what it was asked for, in percent, and the connections that it takes.
USED: dict[str, tuple[int | str, int | str, int | str]] = {
    "used": (2, 75, 100), "idle": (0, ABSENT, 1024), "full": (ABSENT, ABSENT, 1024), "down": (ABSENT, ABSENT, ABSENT),
}  # fmt: skip
#: Items of 10 kB that are put where 8 MiB are kept.
MANY = 2000


class Objects(NamedTuple):
    """Ports; how many items the full one has thrown out, and has, by its own word; what keeps them alive."""

    used: int
    idle: int
    full: int
    down: int
    evicted: int
    kept: int
    alive: ExitStack


NOWHERE = Objects(1, 1, 1, 1, 1, 1, ExitStack())


def objects(place: Path) -> Objects:
    """Start the servers, and use them: four questions, of which three are answered with an item."""
    alive = ExitStack()
    used = alive.enter_context(servers.memcached("-c", "100"))
    idle = alive.enter_context(servers.memcached())
    full = alive.enter_context(servers.memcached("-m", "8"))
    words = (b"set a 0 0 1", b"1", b"set b 0 0 1", b"2", b"get a", b"get a", b"get b", b"get c")
    assert _said(used, *words).count(b"VALUE") == 3
    item = b"x" * 10_000
    items = [line for number in range(MANY) for line in (b"set %d 0 0 10000 noreply" % number, item)]
    said = _said(full, *items, b"stats").decode().splitlines()
    stats = {name: value for _, name, value in (line.split(" ", 2) for line in said if line.startswith("STAT "))}
    assert int(stats["evictions"]) > 0
    down = tls_servers.free_port()
    return Objects(used, idle, full, down, int(stats["evictions"]), int(stats["curr_items"]), alive)


def _said(port: int, *lines: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 60) as one:
        one.sendall(b"".join(line + b"\r\n" for line in (*lines, b"quit")))
        return b"".join(iter(lambda: one.recv(2**16), b""))


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of Memcached, from each viewpoint."""
    version = packaged("memcached")
    for view in VIEWPOINTS:
        for name, (items, hits, connections) in USED.items():
            start, there = f'the Memcached server "127.0.0.1:{getattr(objects, name)}"', name != "down"
            evicted: int | str = objects.evicted if name == "full" else 0
            kept = objects.kept if name == "full" else items
            yield from both(f"{start} answers{view}", f"{start} does not answer{view}", there, name)
            yield from soon(f"{start} answers in {{}}", there, name, view)
            yield from versions(start, version if there else ABSENT, name, view)
            yield from bounds(f"{start} has {{}} items", kept if there else ABSENT, name, tail=view)
            yield from bounds(f"{start} has evicted {{}} items", evicted if there else ABSENT, name, tail=view)
            yield from bounds(f"{start} has a hit ratio of {{}}", hits, name, " %", tail=view)
            yield from _values(start, name, connections, view)
            yield from _shares(start, name, view)


def _values(start: str, name: str, connections: int | str, view: str) -> Iterator[Question]:
    there = name != "down"
    values = {"accepting_conns": "1", "max_connections": str(connections), "threads": "4", "listen_disabled_num": "0"}
    for key in (*values, "nosuch"):
        for value in (values.get(key, "1"), "2", ""):
            claims = (f'{start} has "{key}" {words} "{value}"{view}' for words in ("equal to", "not equal to"))
            yield from both(*claims, values[key] == value if there and key in values else ABSENT, f"{name} {key}")
    numbers: dict[str, int | str] = {"max_connections": connections, "version": UNKNOWN, "nosuch": ABSENT}
    numbers |= {"get_hits": 3, "get_misses": 1} if name == "used" else {}
    for key, number in numbers.items():
        yield from bounds(f'{start} has "{key}" {{}}', number if there else ABSENT, f"{name} {key}", tail=view)


def _shares(start: str, name: str, view: str) -> Iterator[Question]:
    """Nobody else is there: of the connections, a few are taken. The one that is full has most of its 8 MiB."""
    there, part = name != "down", 50 if name == "full" else 1
    for bound, right in ((f"less than {part}", name != "full"), (f"more than {part}", name == "full")):
        yield Question(f"{start} uses {bound} % of its memory{view}", OK if right and there else CRITICAL, name)
    for bound, right in (("less than 50", True), ("more than 50", False), ("more than 0", True)):
        yield Question(f"{start} uses {bound} % of its connections{view}", OK if right and there else CRITICAL, name)
