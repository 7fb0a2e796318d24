"""What can be said of the kind of a file, and of the bits setuid, setgid and sticky of its mode; links are followed."""

from __future__ import annotations

from infratest.steps._of_file import DIRECTORY, OfFile

from infratest.check import Seen
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.file import File

#: Of st_mode: inode(7).
BITS = {"setuid": 0o4000, "setgid": 0o2000, "sticky": 0o1000}


class FileKind(OfFile):
    """What stands at the path is of this kind, links followed."""

    kind: str = ""

    def look(self, file: File) -> Seen:
        return Seen(holds=file.kind == self.kind, saw=f"{self.subject} is a {file.kind}, mode {file.mode}")


@check(
    'the file "{path}" is a regular file',
    negation='the file "{path}" is not a regular file',
    example='the file "/etc/hosts" is a regular file',
)
def regular_file(path: str) -> FileKind:
    """It holds bytes of its own: no socket, pipe or device; links are followed."""
    return FileKind(path, "file", "file")


@check(
    'the file "{path}" is a socket',
    negation='the file "{path}" is not a socket',
    example='the file "/run/systemd/notify" is a socket',
)
def socket_file(path: str) -> FileKind:
    """It is a UNIX socket; whether anybody listens, `the socket "unix:PATH"` says."""
    return FileKind(path, "file", "socket")


@check(
    'the file "{path}" is a pipe',
    negation='the file "{path}" is not a pipe',
    example='the file "/run/initctl" is a pipe',
)
def pipe_file(path: str) -> FileKind:
    """It is a named pipe (FIFO)."""
    return FileKind(path, "file", "pipe")


@check(
    'the file "{path}" is a block device',
    negation='the file "{path}" is not a block device',
    example='the file "/dev/sda" is a block device',
)
def block_device_file(path: str) -> FileKind:
    """It is a file for a block device; what the kernel has of it, `the block device "PATH"` says."""
    return FileKind(path, "file", "block device")


@check(
    'the file "{path}" is a character device',
    negation='the file "{path}" is not a character device',
    example='the file "/dev/null" is a character device',
)
def character_device_file(path: str) -> FileKind:
    """It is a file for a character device."""
    return FileKind(path, "file", "character device")


class FileBit(OfFile):
    """One of the three bits of a mode beyond those that permit."""

    bit: str = ""

    def look(self, file: File) -> Seen:
        return Seen(holds=bool(int(file.mode, 8) & BITS[self.bit]), saw=f"{self.subject} has mode {file.mode}")


@check(
    'the file "{path}" has the setuid bit',
    negation='the file "{path}" does not have the setuid bit',
    example='the file "/usr/bin/passwd" has the setuid bit',
)
def setuid(path: str) -> FileBit:
    """Who starts the file runs it as its owner."""
    return FileBit(path, "file", "setuid")


@check(
    'the file "{path}" has the setgid bit',
    negation='the file "{path}" does not have the setgid bit',
    example='the file "/usr/bin/chage" has the setgid bit',
)
def setgid(path: str) -> FileBit:
    """Who starts the file runs it with its group."""
    return FileBit(path, "file", "setgid")


@check(
    'the directory "{path}" has the setgid bit',
    negation='the directory "{path}" does not have the setgid bit',
    example='the directory "/srv/share" has the setgid bit',
)
def directory_setgid(path: str) -> FileBit:
    """What is made in the directory belongs to its group."""
    return FileBit(path, DIRECTORY, "setgid")


@check(
    'the directory "{path}" has the sticky bit',
    negation='the directory "{path}" does not have the sticky bit',
    example='the directory "/tmp" has the sticky bit',
)
def sticky(path: str) -> FileBit:
    """In the directory none but its owner, a file's owner and root may remove or rename that file."""
    return FileBit(path, DIRECTORY, "sticky")
