"""Names of zones that are signed, wrongly signed and not signed, by resolvers that validate and by others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, UNKNOWN, Question, both
from tests.worlds.signed_zones import signed_zones


class Objects(NamedTuple):
    """Ports by the server's name, and what keeps the servers alive."""

    ports: dict[str, int]
    alive: ExitStack


def objects(place: Path) -> Objects:
    """Sign the zones and start the servers."""
    alive = ExitStack()
    return Objects(alive.enter_context(signed_zones(place)), alive)


#: Name -> whether a resolver that validates has it authenticated; of the others nothing is.
NAMES: dict[str, bool | str] = {
    "shop.example": True, "www.example": True, "mail.example": True, "shop.plain.example": False,
    "away.example": False, "shop.bogus.example": False, "shop.forged.example": False, "nosuch.example": ABSENT,
    "nosuch.bogus.example": ABSENT, "x.refused.example": UNKNOWN,
}  # fmt: skip
VIEWPOINTS = ("", " from the host", " from the controller")


def questions(objects: Objects) -> Iterator[Question]:
    """Ask of each name at each server, from each viewpoint."""
    for view in VIEWPOINTS:
        for server, port in objects.ports.items():
            for name, right in NAMES.items():
                truth = right if isinstance(right, str) else right and server in ("validating", "quiet")
                claim, end = f'the name "{name}" is', f'authenticated by DNSSEC by the server "127.0.0.1:{port}"{view}'
                yield from both(f"{claim} {end}", f"{claim} not {end}", truth, f"{name} by {server}")
