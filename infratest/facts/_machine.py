"""What native readers share: files of this machine read whole, its mounts, and paths that may make a reader wait.

A native reader has no deadline of its own: where a look may take as long as another machine likes (a network file
system), it leaves the question to the snippet, which has one.
"""

from __future__ import annotations

import os
from time import time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: File systems behind which there is another machine or another program; every `fuse.*` too.
DISTANT = frozenset(
    b"nfs nfs4 cifs smb3 smbfs 9p ceph afs glusterfs lustre gfs2 ocfs2 beegfs orangefs coda autofs fuse fuseblk".split()
)

#: Links that the kernel follows on one path before it gives up (MAXSYMLINKS).
LINKS = 40

#: What most files of /proc fit in; for files that are known to be large, more is asked for at once.
READ_AT_ONCE = 2**13

#: Nanoseconds after which a file's next change has another time than its last.
SETTLED = 10**9

#: A pipe or a device in a file's place must not make the reader wait.
READ_ONLY = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


def begun(path: str) -> bytes:
    """Return what one read gives of a file of /proc, at most READ_AT_ONCE: of most of them all.

    Raises:
        OSError: it cannot be read.
    """
    handle = os.open(path, READ_ONLY)
    try:
        return os.read(handle, READ_AT_ONCE)
    finally:
        os.close(handle)


def whole(path: str | bytes, limit: int = 2**62, at_once: int = READ_AT_ONCE) -> bytes:
    """Return all bytes of a file, or the first `limit` of them.

    Raises:
        OSError: it cannot be read.
    """
    handle = os.open(path, READ_ONLY)
    try:
        data = os.read(handle, min(limit, at_once))
        while more := os.read(handle, min(limit - len(data), at_once)):
            data += more
        return data
    finally:
        os.close(handle)


def stamp(path: str) -> tuple[int, ...] | None:
    """Return what changes when a file does: its size, times and inode.

    None where it cannot be told by them whether the file is as it was read: it is not there, or it was changed so
    recently that a change still to come might have the same time (clocks of file systems tick in hundredths of a
    second).
    """
    try:
        seen = os.stat(path)
    except OSError:
        return None
    if not seen.st_ctime_ns < time_ns() - SETTLED:
        return None
    return (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, seen.st_dev)


def filled(path: str) -> bool:
    """Whether a file is there and holds something."""
    try:
        return os.stat(path).st_size > 0
    except OSError:
        return False


def listed(folder: str) -> list[str]:
    """Return the names in a folder; none where it is not there or may not be read."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def on_path(program: str) -> bool:
    """Whether the shell of a snippet would find a program."""
    folders = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
    return any(os.access(f"{folder}/{program}", os.X_OK) for folder in folders.split(":"))


def absent(error: OSError) -> bool:
    """Whether the error means that nothing is there."""
    return isinstance(error, (FileNotFoundError, NotADirectoryError))


def why(error: OSError) -> str:
    """Return why a path cannot be looked at, in the C library's words."""
    return os.strerror(error.errno or 0)


def encoded(text: str) -> bytes:
    """Return a path or a name as a snippet would send it, whatever this process's locale."""
    return text.encode("utf-8", "surrogateescape")


def mount_rows(table: bytes) -> Iterator[list[bytes]]:
    """Return the fields of each line of /proc/self/mounts, as they are written there."""
    for row in table.split(b"\n"):
        if row:
            yield row.split(b" ")


def plain(field: bytes) -> bytes:
    """Undo the octal escapes of blanks, tabs, line breaks, backslashes and `#`: getmntent(3)."""
    if b"\\" not in field:
        return field
    first, *rest = field.split(b"\\")
    return first + b"".join(_character(part) for part in rest)


def _character(part: bytes) -> bytes:
    digits = part[:3]
    if len(digits) == 3 and digits[0] in b"0123" and digits[1] in b"01234567" and digits[2] in b"01234567":
        return bytes((int(digits, 8),)) + part[3:]
    return b"\\" + part


def may_wait(paths: Iterable[bytes]) -> bool:
    """Whether a look at one of these paths may wait for another machine; also where the mounts are not known."""
    try:
        distant = _distant_points(whole("/proc/self/mounts"))
    except OSError:
        return True
    return bool(distant) and any(_leads_to(path, distant) for path in paths)


#: The table of mounts that was seen last, and what is distant in it.
_last_points: tuple[bytes, frozenset[bytes]] = (b"", frozenset())


def _distant_points(table: bytes) -> frozenset[bytes]:
    """Return where file systems of other machines are mounted; a table that is as it was is not taken apart again."""
    global _last_points
    seen, points = _last_points
    if table != seen:
        distant = [plain(fields[1]) for fields in mount_rows(table) if _distant(fields)]
        # A root file system that hangs has hung this program before. Those under /proc are this machine's own (lxcfs,
        # systemd's binfmt_misc).
        points = frozenset([point for point in distant if point != b"/" and not point.startswith(b"/proc/")])
        _last_points = (table, points)
    return points


def _distant(fields: list[bytes]) -> bool:
    return len(fields) > 2 and (fields[2] in DISTANT or fields[2].startswith(b"fuse."))


def _leads_to(path: bytes, points: frozenset[bytes]) -> bool:
    """Whether a path goes, by its own folders or by links, through one of these; none of them is touched."""
    at, links = b"", LINKS
    left = path.split(b"/")[::-1]
    while left and links:
        part = left.pop()
        if part in (b"", b"."):
            continue
        if part == b"..":
            at = at.rpartition(b"/")[0]
            continue
        here = at + b"/" + part
        if here in points:
            return True
        try:
            target = os.readlink(here)
        except OSError:
            at = here
            continue
        links -= 1
        at = b"" if target.startswith(b"/") else at
        left += target.split(b"/")[::-1]
    return False
