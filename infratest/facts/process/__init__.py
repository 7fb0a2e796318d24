r"""The fact `process`: every process but those that are there for the question alone. It has no argument: all are told.

Read from /proc by few programs, however many processes there are: grep over the status files (which escape what is odd
in a name) and over the command lines, ls over the links to the programs. Of the NUL-separated words of a command line
the first three are printed (`-z`, `-m 3`), a line break in one as \x01; the others, with hundreds of NULs behind a
title, would be most of the answer. Of a process whose first thread has ended while others work, /proc tells what it is
by one of those alone.
"""

from __future__ import annotations

import os

from infratest.cleaning import cited, decoded
from infratest.errors import FactError, UserError
from infratest.facts import _machine
from infratest.facts._shell import PUT, lines, number, unescaped, without_any
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksHere, single
from infratest.facts.process.names import KEPT, LENGTH, WORDS, Process, cut_name, for_the_question, needs_path
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Processes(tuple[Process, ...]):
    """All processes of a host, but for those that are there for the question alone."""

    @derived
    def _named(self) -> dict[str, list[Process]]:
        named: dict[str, list[Process]] = {}
        for one in self:
            if one.state not in "ZX":
                for name in one.names:
                    named.setdefault(name, []).append(one)
        return named

    def named(self, name: str) -> list[Process]:
        """Return those that are called so and run; zombies run nothing."""
        return self._named.get(name, [])

    def perhaps(self, name: str) -> list[Process]:
        """Return those of which no more is known than that their name begins as this one does."""
        kept = cut_name(name)
        return [] if kept == name else [one for one in self.named(kept) if one.cut and one.name == kept]

    def in_words(self) -> str:
        counts: dict[str, int] = {}
        for process in self:
            counts[process.in_words()] = counts.get(process.in_words(), 0) + 1
        listed = ", ".join(name if count == 1 else f"{name} x {count}" for name, count in sorted(counts.items()))
        return f"{len(self)} processes: {listed}"


def unsure(name: str, processes: Sequence[Process]) -> str:
    """Return words for processes of which no more is known than that their names begin as this one does."""
    pids = ", ".join(str(one.pid) for one in processes[:5]) + (" ..." if len(processes) > 5 else "")
    return (
        f'whether the process "{name}" is running cannot be told: of pid {pids} only the first {KEPT} bytes of the '
        f'name are known, "{processes[0].name}"; look with root\'s rights (sudo) or ask for that name'
    )


def process_name(name: str) -> str:
    """Return the name of a process as it is.

    Raises:
        UserError: no process can have that name.
    """
    if not name or "\0" in name:
        raise UserError(f"the process {name!r}: a process has a name, without a NUL")
    if name.startswith("/"):
        short = name.rstrip("/").rpartition("/")[2]
        raise UserError(f"the process {name!r} is a path: a process is named by its file alone, {short!r}")
    return single(name, "name of a process")


UNSEEN = "/proc is not mounted, or other users' processes are hidden (hidepid); use sudo for this host"
HIDDEN = "process 1 cannot be seen: other users' processes are hidden (hidepid); use sudo"

# Processes end while they are read: -s, and no look at the exit status. read() demands that process 1 was seen. Between
# lines of `=` stand the statuses, those of threads whose process is a zombie, words, and programs with a long name or
# a blank: of the others the path says no more than the first word.
SNIPPET = r"""
if ! [ -d /proc/1 ] || ! [ -r /proc/self/status ]; then
  echo "UNSEEN" >&2
  exit NO_TOOL
fi
echo "$$"
cd /proc || exit 1
shown=$(grep -s -h -E '^(Name|State|Pid|PPid|Uid|VmRSS):' [0-9]*/status)
put "$shown
"
words= programs=
echo =
case $shown in
*'State:	Z'*)
  for one in $(grep -s -l '^State:.Z' [0-9]*/status); do
    set -- "${one%/status}"/task/[0-9]*
    [ $# -gt 1 ] || continue
    for one; do
      grep -s -h -E '^(State|Tgid|Pid|VmRSS):' "$one/status"
      words="$words $one/cmdline" programs="$programs $one/exe"
    done
  done
  ;;
esac
echo =
grep -z -a -s -H -m 3 '' [0-9]*/cmdline $words | tr '\n\0' '\001\n' | cut -b 1-16400
echo =
QUOTING_STYLE=literal ls -n -d [0-9]*/exe $programs 2>/dev/null | grep -a -E '/exe -> (.* |.*/[^/]{15,}$)'
exit 0
""".replace("NO_TOOL", str(NO_TOOL)).replace("UNSEEN", UNSEEN)


