"""Whether a disk has content in another file of this machine, by its first bytes. Called before any program opens it.

Whoever made the disk chose that file, which may be any: a program that opens the disk would open it too, and a machine
made from it could read it. Only bounded amounts are read, and nothing is run.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO

from infratest.errors import ProviderError

#: What is read of a disk: QEMU reads no more of a VMDK's description either (block/vmdk.c).
HEAD = 1 << 20
#: Of a name, and of a header's extensions.
LONGEST = 1023

# qcow2's header (QEMU, docs/interop/qcow2.txt); version 1 has the name at the same place.
QCOW, QCOW_VERSIONS = b"QFI\xfb", (1, 2, 3)
EXTERNAL_DATA = 1 << 2  # of the incompatible features
DATA_NAME = 0x44415441

# VMDK's header ("Virtual Disk Format 5.0"): where its description is, in sectors.
VMDK, SECTOR = b"KDMV", 512
#: A file that a VMDK's description names: an extent, or the disk below it.
NAMED = re.compile(
    rb"""^[ \t]*(?:(?:RW|RDONLY|NOACCESS)[ \t][^"\n]*|parentFileNameHint[ \t]*=[ \t]*)"([^"\n]*)""",
    re.MULTILINE | re.IGNORECASE,
)
#: What makes a name that of a file which does not lie beside the disk, or of none: QEMU takes `nbd:...` too.
FAR = re.compile(rb"[/\\:]")


def elsewhere(disk: IO[bytes]) -> str:
    """Return the name of another file that holds content of a disk, empty where it has none such.

    Files beside a VMDK, which are its extents, do not count.
    """
    disk.seek(0)
    head = disk.read(HEAD)
    if head.startswith(QCOW):
        return _of_qcow2(head, disk).decode("utf-8", "replace")
    if head.startswith(VMDK):
        start, length = (int.from_bytes(head[at : at + 8], "little") * SECTOR for at in (28, 36))
        if start >= SECTOR:
            disk.seek(min(start, 1 << 62))
            head += b"\n" + disk.read(min(length, HEAD))
    for name in NAMED.findall(head):
        if FAR.search(name):
            return bytes(name[:LONGEST]).decode("utf-8", "replace")
    return ""


def named_by(path: Path) -> str:
    """Return `elsewhere` of a file. Raises ProviderError: it cannot be read."""
    try:
        with path.open("rb") as file:
            return elsewhere(file)
    except OSError as error:
        raise ProviderError(f"{path} cannot be read: {error.strerror}") from error


def _of_qcow2(head: bytes, disk: IO[bytes]) -> bytes:
    """Return the name of the disk below a qcow2, or of the file that its data is in."""
    version, start, length = (int.from_bytes(head[at:end], "big") for at, end in ((4, 8), (8, 16), (16, 20)))
    if version not in QCOW_VERSIONS:
        return b""  # nobody reads it
    if start:
        disk.seek(min(start, 1 << 62))
        return disk.read(min(length, LONGEST)) or b"a name that cannot be read"
    if version < 3 or not int.from_bytes(head[72:80], "big") & EXTERNAL_DATA:
        return b""
    at = int.from_bytes(head[100:104], "big")
    while 104 <= at <= len(head) - 8:
        kind, size = (int.from_bytes(head[place : place + 4], "big") for place in (at, at + 4))
        if kind == DATA_NAME:
            return head[at + 8 : at + 8 + min(size, LONGEST)]
        if kind == 0:
            break
        at += 8 + (size + 7) // 8 * 8
    return b"a file of data that it does not name"
