"""When drills have had something broken, in `drill.json`: who looks meanwhile sees their doing.

The last one of each environment of a stack is kept. Written by the drill, before it breaks anything and once that is
undone; read by whoever counts failures.
"""

from __future__ import annotations

import os

from infratest.json_text import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from infratest.model import Place
    from infratest.store.directory import StateDir

FILE = "drill.json"


def begin(state: StateDir, place: Place, at: float) -> None:
    """Write down that this process is about to break something. Args: at: in seconds since the epoch.

    Raises:
        StateError: not writable, or the disk is full.
    """
    from infratest.process_tree import started

    pid = os.getpid()
    _keep(state, place, {"began": at, "pid": pid, "started": started(pid)})


def end(state: StateDir, place: Place, began: float, at: float) -> None:
    """Write down that what it has broken is undone, as far as it can be; else as `begin`."""
    _keep(state, place, {"began": began, "ended": at})


def during(state: StateDir, place: Place, at: float) -> bool:
    """Whether a drill had something broken at a time. Of one that was killed nobody knows, and it is taken for over."""
    try:
        known = _all(state)[place]
        if at < known["began"]:
            return False
        if "ended" in known:
            return bool(at <= known["ended"])
        from infratest.process_tree import started

        return bool(known["started"]) and started(int(known["pid"])) == known["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return False  # there was none, or nobody can say


def _keep(state: StateDir, place: Place, drill: Mapping[str, Any]) -> None:
    with state.lock_of(FILE):
        try:
            others = dict(_all(state))
        except (OSError, ValueError, TypeError):
            others = {}
        state.write(FILE, dumps(others | {place: drill}) + "\n")


def _all(state: StateDir) -> Any:
    with open(state.file(FILE), encoding="utf-8") as file:
        return loads(file.read())