class ProcessFact(LooksHere):
    """Processes."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return without_any("grep", "tr", "cut", "ls") + PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        ends = [position for position, row in enumerate(rows) if row == "="]
        if len(ends) != 3:
            raise FactError(f"the answer about processes is not understood: {cited(answer.out, 80)}")
        statuses, threads, words, paths = (
            rows[start:end] for start, end in zip((1, *(end + 1 for end in ends)), (*ends, len(rows)), strict=True)
        )
        return dict.fromkeys(
            arguments,
            _told(_statuses(statuses, threads, _words(words), _paths(paths)), number(rows[0], "a shell's id")),
        )

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            entries = os.listdir("/proc")
        except OSError:
            return None
        pids = sorted(int(entry) for entry in entries if entry.isdecimal())
        if not pids or pids[0] != 1:
            raise FactError(UNSEEN)
        seen = {pid: process for pid in pids if (process := _here(pid)) is not None}
        return dict.fromkeys(arguments, _told(seen, os.getpid()))


def _told(seen: Mapping[int, Process], asker: int) -> Processes:
    """Return the processes of the host out of all that were seen."""
    if 1 not in seen:
        raise FactError(HIDDEN)
    ours = for_the_question(seen, asker, _own(seen))
    return Processes([process for pid, process in sorted(seen.items()) if pid not in ours])


def _own(seen: Mapping[int, Process]) -> int:
    """Return our own process where it is among them, else 0: another machine may have one of that id, but not so."""
    own = os.getpid()
    here = _here(own) if own in seen else None
    same = here is not None and (here.parent, here.name, here.words) == (
        seen[own].parent, seen[own].name, seen[own].words
    )  # fmt: skip
    return own if same else 0


def _here(pid: int) -> Process | None:
    """Return a process as its own files in /proc tell it; None where it ended while they were read."""
    try:
        text = _status(f"/proc/{pid}")
        # They come in this order; the name is escaped, so that it cannot pretend to be another line.
        name, _, rest = text.removeprefix(b"Name:\t").partition(b"\n")
        _, _, rest = rest.partition(b"State:\t")
        state = rest[:1]
        _, _, rest = rest.partition(b"\nPPid:\t")
        parent, _, rest = rest.partition(b"\n")
        _, _, rest = rest.partition(b"\nUid:\t")
        uids = rest[:40].split(b"\t", 2)
        if len(uids) < 3:
            return None
        folder, resident = f"/proc/{pid}", _resident(rest)
        if state == b"Z":
            state, folder, resident = _thread_here(pid) or (state, folder, resident)
    except OSError:
        return None
    called = unescaped(decoded(name))
    # A kernel thread and a zombie have no memory, and so no command line.
    words = _words_here(folder) if resident is not None else ()
    path = _path_here(folder) if resident is not None and needs_path(called, words) else ""
    return Process(pid, int(parent), int(uids[1]), decoded(state), called, resident or 0, words, path)


def _status(folder: str) -> bytes:
    status = _machine.begun(f"{folder}/status")
    # Thousands of groups stand before the memory.
    return status if b"\nThreads:" in status else _machine.whole(f"{folder}/status")


def _resident(status: bytes) -> int | None:
    """Return the resident memory in bytes; None of what has no memory of its own."""
    _, _, rest = status.partition(b"\nVmRSS:")
    return int(rest[:20].split(b"kB")[0]) * 1024 if rest else None


def _thread_here(pid: int) -> tuple[bytes, str, int | None] | None:
    """Return the state, folder and memory of the first thread that lives of a process whose first thread does not."""
    for task in sorted(_machine.listed(f"/proc/{pid}/task"), key=int):
        folder = f"/proc/{pid}/task/{task}"
        try:
            status = _status(folder)
        except OSError:
            continue  # it has ended since
        state = status.partition(b"\nState:\t")[2][:1]
        if state not in (b"Z", b"X"):
            return state, folder, _resident(status)
    return None


def _words_here(folder: str) -> tuple[str, ...]:
    try:
        line = _machine.begun(f"{folder}/cmdline")
        if len(line) == _machine.READ_AT_ONCE and line.count(b"\0") < WORDS:
            line = _machine.whole(f"{folder}/cmdline")
    except OSError:
        return ()
    # Each word ends with a NUL; a program that writes its own title may leave the last one out.
    return tuple([decoded(word)[:LENGTH] for word in line.removesuffix(b"\0").split(b"\0", WORDS)[:WORDS]])


def _path_here(folder: str) -> str:
    try:
        path = os.readlink(os.fsencode(f"{folder}/exe"))
    except OSError:
        return ""
    # As the snippet: another path says no more than the first word does.
    return decoded(path) if b" " in path or len(path.rpartition(b"/")[2]) >= KEPT else ""


def _words(rows: list[str]) -> dict[str, list[str]]:
    """Return words of command lines by process or thread: of rows like `51/cmdline:sshd: root@notty`."""
    words: dict[str, list[str]] = {}
    for row in rows:
        place, colon, word = row.partition("/cmdline:")
        if colon:
            words.setdefault(place, []).append(word.replace("\x01", "\n")[:LENGTH])
    return words


def _paths(rows: list[str]) -> dict[str, str]:
    """Return programs by process or thread: of rows like `lrwxrwxrwx 1 0 0 0 Nov 28 00:13 51/exe -> /sbin/init`."""
    paths: dict[str, str] = {}
    for row in rows:
        front, arrow, path = row.partition("/exe -> ")
        place = front.rpartition(" ")[2]
        if arrow:  # told twice, one of them is the second line of another's name
            paths[place] = "" if place in paths else path
    return paths


def _statuses(
    rows: list[str], threads: list[str], words: Mapping[str, list[str]], paths: Mapping[str, str]
) -> dict[int, Process]:
    living = _living(threads)
    seen = {}
    for values in _blocks(rows, "Name"):
        if not {"Name", "State", "Pid", "PPid", "Uid"} <= values.keys():
            continue  # it ended while it was read
        thread = living.get(values["Pid"], {})
        place = f"{values['Pid']}/task/{thread['Pid']}" if thread else values["Pid"]
        name, first = unescaped(values["Name"]), tuple(words.get(place, ()))
        pid = number(values["Pid"], "a process id")
        seen[pid] = Process(
            pid=pid,
            parent=number(values["PPid"], "a parent's process id"),
            uid=number(values["Uid"].split("\t")[1], "a user id"),
            state=(thread or values)["State"][:1],
            name=name,
            rss=number((thread or values).get("VmRSS", "0 kB").split()[0], "resident memory") * 1024,
            words=first,
            path=paths.get(place, "") if needs_path(name, first) else "",
        )
    return seen


def _living(rows: list[str]) -> dict[str, dict[str, str]]:
    """Return the first thread that lives of each process whose first thread does not."""
    living: dict[str, dict[str, str]] = {}
    for values in _blocks(rows, "State"):
        if {"Tgid", "Pid"} <= values.keys() and values["State"][:1] not in "ZX":
            living.setdefault(values["Tgid"], values)
    return living


def _blocks(rows: list[str], first: str) -> list[dict[str, str]]:
    """Return the lines of status files, `Name:\\tsshd`, those of one process or thread together."""
    blocks: list[dict[str, str]] = []
    for row in rows:
        key, _, value = row.partition(":\t")
        if key == first or not blocks:
            blocks.append({})
        blocks[-1][key] = value
    return blocks
