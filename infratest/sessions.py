"""The processes of a session ended at once, also those in a process group of their own, as timeout(1) makes one.

Called by what runs programs on this machine and must leave nothing behind. On the plugin program's path.
"""

from __future__ import annotations

import os

SIGKILL = 9  # signal(7), alike on all of Linux; the module `signal` imports `enum`

#: Looks, for what was started between a look and its kills.
PASSES = 10


def end_session(leader: int) -> None:
    """Kill what is left of the session that a child of ours leads and that has not been waited for yet.

    What has made a session of its own, as a daemon does, is not of it.
    """
    for _ in range(PASSES):
        if not [pid for pid in _running(leader) if _killed(pid)]:
            return


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
