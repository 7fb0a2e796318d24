"""The state directory of a stack: where it is, its lock, and files of JSON lines that survive a kill in mid-write.

Used by the lifecycle (journal), events, heal (audit, counts) and `status`. Nothing is made until something is written:
a check runs without one.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from infratest.errors import StateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

NAME = ".infratest"
SYSTEM = Path("/var/lib/infratest")

#: Seconds that every lock is waited for: a child of a killed run holds it a moment longer, between its fork and exec.
GRACE = 0.5


def locate(given: str | None, folder: Path, stack: str) -> StateDir:
    """Return the state directory: as given, `.infratest` beside the stack file, or the system's where that cannot be.

    Args:
        given: `--state` or INFRATEST_STATE, or None. folder: of the stack file. stack: its name.
    """
    if given:
        return StateDir(Path(given))
    beside = folder / NAME
    if os.access(beside if beside.exists() else folder, os.W_OK | os.X_OK):
        return StateDir(beside)
    return StateDir(SYSTEM / stack)


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


class StateDir:
    """One directory, private to its user."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._depth = 0
        self._held: int | None = None

    @property
    def exists(self) -> bool:
        return self.path.is_dir()

    def make(self) -> Path:
        """Make the directory (0700) if it is not there, and return it.

        Raises:
            StateError: it cannot be made, or others could write it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            info = self.path.stat()
        except OSError as error:
            raise StateError(self._words("made", error)) from error
        if info.st_uid not in (os.getuid(), 0) or info.st_mode & 0o022:
            raise StateError(
                f"state directory {self.path}: others could write it (owner {info.st_uid}, mode "
                f"{info.st_mode & 0o777:o}); chmod 700 it, or name another with --state"
            )
        return self.path

    @property
    def id(self) -> str:
        """The random id that leases of this state carry; made at first use."""
        path = self.make() / "id"
        try:
            if not path.exists():
                self._first_id(path)
            return path.read_text(encoding="ascii").strip()
        except OSError as error:
            raise StateError(self._words("read", error)) from error

    def _first_id(self, path: Path) -> None:
        """Make the id, whole and once: of two processes at it together both must carry the same one ever after."""
        made = self.write(f"id.{os.getpid()}.{os.urandom(4).hex()}", os.urandom(8).hex() + "\n")
        try:
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink(missing_ok=True)

    @contextmanager
    def lock(self, wait: float = 0.0, purpose: str = "") -> Iterator[None]:
        """Hold the stack's lock; the same process may take it again inside.

        Args:
            wait: seconds to wait for another holder. purpose: what for, told to the one who is kept waiting.
        Raises:
            StateError: somebody else holds it; the message says who and what for.
        """
        if self._depth == 0:
            self._held = self._take(wait, purpose)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0 and self._held is not None:
                os.close(self._held)
                self._held = None

    def _take(self, wait: float, purpose: str) -> int:
        path = self.make() / "lock"
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
                    raise StateError(
                        f"state directory {self.path} is in use by {holder}: wait for it to end, "
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
        text = "".join(json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n" for record in records)
        path = self.make() / name
        try:
            handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
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

    def read(self, name: str) -> list[dict[str, Any]]:
        """Return the records of a file of JSON lines; none where it is not there. A line that was torn is left out."""
        try:
            text = (self.path / name).read_bytes().decode("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StateError(self._words("read", error, name)) from error
        records = []
        for line in text.split("\n"):
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                records.append(record)
        return records

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        """Replace a file whole: a reader sees the old or the new one, never half."""
        path = self.make() / name
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            with suppress(OSError):  # where nothing could be made there is nothing to remove
                temporary.unlink()
            raise StateError(self._words("written", error, name)) from error
        return path

    def _words(self, verb: str, error: OSError, name: str = "") -> str:
        path = self.path / name if name else self.path
        return f"state directory: {path} could not be {verb}: {error.strerror}; name another with --state"
