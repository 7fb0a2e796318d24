"""Certificates and private keys in files, by the library `cryptography`; chains are held against `openssl verify`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, both, bounds
from tests.worlds.x509_files import DAY, Issued, issued


class Objects(NamedTuple):
    """The folder, and certificates by the name of their file."""

    place: Path
    made: dict[str, Issued]


def objects(place: Path) -> Objects:
    """Make files: good, expired, cut, none, closed to others."""
    now = datetime.now(UTC).replace(microsecond=0)
    root = issued("Oracle root", authority=True, key="RSA 2048")
    between = issued("Oracle between", root, authority=True)
    made = {
        "root": root,
        # Half a day more than ten, for the oracle may take a while.
        "leaf": issued("leaf", between, names=("oracle.example", "*.oracle.example", "10.1.2.3"),
                       ends=now + timedelta(days=10, hours=12), purposes=("serverAuth",), serial=0x1A2B),
        "past": issued("past", between, key="Ed25519", begins=now - 20 * DAY, ends=now - DAY),
        "small": issued("small", root, key="RSA 1024"),
    }  # fmt: skip
    files = {
        "leaf.pem": made["leaf"].pem + between.pem, "root.pem": root.pem, "past.pem": made["past"].pem + between.pem,
        "small.pem": made["small"].der, "cut.pem": root.pem[:-30], "bare.pem": b"nothing\n",
        "leaf.key": made["leaf"].key_pem(), "past.key": made["past"].key_pem(), "small.key": made["small"].key_pem(),
        "locked.key": root.key_pem(b"secret"), "cut.key": root.key_pem()[:-30],
    }  # fmt: skip
    for name, data in files.items():
        (place / name).write_bytes(data)
        (place / name).chmod(0o600 if name == "small.key" else 0o644)
    return Objects(place, made)


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of certificates and keys in files."""
    yield from _certificates(objects)
    yield from _chains(objects)
    yield from _keys(objects)


#: Claim and negation, and for which files the claim is so: leaf, past, small and root, in this order.
CLAIMS: dict[tuple[str, str], tuple[bool, bool, bool, bool]] = {
    ("is valid", "is not valid"): (True, False, True, True),
    ("is self-signed", "is not self-signed"): (False, False, False, True),
    ("is a CA", "is not a CA"): (False, False, False, True),
}
HAS: dict[str, tuple[bool, bool, bool, bool]] = {
    'the subject "CN=leaf"': (True, False, False, False),
    'the issuer "CN=Oracle root,C=DE"': (False, False, True, True),
    'the serial number "1A:2B"': (True, False, False, False),
    'the signature algorithm "ecdsa-with-SHA256"': (True, True, False, False),
    'the signature algorithm "*-with-sha[0-9]*"': (True, True, False, False),
    'the signature algorithm "*sha1*"': (False, False, False, False),
    'a key of the kind "EC"': (True, False, False, False),
    'a key of the kind "Ed25519"': (False, True, False, False),
    'a key on the curve "P-256"': (True, False, False, False),
}
IS_FOR: dict[str, tuple[bool, bool, bool, bool]] = {
    'the name "Oracle.example"': (True, False, False, False),
    'the name "a.oracle.example"': (True, False, False, False),
    'the name "a.b.oracle.example"': (False, False, False, False),
    'the name "10.1.2.3"': (True, False, False, False),
    'the purpose "serverAuth"': (True, True, True, True),
    'the purpose "clientAuth"': (False, True, True, True),
}
NAMES = ("leaf", "past", "small", "root")


