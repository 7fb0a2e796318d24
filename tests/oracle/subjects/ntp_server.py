"""Real chronyds: one that has the time, one that has none, two whose clocks are 100 s wrong; and a port of nobody."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, CRITICAL, OK, Question, both, bounds
from tests.worlds.chronyd import chronyd
from tests.worlds.debian_package import unpacked

VIEWPOINTS = ("", " from the host")
#: Server -> its stratum, and how far its clock is moved; 0 for the stratum of one that has no time.
CLOCKS = {"right": (3, ""), "lost": (0, ""), "ahead": (1, "+100s"), "behind": (15, "-100s")}
#: Which clocks are how far off: a loaded machine may take a while between two looks at one.
WRONG = ("ahead", "behind")
OFFSETS = {"less than 20 s": ("right",), "more than 80 s": WRONG, "between 80 s and 120 s": WRONG}


class Objects(NamedTuple):
    """Ports by the servers' names, `down` among them, and what keeps the servers alive."""

    ports: dict[str, int]
    alive: ExitStack


NOWHERE = Objects(dict.fromkeys((*CLOCKS, "down"), 1), ExitStack())


def outside() -> None:
    """Have the server's package, which is fetched where it is not kept yet."""
    unpacked("chrony")


def objects(place: Path) -> Objects:
    """Start the servers."""
    alive, ports = ExitStack(), _free((*CLOCKS, "down"))
    for name, (stratum, wrong) in CLOCKS.items():
        settings = [f"local stratum {stratum}"] if stratum else []
        alive.enter_context(chronyd(place / name, ports[name], *settings, wrong=wrong))
    return Objects(ports, alive)


def _free(names: tuple[str, ...]) -> dict[str, int]:
    with ExitStack() as held:
        ones = [held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in names]
        for one in ones:
            one.bind(("127.0.0.1", 0))
        return {name: one.getsockname()[1] for name, one in zip(names, ones, strict=True)}


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of NTP servers, from each viewpoint."""
    for view in VIEWPOINTS:
        for name, port in objects.ports.items():
            start, there, (stratum, _) = f'the NTP server "127.0.0.1:{port}"', name != "down", CLOCKS.get(name, (0, ""))
            yield from both(f"{start} answers{view}", f"{start} does not answer{view}", there, name)
            timed = bool(stratum) if there else ABSENT
            yield from both(f"{start} is synchronised{view}", f"{start} is not synchronised{view}", timed, name)
            yield from bounds(f"{start} has a stratum of {{}}", stratum or ABSENT, name, tail=view)
            for bound, names in OFFSETS.items():
                yield Question(f"{start} is {bound} off{view}", OK if name in names else CRITICAL, name)
