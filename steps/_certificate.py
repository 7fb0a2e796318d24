"""What is claimed of a certificate and of a key, wherever it comes from: a file, or who answers at a port.

A claim is a word, and two functions: what a feature may write for it, and what is seen in a certificate.
"""

from __future__ import annotations

from infratest.check import in_quotes
from infratest.cleaning import clean
from infratest.errors import FactError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from infratest.facts._x509 import Certificate, PrivateKey
    from infratest.facts.certificate_file import CertificateFile

#: Characters of a name in a reason, and names that are shown.
SHOWN, MANY = 200, 10

#: Digits of a fingerprint -> its algorithm.
FINGERPRINTS = {40: "SHA-1", 64: "SHA-256"}

#: Claims about what is named, whose text a function of this module reads.
SUBJECT, ISSUER, NAME, SERIAL, FINGERPRINT = "subject", "issuer", "name", "serial", "fingerprint"
SIGNATURE, KIND, CURVE, PURPOSE = "signature", "kind", "curve", "purpose"
#: Claims without a text.
SELF_SIGNED, AUTHORITY = "self-signed", "authority"


def checked(claim: str, text: str) -> None:
    """Refuse a text that no certificate can have. Raises UserError."""
    if claim in (SUBJECT, ISSUER):
        attributes(text)
    elif claim in (SERIAL, FINGERPRINT):
        _digits(claim, text)
    elif claim == CURVE:
        _curve(text)
    elif claim == KIND:
        _kind(text)
    elif claim in (NAME, SIGNATURE, PURPOSE) and not text.strip():
        raise UserError(f'a certificate with the {claim} "": write the one that is meant')
    if claim == PURPOSE:
        _purpose(text)


def seen(claim: str, text: str, one: Certificate) -> tuple[bool, str]:
    """Return whether a claim is so of a certificate, and what is, in words that follow its subject."""
    if claim in (SUBJECT, ISSUER):
        name = one.subject if claim == SUBJECT else one.issuer
        return attributes(text) <= attributes(name or "CN="), f"has the {claim} {in_quotes(clean(name, SHOWN))}"
    if claim == NAME:
        return is_for(one, text), f"is for {named(one)}"
    if claim == SERIAL:
        return _digits(claim, text) == one.serial.lstrip("0"), f'has the serial number "{one.serial}"'
    if claim == FINGERPRINT:
        digits = _digits(claim, text)
        own = one.sha1 if len(digits) == 40 else one.sha256
        return digits == own, f'has the {FINGERPRINTS[len(digits)]} fingerprint "{own}"'
    if claim == SIGNATURE:
        return _signed(text.strip().lower(), one.signature.lower()), f'has the signature algorithm "{one.signature}"'
    if claim == PURPOSE:
        allowed = not one.purposes or _purpose(text) in one.purposes or "anyExtendedKeyUsage" in one.purposes
        return allowed, f"is for the purposes {', '.join(one.purposes)}" if one.purposes else "is for any purpose"
    if claim == SELF_SIGNED:
        signer = f"is signed by {in_quotes(clean(one.issuer, SHOWN))}"
        return one.self_signed, "is self-signed" if one.self_signed else signer
    if claim == AUTHORITY:
        return one.authority, "is a CA" if one.authority else "is not a CA"
    return key_seen(claim, text, one)


def _signed(name: str, own: str) -> bool:
    """Return whether an algorithm is the one that is named; RSASSA-PSS has its hash in it, and each of them is that."""
    if not any(sign in name for sign in "*?["):
        return name in (own, own.partition(" with ")[0])
    from infratest.globs import fits

    return fits(name, own)


def relied_on(text: str, chain: Sequence[Certificate]) -> tuple[bool, str]:
    """Return whether one of these is signed by an algorithm, and which, in words that follow their subject.

    What an authority says of itself nobody relies on: a self-signed one counts where it is the first.
    """
    name = text.strip().lower()
    counted = [(place, one) for place, one in enumerate(chain, 1) if place == 1 or not one.self_signed]
    found = [(place, one) for place, one in counted if _signed(name, one.signature.lower())]
    if found:
        place, one = found[0]
        return True, f'has the signature "{one.signature}" at position {place}: {clean(one.in_words(), SHOWN)}'
    algorithms = ", ".join(dict.fromkeys(one.signature for _, one in counted))
    return False, f"relies on signatures by {algorithms}"


def short_rsa(bits: int, chain: Sequence[Certificate]) -> tuple[bool, str]:
    """Return whether one of these has an RSA key that is shorter, and which, in words that follow their subject."""
    keys = [(one.bits, place, one) for place, one in enumerate(chain, 1) if one.kind == "RSA"]
    if not keys:
        return False, "has no RSA key"
    least, place, one = min(keys, key=lambda each: each[:2])
    words = f"has an RSA key of {least} bits at position {place}: {clean(one.in_words(), SHOWN)}"
    return least < bits, words if least < bits else f"has no RSA key of less than {least} bits"


def bits_of_rsa(bits: int) -> None:
    """Refuse what is no length of an RSA key. Raises UserError."""
    if not 512 <= bits <= 65536:
        raise UserError(f"an RSA key shorter than {bits} bits: expected a length from 512 to 65536, as 2048")


