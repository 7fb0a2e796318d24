"""Public keys of SSH and their fingerprints, by which one is known again where only a digest of it is told.

Who tells a digest takes it of different bytes: OpenSSH of the key as it stands in a line of authorized_keys (by
SHA-256, before by MD5), nova of the same by MD5, EC2 of the same by SHA-256 for Ed25519 and of its DER form by MD5 for
RSA. Pure. Called by the component `keypair`, the verbs keypair and keystore, and providers whose cloud keeps keys.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator

#: 16 bytes in hexadecimal digits, parted by colons or not; 32 bytes in base64, its `=` kept or not.
MD5 = re.compile(r"[0-9a-f]{2}(:?[0-9a-f]{2}){15}")
SHA256 = re.compile(r"[A-Za-z0-9+/]{43}=?")

#: Before the base64 of a digest, as ssh-keygen writes it.
PREFIX = "SHA256:"


def blob(public: str) -> bytes:
    """Return the key itself of a line as `ssh-ed25519 AAAA... comment`, empty where it holds none."""
    words = public.split()
    try:
        return base64.b64decode(words[1], validate=True) if len(words) > 1 else b""
    except (binascii.Error, ValueError):
        return b""


def fingerprint(public: str) -> str:
    """Return the fingerprint of a public key, as `ssh-keygen -l` writes it."""
    return PREFIX + _base64(hashlib.sha256(blob(public)).digest())


def same(public: str, other: str) -> bool:
    """Whether two lines hold the same key, whatever their comments."""
    return blob(public) == blob(other) != b""


def is_of(public: str, digest: str) -> bool | None:
    """Return whether a fingerprint, as a cloud tells it, is of this key; None where that cannot be told.

    One that differs proves another key only where all take it of the same bytes: SHA-256 in base64.
    """
    plain = digest.strip().removeprefix(PREFIX)
    if SHA256.fullmatch(plain):
        return plain.rstrip("=") == fingerprint(public).removeprefix(PREFIX)
    plain = plain.lower().removeprefix("md5:")
    if MD5.fullmatch(plain):
        return True if plain.replace(":", "") in _md5s(public) else None
    return None


def _md5s(public: str) -> Iterator[str]:
    """Yield the MD5 digests that are told of a key."""
    yield hashlib.md5(blob(public), usedforsecurity=False).hexdigest()
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        return  # then it is not known
    try:
        key = serialization.load_ssh_public_key(" ".join(public.split()[:2]).encode())
        der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return  # a kind that only OpenSSH has: by that form nobody tells of it
    yield hashlib.md5(der, usedforsecurity=False).hexdigest()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii").rstrip("=")
