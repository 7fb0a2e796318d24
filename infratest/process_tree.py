"""Programs of this machine that leave nothing behind: begun with signals held, ended with all of their session.

Called by what runs programs here. On the plugin program's path.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from types import FrameType
    from typing import Any

#: signal(7), alike on all of Linux; the module `signal` imports `enum`.
SIGHUP, SIGINT, SIGKILL, SIGTERM, SIGSTOP = 1, 2, 9, 15, 19

#: Seconds that a killed program has to be gone.
LAST_WAIT = 2.0

#: Looks, for what was started between a look and its kills.
PASSES = 10


class signals_held:
    """While this lasts, SIGINT, SIGTERM and SIGHUP wait; they are delivered at the end, as they came.

    For the moment in which a program is started: a signal that raises after the fork and before its process is known
    would leave it running with nobody to end it. The block must end inside the `try` that ends the process.
    """

    def __init__(self) -> None:
        self._signal: Any = __import__("_signal")
        self._before: dict[int, Any] = {}
        self._waiting: list[int] = []

    def __enter__(self) -> None:
        for number in (SIGINT, SIGTERM, SIGHUP):
            handler = self._signal.getsignal(number)
            if callable(handler):  # one that is ignored stays so; the default ends us without a word, as it would
                try:
                    self._signal.signal(number, self._wait)
                except ValueError:
                    return  # in another thread than the main one no signal raises
                self._before[number] = handler

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            self._signal.signal(number, handler)
        for number in self._waiting:  # until one raises: of several the first may be one that nothing comes of
            self._signal.raise_signal(number)

    def _wait(self, number: int, frame: FrameType | None) -> None:
        self._waiting.append(number)


class Lifeline:
    """Has the kernel kill a process, or a group of them, when we are gone, however we ended.

    A pipe whose last writer goes sends a signal to whom it was told to (fcntl(2), F_SETSIG), as long as somebody holds
    its other end: those who are to be killed do. Where there is no F_SETSIG (no Linux) it does nothing.
    """

    def __init__(self) -> None:
        self._theirs, self._ours = os.pipe()

    @property
    def pass_fds(self) -> tuple[int, ...]:
        """What the program to be killed must hold."""
        return (self._theirs,)

    def taken_over(self) -> None:
        """In a process forked from us: die with the one that forked it."""
        import select

        os.close(self._ours)
        self.holds(os.getpid())
        if select.select([self._theirs], [], [], 0)[0]:  # it is gone already
            os._exit(0)

    def holds(self, pid: int) -> None:
        """Kill this process with us, or the group of this number made negative."""
        import fcntl

        if hasattr(fcntl, "F_SETSIG"):
            fcntl.fcntl(self._theirs, fcntl.F_SETSIG, SIGKILL)
            fcntl.fcntl(self._theirs, fcntl.F_SETOWN, pid)
            self._ask(fcntl, True)

    def let_go(self) -> None:
        """Let what still runs outlive us: a service that the program has started holds the pipe, too."""
        import fcntl

        self._ask(fcntl, False)
        for handle in (self._theirs, self._ours):
            os.close(handle)

    def _ask(self, fcntl: Any, wanted: bool) -> None:
        flags = fcntl.fcntl(self._theirs, fcntl.F_GETFL) & ~os.O_ASYNC if hasattr(os, "O_ASYNC") else None
        if flags is not None:
            fcntl.fcntl(self._theirs, fcntl.F_SETFL, flags | os.O_ASYNC if wanted else flags)


def end_session(leader: int) -> None:
    """Kill what is left of the session that a child of ours leads and that has not been waited for yet.

    What has made a session of its own, as a daemon does, is not of it.
    """
    for _ in range(PASSES):
        if not [pid for pid in _running(leader) if _signalled(pid, SIGKILL)]:
            return


def started(pid: int) -> str:
    """Return when a process began, in ticks since the boot (proc(5), stat, field 22); empty where there is none.

    With its number it tells a process from a later one of the same number.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            words = file.read().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if words[0] in (b"Z", b"X") else words[19].decode("ascii")


def end_tree(root: int) -> None:
    """Kill a child of ours that has not been waited for yet, and all that it and they have started, in any session.

    Each is stopped before its children are looked for: it can start none in between.
    """
    stopped: list[int] = []
    for _ in range(PASSES):
        new = [pid for pid in _descendants(root) if pid not in stopped]
        stopped += [pid for pid in new if _signalled(pid, SIGSTOP)]
        if not new:
            break
    for pid in stopped or [root]:
        _signalled(pid, SIGKILL)


def reap(process: subprocess.Popen[bytes]) -> None:
    """Wait for a program that was killed, and no longer than LAST_WAIT.

    A signal that raised while Popen waited may have left its lock taken (it takes it right before a `try`): then it
    would never see the end.
    """
    import subprocess

    try:
        process.wait(LAST_WAIT)
    except subprocess.TimeoutExpired:
        pass


def _signalled(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):  # gone just now; of another user, as sudo's programs are
        return False
    return True


def _running(session: int) -> list[int]:
    """Return the processes of a session that have not ended."""
    return [pid for pid, _, of in _processes() if of == session]


def _descendants(root: int) -> list[int]:
    """Return a process and all below it."""
    processes, below = _processes(), [root]
    for parent in below:  # it grows while it is walked
        below += [pid for pid, of, _ in processes if of == parent]
    return below


def _processes() -> list[tuple[int, int, int]]:
    """Return pid, parent and session of every process that has not ended: proc(5), stat, fields 1, 4 and 6."""
    try:
        names = os.listdir("/proc")
    except FileNotFoundError:  # no Linux
        return []
    found = []
    for name in names:
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                words = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if words[0] not in (b"Z", b"X"):
            found.append((int(name), int(words[1]), int(words[3])))
    return found
