"""Whether this process may have changed a host by any other way than `host`: told by Python's audit events.

Read by the prefetch, which must not believe what was fetched before such an act. A test may ask a service over HTTP,
run `ssh` or `ansible-playbook`, use another of testinfra's backends or a library of its own, or write into a folder
that the host shares. What connects, sends, spawns, kills or writes files in this process is an act, unless it is our
own doing (`ours`). A connection that stays open, or a child that runs on, can act without an event: `busy` is true as
long as there is one.

Not seen: a library in C that opens connections without Python's socket (some database drivers). Its acts are as those
of another machine: known to nobody here, and so bounded by the short time that answers are believed.
"""

from __future__ import annotations

import functools
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SPAWNS = frozenset("subprocess.Popen os.system os.exec os.fork os.forkpty os.posix_spawn os.spawn pty.spawn".split())
SENDS = frozenset("socket.connect socket.bind socket.sendto socket.sendmsg http.client.send os.kill os.killpg".split())
OF_FILES = frozenset(
    "open os.remove os.rename os.mkdir os.rmdir os.link os.symlink os.chmod os.chown os.truncate os.utime os.setxattr "
    "os.removexattr".split()
)
EVENTS = SPAWNS | SENDS | OF_FILES
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

#: testinfra's backends that spawn a program for each command, or connect by Python's own socket.
TELLING = frozenset(
    f"testinfra.backend.{name}"
    for name in "ansible chroot docker kubectl local lxc openshift paramiko podman ssh winrm".split()
)
#: Its messages go by a library in C.
SALT = "testinfra.backend.salt"

EVERYONE = 0


class Acts:
    """What was seen in this process.

    `count` grows with every act that is not ours.
    """

    def __init__(self) -> None:
        self.count = 0
        self._ours: list[int] = []
        self._open: set[tuple[int, int]] = set()
        self._spawned = False

    @contextmanager
    def ours(self, everyone: bool = False) -> Iterator[None]:
        """Count nothing that this thread does meanwhile; with `everyone` no other either, for a login starts some."""
        thread = EVERYONE if everyone else threading.get_ident()
        self._ours.append(thread)
        try:
            yield
        finally:
            self._ours.remove(thread)

    @property
    def busy(self) -> bool:
        """Whether something that this process has begun may still act without being seen."""
        return self._connected() or self._has_children() or _other_hosts()

    def seen(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of an audit event."""
        if event not in EVENTS or EVERYONE in self._ours or threading.get_ident() in self._ours:
            return
        if event in OF_FILES and _is_harmless(event, arguments):
            return
        self.count += 1
        self._spawned = self._spawned or event in SPAWNS
        if event == "socket.connect":
            self._open.add(_identity(arguments[0]))

    def _connected(self) -> bool:
        self._open = {each for each in self._open if _is_open(*each)}
        return bool(self._open)

    def _has_children(self) -> bool:
        if not self._spawned:
            return False
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True


@functools.cache
def watched() -> Acts:
    """Return the one that watches this process: an audit hook cannot be taken out again."""
    acts = Acts()
    sys.addaudithook(acts.seen)
    return acts


def waited() -> float:
    """Return a clock, in seconds, that stands while this thread works, or waits for a processor to work on.

    Where the system does not tell (its second number is the time in the run queue, in ns), it is the plain one.
    """
    now = time.monotonic()
    try:
        with open("/proc/thread-self/schedstat", "rb") as file:
            queued = int(file.read().split()[1])
    except (OSError, ValueError, IndexError):
        return now
    return now - time.thread_time() - queued / 1e9


def _is_harmless(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether it is but a look, a device, a descriptor that is open already, or a module that is being imported."""
    path, *_, flags = arguments
    if event == "open" and (isinstance(path, int) or not flags & WRITING):
        return True
    name = os.fsdecode(path) if isinstance(path, str | bytes) else str(path)
    return name.startswith("/dev/") or ".pyc" in name or "__pycache__" in name


def _identity(connected: socket.socket) -> tuple[int, int]:
    """Return descriptor and inode of a socket: TLS goes on with the same ones in another object."""
    descriptor = connected.fileno()
    try:
        return descriptor, os.fstat(descriptor).st_ino
    except OSError:
        return -1, 0


def _is_open(descriptor: int, inode: int) -> bool:
    try:
        return os.fstat(descriptor).st_ino == inode
    except OSError:
        return False


def _other_hosts() -> bool:
    """Whether there is a host of a backend whose doing is no event, and that somebody may have had do something.

    A host object alone does nothing: testinfra makes one of this machine where its Ansible module is imported.
    """
    host = sys.modules.get("testinfra.host")
    if host is None:
        return False
    try:
        several = [each for made in host.Host._hosts_cache.values() for each in made]
        return not all(_is_told(each.backend) for each in (*host.Host._host_cache.values(), *several))
    except AttributeError:  # another testinfra, of which this is not known
        return True


def _is_told(backend: Any) -> bool:
    """Whether all that a backend does is an event here: it spawns a program or connects; or it has done nothing yet."""
    if type(backend).__module__ in TELLING:
        return True
    return type(backend).__module__ == SALT and getattr(backend, "_client", backend) is None
