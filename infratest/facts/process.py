"""The fact `process`: every process but ours. It has no argument: all are told.

Read from /proc by two programs, however many processes there are: grep over the status files (which escape what is
odd in a name) and over the command lines, whose NUL-separated words it prints one a line (`-z`), a line break in a word
as \\x01. The shell that asks is left out, with the
shells and wrappers that started it and all that they started.
"""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts._shell import lines, number
from infratest.facts.base import NO_TOOL, Answer, Argument, Fact
from infratest.found import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: What may stand between a login (sshd, an engine's exec, our own program) and the shell that asks.
WRAPPERS = frozenset({"sh", "dash", "bash", "ash", "busybox", "mksh", "ksh", "zsh", "env", "timeout", "sudo", "su"})

# Processes end while they are read: -s, and no look at the exit status. read() demands that process 1 was seen.
SNIPPET = r"""
if ! [ -d /proc/1 ] || ! [ -r /proc/self/status ]; then
  echo "/proc is not mounted, or other users' processes are hidden (hidepid); use sudo for this host" >&2
  exit NO_TOOL
fi
echo "$$"
cd /proc || exit 1
grep -s -H -E '^(Name|State|PPid|Uid|VmRSS):' [0-9]*/status
echo =
grep -z -a -s -H '' [0-9]*/cmdline | tr '\n\0' '\001\n'
exit 0
""".replace("NO_TOOL", str(NO_TOOL))


class ProcessFact(Fact):
    """Processes."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if "=" not in rows:
            raise FactError(f"the answer about processes is not understood: {answer.out[:80]!r}")
        middle = rows.index("=")
        ours = number(rows[0], "the shell's own process id")
        seen = _statuses(rows[1:middle], _words(rows[middle + 1 :]))
        if 1 not in seen:
            raise FactError("process 1 cannot be seen: other users' processes are hidden (hidepid); use sudo")
        return dict.fromkeys(arguments, _without(seen, ours))


def _words(rows: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        path, colon, word = row.partition(":")
        if colon:
            found.setdefault(path.removesuffix("/cmdline"), []).append(word.replace("\x01", "\n"))
    return found


def _statuses(rows: list[str], words: dict[str, list[str]]) -> dict[int, Process]:
    fields: dict[str, dict[str, str]] = {}
    for row in rows:
        path, _, line = row.partition(":")
        key, _, value = line.partition(":")
        fields.setdefault(path.removesuffix("/status"), {})[key] = value.removeprefix("\t")
    found = {}
    for path, values in fields.items():
        if not {"Name", "State", "PPid", "Uid"} <= set(values):
            continue  # it ended while it was read
        pid = number(path, "a process id")
        found[pid] = Process(
            pid=pid,
            parent=number(values["PPid"], "a parent's process id"),
            uid=number(values["Uid"].split("\t")[1], "a user id"),
            state=values["State"][:1],
            name=values["Name"].replace("\\n", "\n").replace("\\\\", "\\"),
            arguments=tuple(words.get(path, ())),
            rss=number(values.get("VmRSS", "0 kB").split()[0], "resident memory") * 1024,
        )
    return found


def _without(seen: dict[int, Process], ours: int) -> tuple[Process, ...]:
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
    return tuple(process for pid, process in sorted(seen.items()) if pid not in left)