def _certificates(objects: Objects) -> Iterator[Question]:
    claims = dict(CLAIMS)
    claims |= {(f"has {text}", f"does not have {text}"): right for text, right in HAS.items()}
    claims |= {(f"is for {text}", f"is not for {text}"): right for text, right in IS_FOR.items()}
    for name, made in objects.made.items():
        print_ = _fingerprint(made)
        own = tuple(each == name for each in NAMES)
        claims[f'has the fingerprint "{print_}"', f'does not have the fingerprint "{print_}"'] = own  # type: ignore
    others: dict[str, bool | str] = {"bare": ABSENT, "none": ABSENT, "cut": UNKNOWN}
    for (claim, negation), rights in claims.items():
        for name, right in (dict(zip(NAMES, rights, strict=True)) | others).items():
            start = f'the certificate file "{objects.place}/{name}.pem"'
            yield from both(f"{start} {claim}", f"{start} {negation}", right, name)
        start = f'the certificate file "{objects.place}/leaf.pem" at position'
        yield from both(f"{start} 3 {claim}", f"{start} 3 {negation}", ABSENT, "no third")
    start = f'the certificate file "{objects.place}'
    yield from both(
        f'{start}/leaf.pem" at position 2 is a CA', f'{start}/leaf.pem" at position 2 is not a CA', True, ""
    )
    for name, count, bits in (
        ("leaf", 2, 256), ("past", 2, 256), ("small", 1, 1024), ("root", 1, 2048), ("bare", 0, ABSENT),
        ("none", ABSENT, ABSENT), ("cut", UNKNOWN, UNKNOWN),
    ):  # fmt: skip
        yield from bounds(f'{start}/{name}.pem" has {{}} certificates', count, name)
        yield from bounds(f'{start}/{name}.pem" has a key of {{}} bits', bits, name)
    # The authority between has an EC key and signs leaf and past; the root has one of RSA and signs small and between.
    for name, short, ecdsa in (
        ("leaf", False, True), ("past", False, True), ("small", True, False), ("bare", ABSENT, ABSENT),
        ("none", ABSENT, ABSENT), ("cut", UNKNOWN, UNKNOWN),
    ):  # fmt: skip
        one = f'{start}/{name}.pem"'
        words = "RSA key shorter than 2048 bits"
        yield from both(f"{one} has an {words}", f"{one} has no {words}", short, name)
        words = 'signature by "ecdsa-with-SHA256"'
        yield from both(f"{one} relies on a {words}", f"{one} relies on no {words}", ecdsa, name)
        words = 'signature by "*sha1*"'
        right = False if name in NAMES else short
        yield from both(f"{one} relies on a {words}", f"{one} relies on no {words}", right, name)
    ends = {"leaf": (OK, CRITICAL), "past": (CRITICAL, CRITICAL), "small": (OK, OK), "cut": (UNKNOWN, UNKNOWN)}
    for name, rights_ in ends.items():
        for days, right_ in zip((10, 11), rights_, strict=True):
            for words in ("is valid for", "has every certificate valid for"):
                yield Question(f'{start}/{name}.pem" {words} at least {days} days', right_, name)


def _fingerprint(made: Issued) -> str:
    words = ["openssl", "x509", "-noout", "-fingerprint", "-sha256"]
    done = subprocess.run(words, input=made.pem, capture_output=True, check=True)
    return done.stdout.decode().strip().partition("=")[2]


def _chains(objects: Objects) -> Iterator[Question]:
    for trusted in ("root", "small", "past", "cut", "bare"):
        for name in NAMES:
            path, authorities = f"{objects.place}/{name}.pem", f"{objects.place}/{trusted}.pem"
            words = ["openssl", "verify", "-CAfile", authorities, "-untrusted", path, path]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            right: bool | str = {"cut": UNKNOWN, "bare": ABSENT}.get(trusted, f"{path}: OK" in done.stdout)
            start, end = f'the certificate file "{path}" is', f'verified by the CA file "{authorities}"'
            yield from both(f"{start} {end}", f"{start} not {end}", right, f"{name} by {trusted}")


def _keys(objects: Objects) -> Iterator[Question]:
    known = {"leaf": ("EC", 256), "past": ("Ed25519", 256), "small": ("RSA", 1024)}
    for name in (*known, "locked", "cut", "none"):
        start, there = f'the private key file "{objects.place}/{name}.key"', name in known
        closed: bool | str = UNKNOWN if name == "small" else ""
        other: bool | str = ABSENT if name == "none" else UNKNOWN
        encrypted: bool | str = True if name == "locked" else False if there else other
        yield from both(f"{start} is encrypted", f"{start} is not encrypted", encrypted, name, closed)
        for kind in ("RSA", "EC", "Ed25519"):
            right = kind == known[name][0] if there else other
            claim = f'a key of the kind "{kind}"'
            yield from both(f"{start} has {claim}", f"{start} does not have {claim}", right, name, closed)
        right = name == "leaf" if there else other
        claim = 'a key on the curve "prime256v1"'
        yield from both(f"{start} has {claim}", f"{start} does not have {claim}", right, name, closed)
        bits: int | str = known[name][1] if there else other
        yield from bounds(f"{start} has a key of {{}} bits", bits, name, unprivileged=str(closed))
        for certificate in NAMES:
            right = name == certificate if there else other
            claim = f'to the certificate file "{objects.place}/{certificate}.pem"'
            yield from both(f"{start} belongs {claim}", f"{start} does not belong {claim}", right, name, closed)
