"""The fact `lock-file`: whose a lock file is, how old, and whether that process still runs. By the path.

A job writes its process id into a file while it works; one that was killed leaves the file behind, and the next run
waits for ever or gives up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

#: One line a path: `absent`, or the age in seconds, the process id that stands in it, and whether that runs (1 or 0).
#: A folder that may not be entered, and processes that are hidden from the login (hidepid in proc(5)), say nothing of a
#: lock: then it ends with words and another status, and all of it is unknown.
SNIPPET = """
[ -d /proc/1 ] || { echo "the processes of other users are hidden from this login" >&2; exit 1; }
now=$(date +%s) || exit 1
for path; do
    if [ ! -e "$path" ]; then
        folder=${path%/*}
        [ -x "${folder:-/}" ] || [ ! -e "${folder:-/}" ] || { echo "$folder may not be entered" >&2; exit 1; }
        echo absent
        continue
    fi
    changed=$(stat -c %Y -- "$path") || exit 1
    pid=
    read -r pid <"$path" || [ -n "$pid" ] || [ -r "$path" ] || exit 1
    case $pid in '' | *[!0-9]*) echo "$((now - changed)) - 0"; continue ;; esac
    if [ -d "/proc/$pid" ]; then runs=1; else runs=0; fi
    echo "$((now - changed)) $pid $runs"
done
"""


class Lock(Record):
    """A lock file that is there: seconds since it was written, the id in it (None: no number), whether that runs."""

    age: int
    pid: int | None
    runs: bool

    def in_words(self) -> str:
        """Return it as evidence shows it."""
        holder = "nobody by its id" if self.pid is None else f"process {self.pid}"
        return f"held by {holder}, {'which runs' if self.runs else 'which does not run'}, for {self.age} s"


class LockFileFact(LooksForEach):
    """Lock files by their paths; None for one that is not there."""

    def snippet(self) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        lines = self.readable(answer).out.splitlines()
        if len(lines) != len(arguments):
            raise FactError(f"lock files: {len(lines)} answers for {len(arguments)} paths")
        return {argument: _lock(line) for argument, line in zip(arguments, lines, strict=True)}


def _lock(line: str) -> Lock | None:
    if line == "absent":
        return None
    words = line.split(" ")
    if len(words) != 3 or words[2] not in ("0", "1"):
        raise FactError(f"lock files: an answer that is not understood: {cited(line, 80)}")
    age, pid, runs = words
    try:
        return Lock(age=max(0, int(age)), pid=None if pid == "-" else int(pid), runs=runs == "1")
    except ValueError:
        raise FactError(f"lock files: an answer that is not understood: {cited(line, 80)}") from None
