r"""The fact `process`: every process but ours. It has no argument: all are told.

Read from /proc by two programs, however many processes there are: grep over the status files (which escape what is
odd in a name) and over the command lines. Of their NUL-separated words the first alone is printed (`-z`, `-m 1`), a
line break in it as \x01: a process is known by it, and the others, with hundreds of NULs behind a title, would be most
of the answer. The shell that asks is left out, with the shells and wrappers that started it and all that they started.
"""

from __future__ import annotations

import os

from infratest.cleaning import decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import lines, number, unescaped
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksHere
from infratest.found import Process, Processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: What may stand between a login (sshd, an engine's exec, our own program) and the shell that asks.
WRAPPERS = frozenset({"sh", "dash", "bash", "ash", "busybox", "mksh", "ksh", "zsh", "env", "timeout", "sudo", "su"})

UNSEEN = "/proc is not mounted, or other users' processes are hidden (hidepid); use sudo for this host"
HIDDEN = "process 1 cannot be seen: other users' processes are hidden (hidepid); use sudo"

# Processes end while they are read: -s, and no look at the exit status. read() demands that process 1 was seen.
SNIPPET = r"""
if ! [ -d /proc/1 ] || ! [ -r /proc/self/status ]; then
  echo "UNSEEN" >&2
  exit NO_TOOL
fi
echo "$$"
cd /proc || exit 1
grep -s -h -E '^(Name|State|Pid|PPid|Uid|VmRSS):' [0-9]*/status
echo =
grep -z -a -s -H -m 1 '' [0-9]*/cmdline | tr '\n\0' '\001\n'
exit 0
""".replace("NO_TOOL", str(NO_TOOL)).replace("UNSEEN", UNSEEN)


class ProcessFact(LooksHere):
    """Processes."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if "=" not in rows:
            raise FactError(f"the answer about processes is not understood: {answer.out[:80]!r}")
        middle = rows.index("=")
        ours = number(rows[0], "the shell's own process id")
        seen = _statuses(rows[1:middle], _programs(rows[middle + 1 :]))
        if 1 not in seen:
            raise FactError(HIDDEN)
        return dict.fromkeys(arguments, _without(seen, ours))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            entries = os.listdir("/proc")
        except OSError:
            return None
        pids = sorted(int(entry) for entry in entries if entry.isdecimal())
        if not pids or pids[0] != 1:
            raise FactError(UNSEEN)
        found = Processes(process for pid in pids if (process := _here(pid)) is not None)
        if not found or found[0].pid != 1:
            raise FactError(HIDDEN)
        return dict.fromkeys(arguments, found)


def _here(pid: int) -> Process | None:
    """Return a process as its own files in /proc tell it; None where it ended while they were read."""
    try:
        status = _machine.begun(f"/proc/{pid}/status")
        if b"\nThreads:" not in status:  # thousands of groups stand before the memory
            status = _machine.whole(f"/proc/{pid}/status")
    except OSError:
        return None
    # They come in this order; the name is escaped, so that it cannot pretend to be another line.
    name, _, rest = status.removeprefix(b"Name:\t").partition(b"\n")
    _, _, rest = rest.partition(b"State:\t")
    state = rest[:1]
    _, _, rest = rest.partition(b"\nPPid:\t")
    parent, _, rest = rest.partition(b"\n")
    _, _, rest = rest.partition(b"\nUid:\t")
    uids = rest[:40].split(b"\t", 2)
    if len(uids) < 3:
        return None
    _, _, rest = rest.partition(b"\nVmRSS:")
    # A kernel thread and a zombie have no memory, and so no command line.
    program = _program_here(pid) if rest else ""
    resident = int(rest[:20].split(b"kB")[0]) * 1024 if rest else 0
    return Process(pid, int(parent), int(uids[1]), decoded(state), unescaped(decoded(name)), program, resident)


def _program_here(pid: int) -> str:
    try:
        line = _machine.begun(f"/proc/{pid}/cmdline")
        if len(line) == _machine.READ_AT_ONCE and b"\0" not in line:
            line = _machine.whole(f"/proc/{pid}/cmdline")
    except OSError:
        return ""
    # Each word ends with a NUL; a program that writes its own title may leave the last one out.
    return decoded(line.partition(b"\0")[0])


def _programs(rows: list[str]) -> dict[str, str]:
    """Return the first words of command lines by process id: of rows like `51/cmdline:sshd: root@notty`."""
    found = {}
    for row in rows:
        pid, colon, word = row.partition("/cmdline:")
        if colon:
            found[pid] = word.replace("\x01", "\n")
    return found


def _statuses(rows: list[str], programs: dict[str, str]) -> dict[int, Process]:
    each: list[dict[str, str]] = []
    values: dict[str, str] = {}
    for row in rows:
        # Text from a host: `Name:\tsshd`, the first of those of one process, which stand together.
        key, _, value = row.partition(":\t")
        if key == "Name":
            values = {}
            each.append(values)
        values[key] = value
    found = {}
    for values in each:
        if not {"Name", "State", "Pid", "PPid", "Uid"} <= values.keys():
            continue  # it ended while it was read
        pid = number(values["Pid"], "a process id")
        found[pid] = Process(
            pid=pid,
            parent=number(values["PPid"], "a parent's process id"),
            uid=number(values["Uid"].split("\t")[1], "a user id"),
            state=values["State"][:1],
            name=unescaped(values["Name"]),
            program=programs.get(values["Pid"], ""),
            rss=number(values.get("VmRSS", "0 kB").split()[0], "resident memory") * 1024,
        )
    return found


def _without(seen: dict[int, Process], ours: int) -> Processes:
    """Leave out the process that asks, the wrappers right above it, and all that descend from those."""
    top = ours
    while top in seen and (above := seen.get(seen[top].parent)) is not None and above.pid != 1:
        if above.name not in WRAPPERS:
            break
        top = above.pid
    left = {top}
    grown = True
    while grown:
        children = {process.pid for process in seen.values() if process.parent in left}
        grown = not children <= left
        left |= children
    return Processes(process for pid, process in sorted(seen.items()) if pid not in left)
