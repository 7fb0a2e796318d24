"""Where the monitor's store is: a private file on a disk of this machine, and the lock of its one writer.

Called by `connection` before SQLite opens anything, since SQLite follows links and asks nobody whose a file is.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from pathlib import Path

from infratest.errors import NoStore, StateError
from infratest.store.directory import GRACE, StateDir

FILE = "monitor.db"
#: What SQLite keeps beside a file: in WAL the log, and the memory that its processes share; before that a journal.
BESIDE = ("", "-wal", "-shm", "-journal")
MOUNTS = "/proc/self/mountinfo"
#: File systems of other machines, by their names in Linux' mountinfo: memory that is shared by mapping a file, as WAL
#: needs it, is there one of each machine (https://sqlite.org/wal.html, "all processes ... on the same host").
NETWORK = frozenset(
    "9p afs beegfs ceph cifs coda fuse.ceph fuse.cifs fuse.glusterfs fuse.rclone fuse.s3fs fuse.sshfs gfs gfs2 gpfs "
    "lustre ncpfs nfs nfs4 ocfs2 orangefs prl_fs smb2 smb3 smbfs vboxsf virtiofs".split()
)


def file_system(folder: str, mounts: str = MOUNTS) -> tuple[str, str]:
    """Return the type of the file system that a folder is on, and where that is mounted; two empty texts if unknown.

    Args:
        mounts: a file as Linux' /proc/self/mountinfo (proc(5)); where there is none, as on macOS, nothing is known.
    """
    try:
        lines = Path(mounts).read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return "", ""
    real, best = os.path.realpath(folder), ("", "")
    for line in lines:
        before, _, after = line.partition(" - ")
        words, kinds = before.split(" "), after.split(" ")
        if len(words) < 5:
            continue
        point = _unescaped(words[4])
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best[1]):  # of two on one folder the later one is seen
            best = (kinds[0], point)
    return best


def refuse_network(folder: str, mounts: str = MOUNTS) -> None:
    """Raise StateError where a folder is on a file system of another machine."""
    kind, point = file_system(folder, mounts)
    if kind in NETWORK:
        raise StateError(
            f"store: {folder} is on {kind} (mounted at {point}), where SQLite's write-ahead log does not work; put the "
            "state directory on a disk of this machine, with --state"
        )


def file_of(state: StateDir, *, make: bool) -> str:
    """Return the store's file: a plain one, ours alone, no link.

    Args:
        make: whether it is made where it is not there.
    Raises:
        NoStore: it is not there. StateError: it is none of that, or cannot be made.
    """
    path = state.file(FILE)
    try:
        if make and not os.path.lexists(path):
            # No file that is there is opened: to close it would let go of the locks that SQLite has on it (fcntl(2)).
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        for each in BESIDE:
            _refuse_foreign(path + each)
        os.lstat(path)
    except FileNotFoundError:
        raise NoStore(f"store: {path} is not there: no monitor has kept anything; infratest monitor run") from None
    except OSError as error:
        raise StateError(
            f"store: {path} could not be opened: {error.strerror}; name another place with --state"
        ) from error
    return path


def set_aside(path: str, now: float) -> str:
    """Rename a store's file and what SQLite keeps beside it, and return the new name.

    Raises:
        StateError: they cannot be renamed.
    """
    aside = f"{path}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}"
    number = 0
    while os.path.lexists(aside + (f".{number}" if number else "")):
        number += 1
    aside += f".{number}" if number else ""
    try:
        # The log first: behind a kill in between, a file without its log is there, and no log beside a new file.
        for each in reversed(BESIDE):
            if os.path.lexists(path + each):
                os.rename(path + each, aside + each)
    except OSError as error:
        raise StateError(
            f"store: {path} is damaged and could not be renamed: {error.strerror}; move it away"
        ) from error
    return aside


def aside(path: str) -> tuple[str, ...]:
    """Return where damaged stores lie that were set aside, the oldest first; what SQLite keeps beside them left out."""
    folder, _, name = path.rpartition("/")
    begin, beside = f"{name}.damaged-", tuple(filter(None, BESIDE))
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return ()
    return tuple(f"{folder}/{each}" for each in names if each.startswith(begin) and not each.endswith(beside))


class WriterLock:
    """The lock of the one who writes a store, held until it is closed; its file says who that is.

    Raises:
        StateError: another process holds it; the message has its process id.
    """

    def __init__(self, state: StateDir) -> None:
        path = state.file(f"{FILE}.lock")
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StateError(
                f"store: {path} could not be opened: {error.strerror}; name another place with --state"
            ) from error
        try:
            self._take(path)
        except BaseException:
            os.close(self._handle)
            raise

    def _take(self, path: str) -> None:
        end = time.monotonic() + GRACE
        while True:
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    holder = os.pread(self._handle, 100, 0).decode("ascii", "replace").strip() or "unknown"
                    raise StateError(
                        f"store: {path.removesuffix('.lock')} is written by another monitor, process {holder}: one "
                        "at a time; end that one, or name another state directory with --state"
                    ) from None
                time.sleep(0.05)
        try:
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            pass  # a full disk: it is held all the same, by one whom nobody can name

    def close(self) -> None:
        """Let go of it."""
        os.close(self._handle)


def writer(state: StateDir) -> str:
    """Return the process that holds the writer's lock of a state directory, or waits there; empty where none does."""
    try:
        handle = os.open(state.file(f"{FILE}.lock"), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (OSError, StateError):
        return ""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return ""
    except OSError:
        return os.pread(handle, 100, 0).decode("ascii", "replace").strip() or "unknown"
    finally:
        os.close(handle)


def _refuse_foreign(path: str) -> None:
    """Raise StateError where there is something of that name that is no plain file of ours."""
    try:
        info = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISREG(info.st_mode):
        raise StateError(f"store: {path} is no plain file (a link, or something else); move it away")
    if info.st_mode & 0o022:
        raise StateError(f"store: others could write {path} (mode {info.st_mode & 0o777:o}); chmod 600 it")


def _unescaped(text: str) -> str:
    """Return a mount point as it is: blanks and backslashes are written there in octal, as \\040."""
    for octal, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(octal, character)
    return text
