"""A file removed or emptied for a while: `the file "/etc/app.yml" is removed`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from infratest.acts._fault import line, token
from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline
from infratest.errors import ActError
from infratest.facts.base import absolute

#: $1: a file. One that is mounted by itself is busy for whoever would move it; proc(5) has the fields of mountinfo.
NOT_MOUNTED = r"""while read -r mount parent device root place rest; do
  [ "$place" != "$1" ] || {
    echo "it is a mount of its own, as /etc/hosts of a container is, and stays where it is: name another file" >&2
    exit 1
  }
done </proc/self/mountinfo
"""
#: $1: the file, $2: where it is kept meanwhile, on the same file system, so that it is the same file afterwards.
REMOVE = NOT_MOUNTED + 'mv -- "$1" "$2"'
EMPTY = NOT_MOUNTED + 'mv -- "$1" "$2" && cp -p -- "$2" "$1" && : >"$1"'
BRING_BACK = '[ ! -e "$2" ] || mv -f -- "$2" "$1"'


@dataclass(frozen=True)
class FileAct(Act):
    """One regular file that is removed or emptied for a while."""

    path: str = field(metadata={"description": "the file"})
    verb: Literal["remove", "empty"] = field(metadata={"description": "what becomes of it"})
    id: str = field(default_factory=token, compare=False, metadata={"description": "what tells it from other faults"})

    def __post_init__(self) -> None:
        absolute(self.path)

    def apply(self, access: Access, deadline: Deadline) -> str:
        regular(access, deadline, self.path)
        command = ["sh", "-c", {"remove": REMOVE, "empty": EMPTY}[self.verb], "sh", self.path, self._kept]
        return succeeded(access.run(command, deadline), f"{self.verb} {self.path}")

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        return ("sh", "-c", BRING_BACK, "sh", self.path, self._kept)

    @property
    def _kept(self) -> str:
        folder, _, name = self.path.rpartition("/")
        return f"{folder}/.infratest-{self.id}-{name}"[: len(folder) + 255]


def regular(access: Access, deadline: Deadline, path: str) -> None:
    """Raise ActError where there is no regular file at a path."""
    kind = line(access, ["stat", "-c", "%F", "--", path], deadline)
    if not kind.startswith("regular"):
        raise ActError(f"{path} is a {kind}, and no regular file: it is left alone")
