"""Certificates that were revoked or not, of real responders and lists, and of some that nobody can believe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, UNKNOWN, Question, both
from tests.worlds.revocation import CRL, NAMES, OCSP, REVOKED, World, revocations


class Objects(NamedTuple):
    """The world, and what keeps it alive."""

    world: World
    alive: ExitStack


def objects(place: Path) -> Objects:
    """Issue the certificates and start the servers."""
    alive = ExitStack()
    return Objects(alive.enter_context(revocations(place)), alive)


def questions(objects: Objects) -> Iterator[Question]:
    """Ask of each certificate, by each source and by both, from each viewpoint."""
    world = objects.world
    for view in ("", " from the host", " from the controller"):
        for name in NAMES:
            known = {
                "OCSP": OCSP.get(name) in ("good", "revoked"), "CRL": CRL.get(name) in ("whole", "own-shard", "removed")
            }  # fmt: skip
            for source in ("", "OCSP", "CRL"):
                truth: bool | str = name in REVOKED if known.get(source, any(known.values())) else UNKNOWN
                claim = f'the certificate of "127.0.0.1:{world.port}" for the name "{name}.example"'
                claim += f' by the CA file "{world.authority}"'
                end = f"revoked{f' according to {source}' if source else ''}{view}"
                yield from both(f"{claim} is {end}", f"{claim} is not {end}", truth, f"{name} by {source or 'any'}")
        claim = f'the certificate of "127.0.0.1:{world.down}" is'
        yield from both(f"{claim} revoked{view}", f"{claim} not revoked{view}", ABSENT, "nobody")
