"""dpkg's status file, as dpkg itself writes it. For `package`, on this machine.

dpkg refuses a whole file for one line that is wrong. Of the packages asked for every line is looked at here; of all
others their name and state, and that none is there twice: whoever is not read so is for dpkg-query. What it refuses
is lib/dpkg/parse.c and fields.c of dpkg; what it writes, dump.c.
"""

from __future__ import annotations

import os

from infratest.facts import _machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

#: Bytes of it that are read at once: little memory, used again and again, costs less than a megabyte once.
PART = 2**16

WANTS = (b"unknown", b"install", b"hold", b"deinstall", b"purge")
FLAGS = (b"ok", b"reinstreq")
#: dpkg's states without those that wait for triggers: these need fields of their own, and dpkg is asked.
STATES = (b"not-installed", b"config-files", b"half-installed", b"unpacked", b"half-configured", b"installed")
STATUSES = frozenset(b" ".join((want, flag, state)) for want in WANTS for flag in FLAGS for state in STATES)

_OF_NAME = b"abcdefghijklmnopqrstuvwxyz0123456789+-."
_OF_FIELD = b"abcdefghijklmnopqrstuvwxyz0123456789-_"
_OF_VERSION = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.~:"


def packages(path: str, names: Collection[bytes]) -> list[list[bytes]] | None:
    """Return name, architecture, status and version of each package of these names.

    None of a file that is empty, cut, or not as dpkg writes it.

    Raises:
        OSError: the file cannot be read.
    """
    found: list[list[bytes]] = []
    seen: dict[bytes, list[bytes]] = {}
    for text in _paragraphs(path):
        name = text[9:].partition(b"\n")[0]
        if text[:9] != b"Package: " or not name or name.translate(None, _OF_NAME):
            return None
        if text.partition(b"\nStatus: ")[2].partition(b"\n")[0].rstrip() not in STATUSES:
            return None
        # Several of one name stand side by side where each is `Multi-Arch: same`, each of another architecture.
        place = text.partition(b"\nArchitecture: ")[2].partition(b"\n")[0] if b"\nMulti-Arch: same\n" in text else b""
        before = seen.setdefault(name, [])
        if before and (not place or place in before or b"" in before):
            return None
        before.append(place)
        if name in names:
            if (row := _row(text)) is None:
                return None
            found.append(row)
    return found if seen else None


def _row(text: bytes) -> list[bytes] | None:
    """Return what is asked of a paragraph; None of one that is not as dpkg writes it."""
    fields: dict[bytes, bytes] = {}
    for line in text.split(b"\n"):
        if line[:1] == b" " and not line.isspace():
            continue  # a field goes on
        key, colon, value = line.partition(b":")
        key = key.lower()  # in capitals or not, a field is the same to dpkg, and there once
        if not colon or len(key) < 2 or key in fields or key.translate(None, _OF_FIELD):
            return None
        fields[key] = value.strip()
    row = [fields.get(key, b"") for key in (b"package", b"architecture", b"status", b"version")]
    if row[1].translate(None, _OF_NAME) or row[3].translate(None, _OF_VERSION):
        return None
    return row


def _paragraphs(path: str) -> Iterator[bytes]:
    """Yield the paragraphs of a file; an empty one, which is no package, where a crash has left it damaged."""
    left = b""
    handle = os.open(path, _machine.READ_ONLY)
    try:
        while part := os.read(handle, PART):
            *whole, left = (left + part).split(b"\n\n")
            yield from whole
            if b"\0" in part or b"\r" in part:
                yield b""
    finally:
        os.close(handle)
    if left:
        yield left[:-1] if left[-1:] == b"\n" else b""
