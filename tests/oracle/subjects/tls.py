"""TLS at ports of a real nginx, whose settings say what is right; keys and certificates as in tests/worlds."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, CRITICAL, OK, Question, both, bounds
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
VERSIONS = ("SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
#: Port -> the versions that its settings have.
SPEAKS = {"oldest": VERSIONS[1:], "modern": VERSIONS[4:], "only12": VERSIONS[3:4], "http2": VERSIONS[3:]}
CIPHERS = {
    "ECDHE-RSA-AES128-GCM-SHA256": ("oldest", "only12", "http2"), "AES128-SHA": ("oldest", "http2"),
    "RC4-SHA": (), "TLS_AES_256_GCM_SHA384": ("oldest", "modern", "http2"),
}  # fmt: skip
#: Port -> whether a client with the tests' CA is content, how many certificates there are, and whether in order.
CHAINS = {
    "oldest": (True, 2, True), "past": (False, 2, True), "bare": (False, 1, True), "own": (False, 1, True),
    "mixed": (True, 3, False),
}  # fmt: skip
NOBODY = ("plain", "down")


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of TLS, from each viewpoint."""
    for view in VIEWPOINTS:
        yield from _offers(objects, view)
        yield from _certificates(objects, view)


def _offers(objects: Objects, view: str) -> Iterator[Question]:
    claims: list[tuple[str, tuple[str, ...]]] = [
        (f'the protocol "{one}"', tuple(name for name, speaks in SPEAKS.items() if one in speaks)) for one in VERSIONS
    ]
    claims += [(f'the cipher "{cipher}"', names) for cipher, names in CIPHERS.items()]
    claims += [('the application protocol "h2"', ("http2",)), ('the application protocol "x"', ())]
    for what, names in claims:
        for name in (*SPEAKS, *NOBODY):
            start = f'the TLS of "127.0.0.1:{objects.ports[name]}" for the name "shop.example"'
            right: bool | str = ABSENT if name in NOBODY else name in names
            yield from both(f"{start} offers {what}{view}", f"{start} does not offer {what}{view}", right, name)


def _certificates(objects: Objects, view: str) -> Iterator[Question]:
    authorities = f'by the CA file "{objects.made.file("ca.pem")}"'
    for name in (*CHAINS, *NOBODY):
        there = name in CHAINS
        content, count, order = CHAINS.get(name, (False, 0, False))
        place = f'"127.0.0.1:{objects.ports[name]}"'
        start = f"the certificate of {place}"
        valid: bool | str = content if there else ABSENT
        for more in ("", ' for the name "shop.example"'):
            forms = (f"{start}{more} {authorities} is valid{view}", f"{start}{more} {authorities} is not valid{view}")
            yield from both(*forms, valid, name)
        forms = (f"{start} is valid{view}", f"{start} is not valid{view}")
        yield from both(*forms, False if there else ABSENT, f"{name}, by no CA")
        chain = f"the chain of {place}"
        in_order: bool | str = order if there else ABSENT
        yield from both(f"{chain} is in order{view}", f"{chain} is not in order{view}", in_order, name)
        # All in it are of EC but the leaf, whose key has 2048 bits; EC keys sign all.
        for words, so in (
            ("RSA key shorter than 2048 bits", False),
            ("RSA key shorter than 3072 bits", name in ("oldest", "bare", "mixed")),
        ):
            right: bool | str = so if there else ABSENT
            yield from both(f"{chain} has an {words}{view}", f"{chain} has no {words}{view}", right, name)
        for algorithm, so in (("ecdsa-with-SHA256", True), ("*sha1*", False)):
            right = so if there else ABSENT
            words = f'signature by "{algorithm}"{view}'
            yield from both(f"{chain} relies on a {words}", f"{chain} relies on no {words}", right, name)
        number: int | str = count if there else ABSENT
        yield from _ended(bounds(f"{chain} has {{}} certificates", number, name), view)
        yield from _claims(objects, name, start, view)
        # It ends in twenty days, the one that is past ended two days ago, and the one by itself in ninety.
        ends = {"past": -2, "own": 90}.get(name, 20) if there else 0
        for days in (0, 19, 20, 89, 90):
            right = OK if days < ends else CRITICAL
            yield Question(f"{start} expires in at least {days} days{view}", right, name)
            right = right if content else CRITICAL
            yield Question(f"{start} {authorities} is valid for at least {days} days{view}", right, name)


def _claims(objects: Objects, name: str, start: str, view: str) -> Iterator[Question]:
    there, leaf = name in CHAINS, name in ("oldest", "bare", "mixed")
    own = name == "own"
    claims = {
        ("is for the name", '"shop.example"'): True, ("is for the name", '"other.example"'): False,
        ("is for the name", '"127.0.0.1"'): True, ("has the subject", '"CN=shop.example, C=DE"'): leaf,
        ("has the issuer", '"CN=Tests between"'): not own, ("has a key of the kind", '"RSA"'): leaf,
        ("has a key of the kind", '"EC"'): not leaf, ("has the signature algorithm", '"ecdsa-with-SHA256"'): True,
        ("has the fingerprint", f'"{_fingerprint(objects.made, "leaf")}"'): leaf, ("is self-signed", ""): own,
    }  # fmt: skip
    for (verb, text), truth in claims.items():
        word, _, rest = verb.partition(" ")
        negated = f"{'does not have' if word == 'has' else 'is not'} {rest} {text}".rstrip()
        right: bool | str = truth if there else ABSENT
        yield from both(f"{start} {f'{verb} {text}'.rstrip()}{view}", f"{start} {negated}{view}", right, name)
    bits: int | str = (2048 if leaf else 256) if there else ABSENT
    yield from _ended(bounds(f"{start} has a key of {{}} bits", bits, name), view)
    if name == "oldest":
        other = f'{start} for the name "other.example" has the subject "CN=other.example"{view}'
        yield Question(other, OK, "another name")


def _ended(asked: Iterator[Question], view: str) -> Iterator[Question]:
    for question in asked:
        yield question._replace(text=f"{question.text}{view}")


def _fingerprint(made: Authority, name: str) -> str:
    words = ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", made.file(f"{name}.pem")]
    return subprocess.check_output(words, text=True).strip().partition("=")[2]
