"""The one place that talks to libvirtd: calls that keep a deadline, and errors in our words.

libvirt's calls block for as long as the daemon does. Each runs in a thread of its own, which is left behind when the
deadline passes: libvirt-python lets go of the interpreter's lock, and a connection may be used by several threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError

T = TypeVar("T")

#: The daemon of this machine that may make networks: what a host needs to have an address of its own.
SYSTEM = "qemu:///system"

GROUP = "your user must be in the group libvirt: usermod -aG libvirt USER, and log in again"

#: Part of what libvirt says -> what to do.
ADVICE = (
    ("Failed to connect socket", "is libvirtd running? `systemctl start libvirtd`; on Debian: apt-get install "
     "libvirt-daemon-system"),
    ("authentication unavailable", GROUP),
    ("access denied", GROUP),
    ("Unable to get system bus connection", GROUP),
    ("Cannot access storage file", "was its disk removed? `destroy` of this stack, then `up`, make it anew"),
    ("KVM kernel module: Permission denied", "QEMU's user must read and write /dev/kvm (on Debian `usermod -aG kvm "
     "libvirt-qemu`); or say `accelerator: tcg`, which is slow"),
    ("Permission denied", "the pool's folder must be one that QEMU's user may enter (mode 0755)"),
    ("cannot set up guest memory", "the machine has not so much memory free: give the host less, as memory: 256MiB"),
    ("Cannot allocate memory", "the machine has not so much memory free: give the host less, as memory: 256MiB"),
    ("No space left on device", "make room on the disk that holds the pool; `infratest box list` shows images"),
)  # fmt: skip


def module() -> Any:
    """Return libvirt's own module. Raises ProviderError: it is not installed."""
    try:
        import libvirt
    except ImportError as error:
        raise ProviderError(
            f"provider libvirt needs libvirt's module ({error}); pip install 'infratest[libvirt]', which "
            "on Debian needs libvirt-dev, gcc and python3-dev"
        ) from error
    libvirt.registerErrorHandler(lambda _, error: None, None)  # else each error is written to standard error too
    return libvirt


class Daemon:
    """A connection to libvirtd, opened at the first call, for all threads."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._lock = threading.Lock()
        self._connection: Any = None

    def ask(self, what: str, work: Callable[[Any], T], deadline: Deadline) -> T:
        """Run some calls on the connection and return what comes of them.

        Args:
            what: is done, for messages. work: is handed libvirt's connection.
        Raises:
            ProviderError: libvirt refuses, or does not answer before the deadline.
        """
        done: list[T] = []
        failed: list[Exception] = []

        def run() -> None:
            try:
                done.append(work(self._opened()))
            except (InfratestError, OSError) as error:
                failed.append(error)
            except module().libvirtError as error:
                failed.append(self._worded(what, error))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        while thread.is_alive() and not deadline.passed:
            thread.join(min(0.05, max(deadline.left, 0.001)))
        if thread.is_alive():
            raise ProviderError(f"libvirt at {self._uri}: {what}: no answer before the deadline")
        if failed:
            raise failed[0]
        if not done:
            raise InfratestError(f"{what}: ended by a defect in infratest; its traceback stands above")
        return done[0]

    def _opened(self) -> Any:
        with self._lock:
            if self._connection is None:
                self._connection = module().open(self._uri)
            return self._connection

    def _worded(self, what: str, error: Exception) -> ProviderError:
        with self._lock:  # one that broke is opened anew by the next call
            if self._connection is not None and not self._connection.isAlive():
                self._connection = None
        words = clean(str(error), 600)
        advice = next((advice for text, advice in ADVICE if text in words), "")
        return ProviderError(f"libvirt at {self._uri}: {what}: {words}" + (f"; {advice}" if advice else ""))


def absent(error: Exception) -> bool:
    """Return whether an error of libvirt says that the thing is not there (any more)."""
    libvirt = module()
    codes = (
        libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_NO_NETWORK, libvirt.VIR_ERR_NO_STORAGE_POOL,
        libvirt.VIR_ERR_NO_STORAGE_VOL, libvirt.VIR_ERR_NO_DOMAIN_METADATA, libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT,
    )  # fmt: skip
    return isinstance(error, libvirt.libvirtError) and error.get_error_code() in codes


def found(look: Callable[..., T], *arguments: Any) -> T | None:
    """Return what a look-up of libvirt finds, None where it is not there."""
    try:
        return look(*arguments)
    except module().libvirtError as error:
        if absent(error):
            return None
        raise


def unless_gone(work: Callable[..., Any], *arguments: Any) -> None:
    """Do it; fine if the thing is gone, or not running, by now."""
    libvirt = module()
    try:
        found(work, *arguments)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise
