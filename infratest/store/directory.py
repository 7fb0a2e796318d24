"""The state directory of a stack: where it is, its lock, and files of JSON lines that survive a kill in mid-write.

Used by the lifecycle (journal), events, heal (audit, counts) and `status`. Nothing is made until something is written:
a check runs without one. On the plugin program's path: `pathlib`, `contextlib` and `json` are not imported for it.
"""

from __future__ import annotations

import fcntl
import os
import time

from infratest import state_id
from infratest.cleaning import clean
from infratest.errors import InUse, StateError, UserError
from infratest.json_text import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    #: Number, text and record of a line; None where it is no record.
    Line = tuple[int, str, dict[str, Any] | None]

NAME, SYSTEM = state_id.BESIDE, state_id.SYSTEM

#: Seconds that every lock is waited for: a child of a killed run holds it a moment longer, between its fork and exec.
GRACE = 0.5
#: Seconds that records are kept at least, where nothing is set.
AGE = 30 * 86400.0


def kept_size(default: int) -> int:
    """Return the bytes after which a file of records is begun anew: INFRATEST_KEEP_SIZE (as `16MiB`), else as given.

    Raises:
        StateError: it is no size.
    """
    text = os.environ.get("INFRATEST_KEEP_SIZE")
    return int(_set("INFRATEST_KEEP_SIZE", text, "size")) if text else default


def kept_age() -> float:
    """Return the seconds after which it is, too: INFRATEST_KEEP_AGE (as `30 days`), else a month. Raises StateError."""
    text = os.environ.get("INFRATEST_KEEP_AGE")
    return _set("INFRATEST_KEEP_AGE", text, "time") if text else AGE


def _set(name: str, text: str, dimension: str) -> float:
    from infratest.units import quantity

    try:
        value = quantity(text, dimension, name)
    except UserError as error:
        raise StateError(str(error)) from None
    if value <= 0:
        raise StateError(f"{name} is {text!r}: nothing could be kept; write more than zero, as 16MiB or 30 days")
    return value


def locate(given: str | None, folder: Path, stack: str) -> StateDir:
    """Return the state directory: as given, `.infratest` beside the stack file, or the system's where that cannot be.

    Args:
        given: `--state` or INFRATEST_STATE, or None. folder: of the stack file. stack: its name.
    """
    if given:
        return StateDir(given)
    beside = folder / NAME
    if os.access(beside if beside.exists() else folder, os.W_OK | os.X_OK):
        return StateDir(beside)
    return StateDir(f"{SYSTEM}/{stack}")


def owner() -> str:
    """Return whose resources are made here: INFRATEST_OWNER, else user@host."""
    given = os.environ.get("INFRATEST_OWNER")
    if given:
        return given
    from getpass import getuser
    from socket import gethostname

    try:
        return f"{getuser()}@{gethostname()}"
    except (OSError, KeyError):  # no such uid in the passwd database
        return f"{os.getuid()}@{gethostname()}"


