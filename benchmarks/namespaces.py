"""Network namespaces with names that say whose they are, and the sweep that takes away those of dead runs.

No namespace made here has a way out: a packet for an address that is not there gets "unreachable" at once and never
leaves the machine (a default gateway may answer for any private address).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.problem import BenchError

FOLDER = Path("/run/netns")
PREFIX = "infratest-bench-"


def ip(*commands: str, inside: str = "") -> None:
    """Carry out `ip` commands, in a network namespace where one is named.

    Raises:
        BenchError: one of them failed, with its words.
    """
    words = ["ip", *(["-n", inside] if inside else []), "-batch", "-"]
    done = subprocess.run(words, input="\n".join(commands), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"ip {commands[0]} ... ({len(commands)} commands): {done.stderr.strip()}")


def name(kind: str) -> str:
    """Return the name of a namespace of this run."""
    return f"{PREFIX}{os.getpid()}-{started(os.getpid())}-{kind}"


@contextlib.contextmanager
def namespaces(*names: str) -> Iterator[None]:
    """Make namespaces with their loopback up; with the block they and all that runs in them are gone."""
    if os.geteuid() != 0:
        raise BenchError("network namespaces are made by root alone: run this as root")
    sweep()
    try:
        ip(*(f"netns add {each}" for each in names))
        for each in names:
            ip("link set lo up", inside=each)
        yield
    finally:
        remove(names)


def sweep() -> list[str]:
    """Take away the namespaces of runs that are no more, with what runs in them; return their names."""
    left = []
    for path in FOLDER.glob(f"{PREFIX}*"):
        pid, _, rest = path.name.removeprefix(PREFIX).partition("-")
        if started(int(pid)) != rest.partition("-")[0]:
            left.append(path.name)
    remove(left)
    return left


def remove(names: Sequence[str]) -> None:
    """End what runs in namespaces, and delete them."""
    there = [each for each in names if (FOLDER / each).exists()]
    inodes = {(FOLDER / each).stat().st_ino for each in there}
    for _ in range(50):
        inside = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if space(pid) in inodes]
        if not inside:
            break
        for pid in inside:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    for each in there:
        subprocess.run(["ip", "netns", "delete", each], check=False, capture_output=True)


def space(pid: int) -> int:
    """Return the inode of a process's network namespace; 0 where the process has gone."""
    try:
        return Path(f"/proc/{pid}/ns/net").stat().st_ino
    except OSError:
        return 0


def started(pid: int) -> str:
    """Return when a process was started, in ticks since boot: with its id, this names it for good."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
    except OSError:
        return "gone"
