"""Folders of machines under QEMU: one a machine, all those of a user in one place, found without a state directory.

`machine.json` is written before anything of a machine is made and is removed last, so that whatever a run that was
killed left behind is found by its labels. Whether a machine runs is seen by the lock on its file `alive`: QEMU is
started with that file open and locked, and lets go of it only by ending, however it ends. So a number of a process
that stands in the file `pid` is believed only while the lock is held.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from time import sleep

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.json_text import loads

RECORD = "machine.json"

#: Longest path of a unix socket that every system takes (unix(7): 108 with its end; 104 on macOS).
SOCKET_PATH = 103

LOOK = 1.0  # seconds that others may hold the lock to look at it
PAUSE = 0.02  # seconds between two looks at a lock


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is written down of a machine before it is made. It never changes.

    Args:
        kind: `host`, or `image` while one is kept warm. network: what the hosts of its stack have in common. labels: of
        its lease. mac: of its second card.
        address: of that card, with the network's size, as 10.1.2.3/24. group: where the cards of a stack's hosts meet.
        disks: sizes of further disks, in bytes. image: its id. kernel, initrd, command_line: empty where the disk
        starts by its own boot loader.
    """

    id: str
    name: str
    network: str
    labels: Mapping[str, str]
    image: str
    memory: int
    cpus: int
    mac: str
    address: str
    group: str
    disks: tuple[int, ...] = ()
    kernel: str = ""
    initrd: str = ""
    command_line: str = ""
    kind: str = "host"


class Folder:
    """One machine's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.disk = path / "disk.qcow2"
        self.seed = path / "seed.iso"
        self.serial = path / "serial.log"
        self.qmp = path / "qmp"
        self.pid = path / "pid"
        self.port = path / "port"  # with .in and .out: the virtio serial port infratest.seed
        self.suspended = path / "suspended"

    def __fspath__(self) -> str:
        return str(self.path)

    def extra_disk(self, number: int) -> Path:
        return self.path / f"disk-{number}.qcow2"

    def disks(self, record: Record) -> list[Path]:
        """Return its disks, the first one first."""
        return [self.disk, *(self.extra_disk(number) for number in range(1, len(record.disks) + 1))]

    def record(self) -> Record | None:
        """Return what is written down of it; None where there is nothing, so that it is no machine (any more).

        Raises:
            ProviderError: it cannot be read.
        """
        path = self.path / RECORD
        try:
            values = loads(path.read_text("utf-8"))
            return Record(**{**values, "disks": tuple(values["disks"])})
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ProviderError(
                f"{path} cannot be read: {error}; where no such machine runs, remove {self.path}"
            ) from error

    def begin(self, record: Record) -> None:
        """Make the folder with its record, at once. Raises ProviderError: it cannot be written."""
        if len(os.fsencode(self.qmp)) > SOCKET_PATH:
            raise ProviderError(
                f"{self.qmp}: the path is too long for a socket; name a shorter folder with XDG_STATE_HOME"
            )
        temporary = self.path.with_name(f".{self.path.name}.new")
        try:
            temporary.mkdir(mode=0o700, parents=True)
            (temporary / RECORD).write_text(json.dumps(asdict(record)), "utf-8")
            (temporary / "alive").touch(mode=0o600)
            temporary.rename(self.path)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise ProviderError(f"{self.path} cannot be written: {error.strerror}; is the disk full?") from error

    def remove(self) -> None:
        """Remove all of it, its record last. Raises ProviderError: it cannot be removed."""
        try:
            for path in self.path.iterdir():
                if path.name != RECORD:
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
            (self.path / RECORD).unlink(missing_ok=True)
            self.path.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            raise ProviderError(f"{self.path} cannot be removed: {error.strerror}") from error

    @contextmanager
    def busy(self, deadline: Deadline) -> Iterator[None]:
        """Hold the machine for a verb that changes it: of several at once, each waits for the one before."""
        try:
            handle = os.open(self.path / "busy", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ProviderError(f"there is no machine {self.path.name} (any more): {error.strerror}") from error
        try:
            while not _locked(handle, fcntl.LOCK_EX):
                if deadline.passed:
                    raise ProviderError(
                        f"machine {self.path.name}: another infratest has been at work on it for too long"
                    )
                sleep(PAUSE)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def life(self, deadline: Deadline) -> Iterator[int]:
        """Hold the lock that says `it runs`, as a file descriptor to be handed to QEMU, whose it is from then on.

        Raises:
            ProviderError: it runs already.
        """
        handle = os.open(self.path / "alive", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            limit = deadline.at_most(LOOK)
            while not _locked(handle, fcntl.LOCK_EX):  # somebody may be looking whether it runs
                if limit.passed:
                    raise ProviderError(f"machine {self.path.name} runs already")
                sleep(PAUSE)
            yield handle
        finally:
            os.close(handle)

    def runs(self) -> bool:
        """Say whether its QEMU is there."""
        try:
            handle = os.open(self.path / "alive", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise ProviderError(f"{self.path}: it cannot be told whether the machine runs: {error.strerror}") from error
        try:
            return not _locked(handle, fcntl.LOCK_SH)
        finally:
            os.close(handle)

    def ended(self, deadline: Deadline) -> bool:
        """Wait until its QEMU is gone; say whether it is."""
        while self.runs():
            if deadline.passed:
                return False
            sleep(min(PAUSE, deadline.left))
        return True

    def kill(self, deadline: Deadline) -> None:
        """End its QEMU without asking it; fine where it does not run.

        Raises:
            ProviderError: it does not end.
        """
        limit = deadline.at_most(10)
        while self.runs():
            with suppress(ProcessLookupError, FileNotFoundError, ValueError):
                # While the lock is held, the process that wrote its number here lives: it is the one that holds it.
                os.kill(int(self.pid.read_text("ascii")), signal.SIGKILL)
            if self.ended(limit.at_most(0.2)):
                return
            if limit.passed:
                raise ProviderError(f"machine {self.path.name}: its QEMU (process number in {self.pid}) does not end")


def _locked(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def root() -> Path:
    """Return where the machines of this user are, whatever stack they are of: XDG_STATE_HOME, else ~/.local/state."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "infratest" / "qemu"


def folder(identity: str) -> Folder:
    """Return a machine's folder by its id, which is there or not."""
    return Folder(root() / Path(identity).name)


def machines() -> list[tuple[Folder, Record]]:
    """Return every machine of this user. Raises ProviderError: it cannot be told which there are."""
    found = []
    try:
        paths = sorted(root().iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ProviderError(f"{root()}: it cannot be told which machines there are: {error.strerror}") from error
    for path in paths:
        if not path.name.startswith("."):
            one = Folder(path)
            record = one.record()
            if record is not None:
                found.append((one, record))
    return found


@contextmanager
def registry() -> Iterator[None]:
    """Hold the lock under which machines are added, so that two never choose the same address."""
    try:
        root().mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(root() / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ProviderError(
            f"machines are kept in {root()}, which cannot be written: {error.strerror}; name another folder with "
            "XDG_STATE_HOME"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