def key_seen(claim: str, text: str, key: Certificate | PrivateKey) -> tuple[bool, str]:
    """Return whether a claim is so of a key, and what is."""
    if claim == KIND:
        return _kind(text) == key.kind, f"has a key of the kind {key.kind}"
    if not key.curve:
        return False, f"has a key of the kind {key.kind}, without a choice of curves"
    return _curve(text) == key.curve, f'has a key on the curve "{key.curve}"'


def attributes(text: str) -> frozenset[tuple[str, str]]:
    """Return the attributes of a name that is written as in RFC 4514, with blanks around `=` and commas or without.

    Raises:
        UserError: it holds none.
    """
    made: set[tuple[str, str]] = set()
    for part in _parts(text):
        kind, equals, value = part.partition("=")
        if not equals or not kind.strip():
            raise UserError(f'"{text}": expected a name as "CN=shop.example, O=Shop", or some of its parts')
        made.add((kind.strip().upper(), _unescaped(value.strip())))
    return frozenset(made)


def _parts(text: str) -> list[str]:
    parts, at = [""], 0
    while at < len(text):
        one = text[at]
        if one == "\\":
            parts[-1] += text[at : at + 2]
            at += 2
            continue
        if one in ",+":
            parts.append("")
        else:
            parts[-1] += one
        at += 1
    return parts


def _unescaped(value: str) -> str:
    r"""Undo RFC 4514's `\,` and `\C3`."""
    made, at = bytearray(), 0
    while at < len(value):
        pair = value[at + 1 : at + 3]
        if value[at] == "\\" and len(pair) == 2 and set(pair.lower()) <= set("0123456789abcdef"):
            made.append(int(pair, 16))
            at += 3
        elif value[at] == "\\" and pair:
            made += pair[0].encode()
            at += 2
        else:
            made += value[at].encode("utf-8", "surrogateescape")
            at += 1
    return made.decode("utf-8", "replace")


def named(one: Certificate) -> str:
    """Return the names that a certificate is for, in words."""
    shown = ", ".join(clean(each, SHOWN) for each in one.names[:MANY])
    more = f" and {len(one.names) - MANY} more" if len(one.names) > MANY else ""
    return f"{shown}{more}" if one.names else "no name"


def is_for(one: Certificate, name: str) -> bool:
    """Return whether a certificate is for a name: RFC 9525 for hosts; the subject's CN does not count, as there.

    Args:
        name: of a host, an address (IPv4, IPv6), a mail address, a URI.
    """
    from ipaddress import ip_address

    name = name.strip()
    if "://" in name:
        return f"URI:{name}" in one.names
    if "@" in name:
        local, _, domain = name.rpartition("@")
        mails = [each[6:].rpartition("@") for each in one.names if each.startswith("email:")]
        return any(there == local and host.lower() == domain.lower() for there, _, host in mails)
    try:
        return f"IP:{ip_address(name.strip('[]'))}" in one.names
    except ValueError:
        pass
    if not name.isascii():
        name = name.encode("idna").decode("ascii")
    return any(_covers(each[4:], name) for each in one.names if each.startswith("DNS:"))


def _covers(pattern: str, name: str) -> bool:
    """Whether a name is one, or its first label is any: RFC 9525, 6.3."""
    pattern, name = pattern.lower().rstrip("."), name.lower().rstrip(".")
    if pattern.startswith("*.") and not name.startswith("*."):
        first, _, rest = name.partition(".")
        return bool(first) and "." in rest and rest == pattern[2:]
    return pattern == name


def _digits(claim: str, text: str) -> str:
    """Return the digits of a serial number or a fingerprint, which may be written with colons, and with a prefix."""
    plain = text.strip().lower().removeprefix("sha256:").removeprefix("sha1:").removeprefix("0x")
    plain = plain.replace(":", "").replace(" ", "")
    if not plain or not set(plain) <= set("0123456789abcdef"):
        raise UserError(f'"{text}": expected hexadecimal digits, as openssl x509 writes them')
    if claim == FINGERPRINT and len(plain) not in FINGERPRINTS:
        raise UserError(
            f'"{text}": expected a fingerprint by SHA-256 (64 digits) or SHA-1 (40), not {len(plain)} digits'
        )
    return plain if claim == FINGERPRINT else plain.lstrip("0")


def _kind(text: str) -> str:
    from infratest.facts._x509 import KINDS

    plain = {"ecdsa": "ec", "ecc": "ec"}.get(text.strip().lower(), text.strip().lower())
    found = next((one for one in KINDS if one.lower() == plain), "")
    if not found:
        raise UserError(f'"{text}" is no kind of key: expected one of {", ".join(KINDS)}')
    return found


def _curve(text: str) -> str:
    from infratest.facts._x509 import CURVES

    plain = text.strip().lower()
    found = next((one for one, others in CURVES.items() if plain == one or plain in others), "")
    if not found:
        raise UserError(f'"{text}" is no curve: expected one of {", ".join(CURVES)}')
    return found


def _purpose(text: str) -> str:
    from infratest.facts._x509 import PURPOSES

    found = next((one for one in PURPOSES.values() if one.lower() == text.strip().lower()), "")
    if not found:
        raise UserError(f'"{text}" is no purpose: expected one of {", ".join(PURPOSES.values())}')
    return found


def read(seen: CertificateFile, path: str) -> CertificateFile:
    """Return what is in a file. Raises FactError where it could not be read."""
    if seen.problem:
        raise FactError(f"{path}: {seen.problem}")
    return seen
