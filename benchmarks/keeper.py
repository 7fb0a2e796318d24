"""Runs one command and writes down what it cost: a program of its own, so that nothing of the harness is counted.

    python -I -S keeper.py RESULT OUTPUT SECONDS SAMPLE COMMAND [ARGUMENT ...]

CPU is of the command and of all that came out of it, also of what went on in the background (an SSH master that stays
for the next command, say): the keeper is where orphans go (PR_SET_CHILD_SUBREAPER); they are ended after the command
and counted. With SAMPLE 1 the memory of all processes together is looked at five times a second; the keeper's own work
is not in the figures. A command that takes longer than SECONDS is ended.

Called by `measure` alone.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
PAUSE = 200  # ms between two looks at the memory
MEBIBYTE = 2**20


def main(words: list[str]) -> None:
    result, output, limit, sample, command = words[0], words[1], float(words[2]), words[3] == "1", words[4:]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    out = os.open(output, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    streams = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)]
    began = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=streams, setpgroup=0)
    ended, memory, late = waited(pid, began + limit, sample)
    if late:
        os.killpg(pid, signal.SIGKILL)
    _, status, used = os.wait4(pid, 0)
    cpu = used.ru_utime + used.ru_stime + ended_orphans()
    kept = {
        "cpu": cpu, "wall": ended - began, "status": os.waitstatus_to_exitcode(status), "late": late,
        "largest": used.ru_maxrss / 1024, "together": memory,
    }  # fmt: skip
    with open(result, "w", encoding="utf-8") as file:
        json.dump(kept, file)


def waited(pid: int, until: float, sample: bool) -> tuple[float, float, bool]:
    """Wait for a child to end.

    Returns:
        When it ended, the most memory that it and its descendants had together in MiB (0 unasked), whether it is late.
    """
    poll = select.poll()
    poll.register(os.pidfd_open(pid), select.POLLIN)
    most = 0.0
    while True:
        left = (until - time.monotonic()) * 1000
        ready = poll.poll(max(0.0, min(left, PAUSE) if sample else left))
        now = time.monotonic()
        if ready or now >= until:
            return now, most, not ready
        most = max(most, sum(proportional(each) for each in below(os.getpid())))


def proportional(pid: int) -> float:
    """Return a process's memory in MiB, what it shares counted by its share (PSS); 0 where it has gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024
    except (OSError, ValueError):
        return 0.0


def below(root: int) -> list[int]:
    """Return all descendants of a process."""
    parents: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            parents.setdefault(parent, []).append(int(name))
    found = list(parents.get(root, ()))
    for pid in found:
        found += parents.get(pid, ())
    return found


def ended_orphans() -> float:
    """End what the command left behind and return the CPU seconds it used."""
    cpu = 0.0
    for word in (signal.SIGTERM, signal.SIGKILL):
        for pid in below(os.getpid()):
            try:
                os.kill(pid, word)
            except ProcessLookupError:
                continue
        until = time.monotonic() + 2
        while time.monotonic() < until:
            try:
                pid, _, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return cpu
            cpu += used.ru_utime + used.ru_stime
            if pid == 0:
                time.sleep(0.005)
    return cpu


if __name__ == "__main__":
    main(sys.argv[1:])
