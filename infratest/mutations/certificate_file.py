"""Faults of files with certificates: another one in the file, that ends too soon or that is what it must not be."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.globs import fits
from infratest.mutations._certificate import EC, added, certified
from infratest.mutations._path import emptied
from infratest.mutations.base import Claim, Fault, outside

DAY = 86400
#: Options of openssl-req(1) by a signature's name, as openssl tells it.
SIGNED = {
    "sha1WithRSAEncryption": ("-newkey", "rsa:2048", "-sha1"),
    "md5WithRSAEncryption": ("-newkey", "rsa:2048", "-md5"),
    "sha256WithRSAEncryption": ("-newkey", "rsa:2048", "-sha256"),
    "ecdsa-with-SHA1": (*EC, "-sha1"),
    "ecdsa-with-SHA256": (*EC, "-sha256"),
}


def left(claim: Claim) -> Act | str:
    """One that ends too soon, or too late."""
    number = outside(claim.bound) if claim.bound else None
    if claim.bound is not None and claim.bound.words in ("at least", "more than"):
        number = claim.bound.low - DAY
    if number is None or number < DAY:
        return "a certificate is made for a day at least"
    days = f"{number // DAY:.0f}"
    return certified(claim.check.path, f"for {days} days", *EC, "-days", days)


def count(claim: Claim) -> Act | str:
    """None, where there must be some."""
    if claim.bound is None or claim.bound.holds(0):
        return "more certificates are not made"
    return emptied(claim.check.path)


def bits(claim: Claim) -> Act | str:
    """One with a short key."""
    if claim.bound is None or claim.bound.holds(1024):
        return "a key of 1024 bits is in the bound"
    return certified(claim.check.path, "with a key of 1024 bits", "-newkey", "rsa:1024")


def property_of(claim: Claim) -> Act | str:
    """One that is what it must not be, or not what it must be."""
    check = claim.check
    if not claim.negated:
        if check.claim == "self-signed":
            return "who would sign it is not known"
        return certified(check.path, "of infratest's own", *EC, "-addext", "extendedKeyUsage=codeSigning")
    if check.claim == "self-signed":
        return certified(check.path, "that is self-signed", *EC)
    if check.claim == "authority":
        return certified(check.path, "of a CA", *EC, "-addext", "basicConstraints=critical,CA:TRUE")
    if check.claim == "signature":
        return _signed_by(check.path, check.text)
    return f"how a certificate has the {check.claim} {check.text!r} is not known"


def _signed_by(path: str, pattern: str) -> Act | str:
    signed = next((one for one in SIGNED if fits(pattern.strip().lower(), one.lower())), "")
    if not signed:
        return f"how a certificate is signed by {pattern!r} is not known"
    return certified(path, f"signed by {signed}", *SIGNED[signed])


def relies(claim: Claim) -> Act | str:
    """One that is signed so, or otherwise."""
    if claim.negated:
        return _signed_by(claim.check.path, claim.check.algorithm)
    return certified(claim.check.path, "of infratest's own", *EC)


def short_key(claim: Claim) -> Act | str:
    """One more, with a short key; or one of another kind of key alone."""
    if not claim.negated:
        return certified(claim.check.path, "of infratest's own", *EC)
    if claim.check.bits <= 1024:
        return "a key of less than 1024 bits is not made"
    return added(claim.check.path, "with a key of 1024 bits", "-newkey", "rsa:1024")


FAULTS: dict[str, Fault] = {
    "CertificateLeft": left,
    "CertificatesLeft": left,
    "CertificateCount": count,
    "CertificateBits": bits,
    "FileClaim": property_of,
    "FileRelies": relies,
    "FileShortKey": short_key,
}
