"""How many Python functions an installed command calls, in all its threads and the processes that it forks.

A measure of work that is the same on every machine: what grows faster than a project does shows in it, seconds do not.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

#: Python imports a module of this name when it starts (see `site`). Each process writes its count as it ends.
COUNTER = """
import atexit, os, sys, threading
count = 0

def seen(frame, event, argument):
    global count
    count += event == "call"

def begin():
    global count
    count = 0
    threading.setprofile(seen)
    sys.setprofile(seen)

def write():
    sys.setprofile(None)
    with open(os.environ["COUNTED_CALLS"], "a") as file:
        file.write(f"{count}\\n")

def ended(status, leave=os._exit):
    write()
    leave(status)

os._exit = ended
os.register_at_fork(after_in_child=begin)
atexit.register(write)
begin()
"""


def calls(folder: Path, *words: str) -> int:
    """Run an installed command in a folder and return the number of calls; it must end with 0.

    HOME is the folder `home` in it: what a command keeps there is there for the next.
    """
    site, counts = folder / "site", folder / "calls"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(COUNTER)
    counts.write_text("")
    (folder / "home").mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("INFRATEST", "PYTEST"))}
    more = {"HOME": str(folder / "home"), "PYTHONPATH": str(site), "COUNTED_CALLS": str(counts)}
    done = subprocess.run(
        [Path(sys.executable).with_name(words[0]), *words[1:]], cwd=folder, env=kept | more, capture_output=True,
        text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return sum(map(int, counts.read_text().split()))
