"""Runs a program of ours, as `infratest up`, and strikes it by a signal at one point. Called by killed.py.

    python struck.py SIGNAL POINT LOG PROGRAM [ARGUMENT ...]

The program is run as it stands, in this process; it is watched as a debugger would (sys.setprofile). Points are counted
as it passes them: before each call of the provider and after it, before and after each record of the journal, and
each step of a rotation of keys. Each is written to the file LOG; the one named is where the signal comes, from the
process to itself. With the point `-` nothing happens to it.
"""

from __future__ import annotations

import os
import re
import runpy
import signal
import sys
import threading
from types import FrameType
from typing import Any

#: What is asked of a provider, and the argument that says about what.
CALLS = {
    "create": "request", "destroy": "resource", "halt": "resource", "start": "resource", "suspend": "resource",
    "reboot": "resource", "take_snapshot": "resource", "restore_snapshot": "resource", "delete_snapshot": "resource",
    "snapshots": "resource", "rename": "resource", "existing": "", "hosts": "specs",
}  # fmt: skip
#: What a rotation of keys does, step by step: the file that it is in, and the argument that says about what.
STEPS = {
    "let_in": ("login_key", "host"), "prove": ("login_key", "host"), "take_away": ("login_key", "host"),
    "next_key": ("_key_rotation", ""), "switch": ("_key_rotation", ""), "end": ("_key_rotation", ""),
    "_copy": ("_key_rotation", "target"), "_take": ("_key_rotation", "target"),
}  # fmt: skip
PROVIDERS = f"{os.sep}infratest{os.sep}providers{os.sep}"
RECORD, JOURNAL = "StateDir.append", "journal.jsonl"
#: The state's id, in the name of a network.
ID = re.compile(r"-[0-9a-f]{8}\b")


class Points:
    """The points passed so far, each with how many times it was passed: `before create web-1 #1`."""

    def __init__(self, target: str, number: int, log: str) -> None:
        self._target, self._number = target, number
        self._seen: dict[str, int] = {}
        self._lock = threading.Lock()
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def watch(self, frame: FrameType, event: str, argument: Any) -> None:
        """Look at one event of the program: a call, or the return from one."""
        if event not in ("call", "return"):
            return
        code = frame.f_code
        if code.co_name in CALLS and PROVIDERS in code.co_filename and self._is_provider(frame):
            what = f"{code.co_name} {_about(frame.f_locals, CALLS[code.co_name])}".rstrip()
        elif code.co_name in STEPS and code.co_filename.endswith(f"{os.sep}{STEPS[code.co_name][0]}.py"):
            what = f"{code.co_name} {_about(frame.f_locals, STEPS[code.co_name][1])}".rstrip()
        elif code.co_qualname == RECORD:
            what = _written(frame.f_locals["name"], frame.f_locals["records"])
        else:
            return
        self._passed(f"{'before' if event == 'call' else 'after'} {ID.sub('', what)}")

    def _is_provider(self, frame: FrameType) -> bool:
        provider = sys.modules["infratest.providers.base"].Provider
        return isinstance(frame.f_locals.get("self"), provider)

    def _passed(self, label: str) -> None:
        with self._lock:
            self._seen[label] = self._seen.get(label, 0) + 1
            point = f"{label} #{self._seen[label]}"
            os.write(self._log, f"{point}\n".encode())
        if point == self._target:
            os.kill(os.getpid(), self._number)


def _written(file: str, records: Any) -> str:
    if file != JOURNAL:
        return f"writing {file}"
    return "record " + " ".join(f"{one.get('what')} {one.get('name', '')}".rstrip() for one in records)


def _about(names: dict[str, Any], argument: str) -> str:
    about = names.get(argument)
    if argument == "specs":
        return " ".join(spec.name for spec in names["specs"])
    return str(getattr(about, "name", ""))


def main(name: str, target: str, log: str, program: str, *arguments: str) -> None:
    points = Points(target, signal.Signals[name], log)
    sys.argv = [program, *arguments]
    threading.setprofile(points.watch)
    sys.setprofile(points.watch)
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
