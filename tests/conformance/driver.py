"""Runs one face over many cases, each in a process of its own with its own exit status; imports are paid for once.

Called as `python driver.py FACE CASES OUT`: the entry point is the one that the installed program has, and each case is
a fork that ends as that program would.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from importlib.metadata import entry_points
from pathlib import Path

#: Face -> the installed program, and what is imported before the first case.
PROGRAMS = {
    "test": ("infratest", "infratest.cli.verbs.test"),
    "check": ("check_infratest", "infratest.cli._checking"),
    "pytest": ("pytest", "infratest.pytest_plugin.active"),
    "behave": ("behave", "infratest.behave_runner"),
}


def main(face: str, cases: Path, out: Path) -> None:
    import infratest

    program, preload = PROGRAMS[face]
    importlib.import_module(preload)
    for plugin in entry_points(group="pytest11") if face == "pytest" else ():
        plugin.load()
    # check_infratest is a plain script, `from infratest.check_infratest import main`; the others are entry points.
    scripts = {point.name: point for point in entry_points(group="console_scripts")}
    start = scripts[program].load() if program in scripts else importlib.import_module("infratest.check_infratest").main
    found = {"package": str(Path(infratest.__file__).parent), "cases": {}}
    for name, (folder, words) in json.loads(cases.read_text()).items():
        log = Path(folder) / f"{face}.out"
        status = ended(start, program, folder, words, log)
        output = log.read_text("utf-8", "replace")
        # A check keeps its plan where it can; the second time it is carried out by the other half of the program.
        if face == "check" and (again := ended(start, program, folder, words, log)) != status:
            status, output = -1, f"exit {status}, and {again} by its kept plan:\n{output}{log.read_text()}"
        found["cases"][name] = (status, output)
    out.write_text(json.dumps(found))


def ended(start, program: str, folder: str, words: list[str], log: Path) -> int:
    child = os.fork()
    if child == 0:
        become(start, program, folder, words, log)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def become(start, program: str, folder: str, words: list[str], log: Path) -> None:
    """Be that program: its folder, its words, its output; never returns."""
    status = 70
    try:
        os.chdir(folder)
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        sys.argv = [program, *words]
        returned = start()
        status = 0 if returned is None else int(returned)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:  # noqa: BLE001 - what no program may end with, and the table looks for
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
