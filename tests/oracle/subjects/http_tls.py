"""https at ports of a real nginx: why it is trusted or not, and where the time goes; its settings say what is right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, both
from tests.worlds import tls_servers
from tests.worlds.tls_servers import Authority


class Objects(NamedTuple):
    """Certificates, ports by name, and what keeps the server alive."""

    made: Authority
    ports: dict[str, int]
    alive: ExitStack


def objects(place: Path) -> Objects:
    """Start nginx; its folder may be read by the world's accounts."""
    made, alive = tls_servers.authority(place), ExitStack()
    ports = alive.enter_context(tls_servers.nginx(made))
    return Objects(made, {**ports, "down": tls_servers.free_port()}, alive)


VIEWPOINTS = ("", " from the host", " from the controller")
EXPIRED, EARLY, OTHER_NAME = (
    "an expired certificate",
    "a certificate that is not valid yet",
    "a certificate for another name",
)
UNKNOWN_AUTHORITY = "a certificate of an unknown authority"
REASONS = (EXPIRED, EARLY, OTHER_NAME, UNKNOWN_AUTHORITY)
#: Port and name that is asked for -> why a client with the tests' CA does not trust it; nothing where it does.
DISTRUST = {
    ("oldest", "shop.example"): "", ("modern", "shop.example"): "", ("only12", "shop.example"): "",
    ("oldest", "third.example"): OTHER_NAME, ("past", "shop.example"): EXPIRED,
    ("bare", "shop.example"): UNKNOWN_AUTHORITY, ("own", "shop.example"): UNKNOWN_AUTHORITY,
}  # fmt: skip
#: Port of nginx -> whether it takes HTTP/2 (`listen ... http2`); None where nobody answers by TLS.
SECOND = {"http2": True, "modern": False, "oldest": False, "plain": None, "down": None}
PARTS = ("resolves its name", "connects", "agrees on TLS", "begins to answer")


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences about trust and time, from each viewpoint."""
    authority = f'verified by the CA file "{objects.made.file("ca.pem")}"'
    for view in VIEWPOINTS:
        for (port, name), distrust in DISTRUST.items():
            start = f'"https://{name}/" {authority} at "127.0.0.1:{objects.ports[port]}"'
            yield from _trust(start, distrust, f"{port} as {name}", view)
            yield from _times(start, not distrust, port, view)
        for port in ("plain", "down"):
            start = f'"https://shop.example/" {authority} at "127.0.0.1:{objects.ports[port]}"'
            for reason in REASONS:
                yield from both(f"{start} has {reason}{view}", f"{start} does not have {reason}{view}", ABSENT, port)
            yield from _times(start, False, port, view)
        yield from _versions(objects, authority, view)
        usual = f'"https://shop.example/" at "127.0.0.1:{objects.ports["oldest"]}"'
        yield from _trust(usual, UNKNOWN_AUTHORITY, "by no CA", view)
        careless = f'"https://shop.example/" trusting any certificate at "127.0.0.1:{objects.ports["own"]}"'
        yield Question(f"{careless} answers{view}", OK, "any certificate")


def _versions(objects: Objects, authority: str, view: str) -> Iterator[Question]:
    for port, second in SECOND.items():
        start = f'"https://shop.example/" {authority} at "127.0.0.1:{objects.ports[port]}"'
        for version, right in (("2", second), ("1.1", None if second is None else True)):
            positive, negative = f"{start} answers by HTTP/{version}", f"{start} does not answer by HTTP/{version}"
            yield from both(f"{positive}{view}", f"{negative}{view}", ABSENT if right is None else right, port)
            # nginx' page where no file is: 403 or 404, by its root.
            by = f"{start} by HTTP/{version}"
            yield from both(
                f"{by} answers 500{view}", f"{by} does not answer 500{view}", False if right else ABSENT, port
            )


def _trust(start: str, distrust: str, about: str, view: str) -> Iterator[Question]:
    yield from both(f"{start} answers{view}", f"{start} does not answer{view}", ABSENT if distrust else True, about)
    for reason in REASONS:
        # Who looks stops at the first reason, so that of the others nothing is known.
        right: bool | str = False if not distrust else True if reason == distrust else UNKNOWN
        yield from both(f"{start} has {reason}{view}", f"{start} does not have {reason}{view}", right, about)


def _times(start: str, answers: bool, about: str, view: str) -> Iterator[Question]:
    for part in PARTS:
        yield Question(f"{start} {part} in less than 60 s{view}", OK if answers else CRITICAL, about)
        yield Question(f"{start} {part} in more than 60 s{view}", CRITICAL, about)
