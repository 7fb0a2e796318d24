"""When the last drill of an environment has had something broken, in `drill.json`: who looks meanwhile sees its doing.

Written by the drill, before it breaks anything and once that is undone; read by whoever counts failures.
"""

from __future__ import annotations

import os

from infratest.json_text import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.store.directory import StateDir

FILE = "drill.json"


def begin(state: StateDir, env: str, at: float) -> None:
    """Write down that this process is about to break something. Args: at: in seconds since the epoch.

    Raises:
        StateError: not writable, or the disk is full.
    """
    from infratest.process_tree import started

    pid = os.getpid()
    state.write(FILE, dumps({"env": env, "began": at, "pid": pid, "started": started(pid)}) + "\n")


def end(state: StateDir, env: str, began: float, at: float) -> None:
    """Write down that what it has broken is undone, as far as it can be; else as `begin`."""
    state.write(FILE, dumps({"env": env, "began": began, "ended": at}) + "\n")


def during(state: StateDir, env: str, at: float) -> bool:
    """Whether a drill had something broken at a time. Of one that was killed nobody knows, and it is taken for over."""
    try:
        with open(state.file(FILE), encoding="utf-8") as file:
            known = loads(file.read())
        if known["env"] != env or at < known["began"]:
            return False
        if "ended" in known:
            return bool(at <= known["ended"])
        from infratest.process_tree import started

        return bool(known["started"]) and started(int(known["pid"])) == known["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return False  # there was none, or nobody can say
