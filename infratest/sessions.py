"""The processes of a session ended at once, also those in a process group of their own, as timeout(1) makes one.

Called by what runs programs on this machine and must leave nothing behind. On the plugin program's path.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess

SIGKILL = 9  # signal(7), alike on all of Linux; the module `signal` imports `enum`

#: Seconds that a killed program has to be gone.
LAST_WAIT = 2.0

#: Looks, for what was started between a look and its kills.
PASSES = 10


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