class _Open:
    """A lock that is held until the block ends: of an open file, by flock(2)."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def __enter__(self) -> None:
        fcntl.flock(self._handle, fcntl.LOCK_EX)

    def __exit__(self, *raised: object) -> None:
        os.close(self._handle)


class _Whole:
    """The lock of the whole directory, while the block lasts; the process that holds it may take it again inside."""

    def __init__(self, state: StateDir, wait: float, purpose: str) -> None:
        self._state, self._wait, self._purpose = state, wait, purpose

    def __enter__(self) -> None:
        self._state.take(self._wait, self._purpose)

    def __exit__(self, *raised: object) -> None:
        self._state.release()


class StateDir:
    """One directory, private to its user.

    Args:
        path: where it is or will be; a relative one is of the current directory.
    """

    def __init__(self, path: str | Path) -> None:
        self.folder = os.path.join(os.getcwd(), path)
        self._depth = 0
        self._held = -1

    @property
    def path(self) -> Path:
        """The directory, as a path."""
        from pathlib import Path

        return Path(self.folder)

    def file(self, name: str) -> str:
        """Return where a file of the directory is, there or not."""
        return os.path.join(self.folder, name)

    @property
    def exists(self) -> bool:
        return os.path.isdir(self.folder)

    def make(self) -> None:
        """Make the directory (0700) if it is not there.

        Raises:
            StateError: it cannot be made, is another user's, or others could write it.
        """
        try:
            os.makedirs(self.folder, 0o700, exist_ok=True)
            info = os.stat(self.folder)
        except OSError as error:
            raise StateError(self._words("made", error)) from error
        if info.st_mode & 0o022:
            raise StateError(
                f"state directory {self.folder}: others could write it (mode {info.st_mode & 0o777:o}); chmod 700 it, "
                "or name another with --state"
            )
        if info.st_uid not in (os.geteuid(), 0):
            from infratest.user_name import user_name

            name = user_name(info.st_uid)
            raise StateError(
                f"state directory {self.folder}: is of user {name}, who cannot use what others write there: run it as "
                f"that user, as with `sudo -u {name}`, or name another with --state"
            )

    @property
    def id(self) -> str:
        """The random id that leases of this state carry; made at first use. Raises StateError."""
        self.make()
        try:
            if not os.path.lexists(self.file(state_id.NAME)):
                self._first_id()
        except OSError as error:
            raise StateError(self._words("read", error)) from error
        return state_id.read(self.folder)

    def forget_id(self) -> None:
        """Remove the id, which nothing may carry; called under the lock. The next use makes another one."""
        _remove(self.file(state_id.NAME))

    def _first_id(self) -> None:
        """Make the id, whole and once: of two processes at it together both must carry the same one ever after."""
        made = self.file(f"id.{os.getpid()}.{os.urandom(4).hex()}")
        self.write(os.path.basename(made), os.urandom(8).hex() + "\n")
        try:
            os.link(made, self.file("id"))
        except FileExistsError:
            pass
        finally:
            _remove(made)

    def lock_of(self, name: str) -> _Open:
        """Return the lock of one file, to be held for a moment: for those who must not wait for an `up` to end.

        Raises:
            StateError: its lock file cannot be made.
        """
        self.make()
        try:
            return _Open(
                os.open(self.file(f"{name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            )
        except OSError as error:
            raise StateError(self._words("opened", error, f"{name}.lock")) from error

    def lock(self, wait: float = 0.0, purpose: str = "") -> _Whole:
        """Return the stack's lock, to be held while a block lasts.

        Args:
            wait: seconds to wait for another holder. purpose: what for, told to the one who is kept waiting.
        Raises:
            InUse: as the block begins: somebody else holds it; the message says who and what for.
            StateError: then too: it cannot be made or written.
        """
        return _Whole(self, wait, purpose)

    def take(self, wait: float, purpose: str) -> None:
        """Take the stack's lock, once more where it is held already. For `lock`."""
        if self._depth == 0:
            self._held = self._take(wait, purpose)
        self._depth += 1

    def release(self) -> None:
        """Let go of the stack's lock as often as it was taken. For `lock`."""
        self._depth -= 1
        if self._depth == 0:
            os.close(self._held)

    def _take(self, wait: float, purpose: str) -> int:
        self.make()
        try:
            handle = os.open(self.file("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(self._words("locked", error)) from error
        end = time.monotonic() + max(wait, GRACE)
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    holder = os.read(handle, 200).decode("utf-8", "replace").strip() or "another process"
                    os.close(handle)
                    raise InUse(
                        f"state directory {self.folder} is in use by {holder}: wait for it to end, "
                        "or name another with --state"
                    ) from None
                time.sleep(0.05)
        try:
            os.ftruncate(handle, 0)
            os.write(handle, f"process {os.getpid()} ({purpose or 'infratest'})\n".encode())
        except OSError as error:  # a full disk: the lock itself is held all the same
            os.close(handle)
            raise StateError(self._words("written", error)) from error
        return handle

    def append(self, name: str, *records: Mapping[str, Any]) -> None:
        """Add records to a file of JSON lines and have them on the disk before this returns.

        Raises:
            StateError: not writable, or the disk is full.
        """
        text = "".join([dumps(record) + "\n" for record in records])
        self.make()
        try:
            handle = os.open(self.file(name), os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                size = os.fstat(handle).st_size
                torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
                data = (("\n" if torn else "") + text).encode("utf-8", "replace")
                while data:
                    data = data[os.write(handle, data) :]
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise StateError(self._words("written", error, name)) from error

    def read(self, name: str, *, whole: bool = False) -> list[dict[str, Any]]:
        """Return the records of a file of JSON lines; none where it is not there. A line that was torn is left out.

        Args:
            whole: each of the others must be a record: one that cannot be read may have said anything.
        Raises:
            StateError: the file cannot be read, or is damaged where it must be whole.
        """
        lines = self._lines(name)
        for number, line in _damaged(lines) if whole else ():
            raise StateError(f"state directory: {self.file(name)}:{number} is damaged: {clean(line, 80)!r}")
        return [record for _, _, record in lines if record is not None]

    def damaged(self, name: str) -> list[tuple[int, str]]:
        """Return number and text of each line that is no record and was not merely torn. Raises StateError."""
        return _damaged(self._lines(name))

    def set_aside(self, name: str, aside: str) -> None:
        """Put the damaged lines of a file into another one, as they are, and keep the rest. Raises StateError."""
        damaged = [line for _, line in self.damaged(name)]
        kept = [line for _, line, record in self._lines(name) if record is not None]
        before = "".join(line + "\n" for _, line, _ in self._lines(aside) if line)
        self.write(aside, before + "".join(line + "\n" for line in damaged))
        self.write(name, "".join(line + "\n" for line in kept))

    def _lines(self, name: str) -> list[Line]:
        """Return number, text and record of each line; None where it is no record. None at all without a file."""
        try:
            with open(self.file(name), "rb") as file:
                text = file.read().decode("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StateError(self._words("read", error, name)) from error
        found = []
        for number, line in enumerate(text.split("\n"), 1):
            try:
                record = loads(line)
            except ValueError:
                record = None
            found.append((number, line, record if isinstance(record, dict) else None))
        return found

    def outgrown(self, name: str, size: int, age: float, now: float) -> bool:
        """Whether a file of JSON lines is larger than so many bytes, or its first record older than so many seconds."""
        try:
            with open(self.file(name), "rb") as file:
                if os.fstat(file.fileno()).st_size >= size:
                    return True
                first = loads(file.readline(1 << 20))
            return now - float(first["time"]) > age
        except (OSError, ValueError, TypeError, KeyError):
            return False

    def begin_anew(self, name: str, old: str, records: Iterable[Mapping[str, Any]]) -> None:
        """Keep a file under its old name, in the place of the one there, and begin a new one with these records.

        Raises:
            StateError: not writable, or the disk is full.
        """
        text = "".join([dumps(record) + "\n" for record in records])
        try:
            # The file itself stays until the new one takes its place: a kill in between loses nothing.
            _remove(self.file(old))
            os.link(self.file(name), self.file(old))
        except OSError as error:
            raise StateError(self._words("kept", error, old)) from error
        self.write(name, text)

    def write(self, name: str, text: str, mode: int = 0o600) -> None:
        """Replace a file whole: a reader sees the old or the new one, never half.

        Raises:
            StateError: not writable, or the disk is full.
        """
        self.make()
        path = self.file(name)
        folder, base = os.path.split(path)
        temporary = os.path.join(folder, f".{base}.{os.getpid()}")
        try:
            if folder != self.folder:
                os.makedirs(folder, 0o700, exist_ok=True)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
            with open(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(handle)
            os.replace(temporary, path)
        except OSError as error:
            _remove(temporary)
            raise StateError(self._words("written", error, name)) from error

    def _words(self, verb: str, error: OSError, name: str = "") -> str:
        path = self.file(name) if name else self.folder
        return f"state directory: {path} could not be {verb}: {error.strerror}; name another with --state"


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # where nothing could be made there is nothing to remove


def _damaged(lines: Sequence[Line]) -> list[tuple[int, str]]:
    """Return number and text of each line that is no record and not what a kill in mid-write leaves.

    Such a kill leaves nothing, the beginning of a record, or blocks that were never written. Where these are all there
    is, they may stand for anything: a file system that lost its power can leave a whole file as that.
    """
    some = any(record is not None for _, _, record in lines)

    def torn(line: str) -> bool:
        return not line.strip("\0" if some else "") or (line.startswith("{") and not line.endswith("}"))

    return [(number, line) for number, line, record in lines if record is None and not torn(line)]
