"""A stale lock file removed: the remedy `remove-stale-lock: /run/backup.lock`, and an act for sentences of yours."""

from __future__ import annotations

from dataclasses import dataclass, field

from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.facts.base import absolute

#: $1 path. The file goes only while its holder does not run, and only if it is still the file that was looked at: a job
#: that has just begun writes its own id first, and then this leaves it alone. Gone already is well, too.
REMOVE = """
[ -d /proc/1 ] || { echo "the processes of other users are hidden from this login" >&2; exit 1; }
[ -e "$1" ] || { echo "$1 is gone already"; exit 0; }
[ -f "$1" ] || { echo "$1 is no regular file" >&2; exit 1; }
pid=; read -r pid <"$1"
case $pid in '' | *[!0-9]*) echo "$1 holds no process id" >&2; exit 1 ;; esac
[ ! -d "/proc/$pid" ] || { echo "$1 is held by process $pid, which runs" >&2; exit 1; }
now=; read -r now <"$1"
[ "$now" = "$pid" ] || { echo "$1 has just been taken by process $now" >&2; exit 1; }
rm -- "$1" && echo "removed $1, which process $pid had left"
"""


@dataclass(frozen=True)
class RemoveStaleLock(Act):
    """Remove the lock file of a process that does not run. There is nothing to undo: nobody holds it."""

    path: str = field(
        metadata={
            "description": "the lock file",
            "title": "an absolute path",
            "example": "/run/backup.lock",
            "short": True,
        }
    )

    seconds = 10.0
    remedies = {"remove-stale-lock": {}}

    def __post_init__(self) -> None:
        if self.path.endswith("/"):
            raise UserError(f"{self.path!r} is a folder")
        absolute(self.path)

    def apply(self, access: Access, deadline: Deadline) -> str:
        result = access.run(["sh", "-c", REMOVE, "sh", self.path], deadline)
        return succeeded(result, f"remove the stale lock {self.path}")
