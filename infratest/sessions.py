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
SIGHUP, SIGINT, SIGKILL, SIGTERM = 1, 2, 9, 15

#: Seconds that a killed program has to be gone.
LAST_WAIT = 2.0

#: Looks, for what was started between a look and its kills.
PASSES = 10


class signals_held:
    """While this lasts, SIGINT, SIGTERM and SIGHUP wait; the first that came is delivered at the end.

    For the moment in which a program is started: a signal that raises after the fork and before its process is known
    would leave it running with nobody to end it. The block must end inside the `try` that ends the process.
    """

    def __init__(self) -> None:
        self._signal: Any = __import__("_signal")
        self._before: dict[int, Any] = {}
        self._waiting = 0

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
        if self._waiting:
            self._signal.raise_signal(self._waiting)

    def _wait(self, number: int, frame: FrameType | None) -> None:
        self._waiting = self._waiting or number


def end_session(leader: int) -> None:
    """Kill what is left of the session that a child of ours leads and that has not been waited for yet.

    What has made a session of its own, as a daemon does, is not of it.
    """
    for _ in range(PASSES):
        if not [pid for pid in _running(leader) if _killed(pid)]:
            return


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


def _killed(pid: int) -> bool:
    try:
        os.kill(pid, SIGKILL)
    except (ProcessLookupError, PermissionError):  # gone just now; of another user, as sudo's programs are
        return False
    return True


def _running(session: int) -> list[int]:
    """Return the processes of a session that have not ended: state and session of proc(5), stat, fields 3 and 6."""
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
        if words[0] not in (b"Z", b"X") and int(words[3]) == session:
            found.append(int(name))
    return found
