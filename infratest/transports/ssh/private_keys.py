"""What kind of private key a file holds, read without any cryptography: enough to choose a client and to say why not.

Called by the SSH clients of this folder. Format of OpenSSH's own files: PROTOCOL.key in OpenSSH; the others are PEM,
where the first line names the kind.
"""

from __future__ import annotations

import binascii

from infratest.record import Record

MAGIC = b"openssh-key-v1\0"
BEGIN, OPENSSH = "-----BEGIN ", "OPENSSH PRIVATE KEY"

#: First line of a PEM file -> the kind of key, as the protocol names it; empty: the file does not say.
PEM = {"RSA PRIVATE KEY": "ssh-rsa", "EC PRIVATE KEY": "ecdsa", "PRIVATE KEY": "", "ENCRYPTED PRIVATE KEY": ""}


class PrivateKey(Record):
    """A private key file: `kind` as `ssh-ed25519`, and whether it wants a pass phrase."""

    kind: str
    encrypted: bool


def examine(path: str) -> PrivateKey:
    """Return what a file holds.

    Raises:
        OSError: it cannot be read. ValueError: it holds no private key.
    """
    with open(path, "rb") as file:
        lines = file.read().decode("ascii", "replace").splitlines()
    first = next((line.strip() for line in lines if line.startswith(BEGIN)), "")
    title = first.removeprefix(BEGIN).removesuffix("-----")
    if title == OPENSSH:
        return _openssh("".join(line.strip() for line in lines if not line.startswith("-----")))
    if title not in PEM:
        raise ValueError("it holds no private key")
    return PrivateKey(PEM[title], title.startswith("ENCRYPTED") or any("ENCRYPTED" in line for line in lines))


def string(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the string of the SSH protocol that begins at an offset, and the offset after it.

    Raises:
        ValueError: the data end before it does.
    """
    end = at + 4 + int.from_bytes(data[at : at + 4], "big")
    if at + 4 > len(data) or end > len(data):
        raise ValueError("it is cut off")
    return data[at + 4 : end], end


def _openssh(text: str) -> PrivateKey:
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as error:
        raise ValueError("it is no base64") from error
    if not data.startswith(MAGIC):
        raise ValueError("it is no key of OpenSSH")
    cipher, at = string(data, len(MAGIC))
    _, at = string(data, at)
    _, at = string(data, at)
    public, _ = string(data, at + 4)  # after the number of keys
    kind, _ = string(public, 0)
    return PrivateKey(kind.decode("ascii", "replace"), cipher != b"none")
