"""OpenSSH's known_hosts files: which keys are on record for a name, is this key one of them, pin a new one.

Called by the SSH transports before any login. Format: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"; hashed names are
HMAC-SHA1 under a salt. Reading is pure but for the files themselves.
"""

from __future__ import annotations

import binascii
import fcntl
import os
from functools import lru_cache

from infratest.errors import HostKeyRefused, TransportError
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_PORT = 22
REVOKED = "@revoked"


class Entry(Record):
    """One line of a known_hosts file that names the host: `kind` as `ssh-ed25519`, `key` as it is on the wire."""

    path: str
    line: int
    marker: str
    kind: str
    key: bytes

    def __str__(self) -> str:
        return f"{self.path}:{self.line} ({self.kind} {fingerprint(self.key)})"


def record_name(address: str, port: int) -> str:
    """Return the name a host has in known_hosts: the address, with its port where that is not 22."""
    return address if port == DEFAULT_PORT else f"[{address}]:{port}"


def fingerprint(key: bytes) -> str:
    """Return a key's fingerprint as `ssh-keygen -l` prints it."""
    import hashlib  # 5 ms of OpenSSL, for a message or a hashed name alone

    return "SHA256:" + _base64(hashlib.sha256(key).digest()).rstrip("=")


def on_record(paths: Sequence[str], name: str) -> list[Entry]:
    """Return every line of these files that names the host; a file that does not exist has none.

    Raises:
        TransportError: a file is there and cannot be read.
    """
    found = []
    for path in paths:
        try:
            stamp = os.stat(path)
            lines, plain = _read(path, stamp.st_ino, stamp.st_size, stamp.st_mtime_ns)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise TransportError(
                f"cannot read the known hosts in {path}: {error.strerror}; make it readable, or name another file "
                "with known-hosts"
            ) from error
        # In a file without patterns and hashes, only the lines that hold the name can be about it.
        wanted = "" if not plain else name.lower()
        numbers = [number for number, (_, lowered) in enumerate(lines) if wanted in lowered]
        found += [entry for at in numbers if (entry := _entry(path, at + 1, lines[at][0], name))]
    return found


@lru_cache(maxsize=8)
def _read(path: str, *stamp: int) -> tuple[list[tuple[str, str]], bool]:
    """Return a file's lines, each as it is and in lower case, and whether it is without patterns and hashes.

    Read once for all hosts of a run: with many, it has as many lines.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    return [(line, line.lower()) for line in text.split("\n")], not any(sign in text for sign in "*?|")


def verify(entries: Sequence[Entry], name: str, kind: str, key: bytes) -> bool:
    """Return whether this key is on record for the host; False: the host is not known at all.

    Raises:
        HostKeyRefused: the key is revoked, or the host is known by other keys.
    """
    for entry in entries:
        if entry.marker == REVOKED and entry.key == key:
            raise HostKeyRefused(f"the host key {kind} {fingerprint(key)} of {name} is revoked by {entry}")
    plain = [entry for entry in entries if not entry.marker]
    if any(entry.key == key for entry in plain):
        return True
    if not plain:
        return False
    same_kind = [entry for entry in plain if entry.kind == kind] or plain
    raise HostKeyRefused(
        f"the host key of {name} has CHANGED: it shows {kind} {fingerprint(key)}, expected is {same_kind[0]}. "
        "Either the machine was made anew or someone is in between. If you know why, remove the old key with "
        f"`ssh-keygen -R '{name}' -f {same_kind[0].path}` and let the new one be learnt"
    )


def unknown(name: str, kind: str, key: bytes, paths: Sequence[str], entries: Sequence[Entry]) -> str:
    """Return the words for a host that no file knows, and how to make it known."""
    where = ", ".join(paths) or "no file"
    authority = ""
    if any(entry.marker == "@cert-authority" for entry in entries):
        authority = " (a @cert-authority line names it; host certificates are not in this version)"
    return (
        f"the host key of {name} is unknown: it shows {kind} {fingerprint(key)}, looked in {where}{authority}. "
        "Compare the fingerprint with `ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub` on the host, then add the line to "
        "known_hosts (ssh-keyscan prints it), or set `pin: true` to pin the key at first use"
    )


def pin(path: str, name: str, kind: str, key: bytes) -> None:
    """Append a host's key to a known_hosts file, making the file where there is none.

    Raises:
        TransportError: the file cannot be written.
    """
    line = f"{name} {kind} {_base64(key)}\n"
    try:
        os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # Two hosts may be pinned at once; and a last line without its end must not swallow ours.
            fcntl.flock(handle, fcntl.LOCK_EX)
            size = os.lseek(handle, 0, os.SEEK_END)
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            os.write(handle, ("\n" + line if torn else line).encode("utf-8"))
        finally:
            os.close(handle)
    except OSError as error:
        raise TransportError(f"cannot pin the host key of {name} in {path}: {error.strerror}") from error


def _entry(path: str, number: int, line: str, name: str) -> Entry | None:
    fields = line.split()
    if not fields or fields[0].startswith("#"):
        return None
    marker = fields.pop(0) if fields[0].startswith("@") else ""
    if len(fields) < 3 or not _names(fields[0], name):
        return None
    try:
        key = binascii.a2b_base64(fields[2], strict_mode=True)
    except (binascii.Error, ValueError):
        return None
    return Entry(path, number, marker, fields[1], key)


def _names(patterns: str, name: str) -> bool:
    """Tell whether the first field of a line names the host; a `!pattern` that matches wins over all others."""
    named = False
    for pattern in patterns.split(","):
        if pattern.startswith("|1|"):
            named = named or _hashed(pattern, name)
        elif pattern.startswith("!") and _wild(pattern[1:], name):
            return False
        else:
            named = named or _wild(pattern, name)
    return named


def _wild(pattern: str, name: str) -> bool:
    if not any(sign in pattern for sign in "*?"):
        return name.lower() == pattern.lower()
    from fnmatch import fnmatchcase

    # Only * and ? are wild in known_hosts; a bracket stands for itself, as in [host]:port.
    return fnmatchcase(name.lower(), pattern.lower().replace("[", "[[]"))


def _hashed(field: str, name: str) -> bool:
    import hashlib
    import hmac

    try:
        _, _, salt, digest = field.split("|")
        wanted = binascii.a2b_base64(digest, strict_mode=True)
        key = binascii.a2b_base64(salt, strict_mode=True)
        made = hmac.new(key, name.lower().encode("utf-8"), hashlib.sha1).digest()
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(made, wanted)


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")
