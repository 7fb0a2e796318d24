"""The fact `disk`: the room of the file system that holds a path. Argument: the absolute path.

One `stat -f` for all paths (GNU's or busybox's): what `df` and `df -i` tell, from the same system call, in numbers
alone, so that no device's or mount point's name can be taken for a column.
"""

from __future__ import annotations

import os

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import COUNT_LINES, NOT_FOUND, ONE_LINE, lines, number, unescaped, without
from infratest.facts._space import Space as Space
from infratest.facts.base import Answer, Argument, LooksForEach, LooksHere

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


# Lines: `none N`, `error N words`, and after `all N N ...` one line of stat for each of these.
SNIPPET = r"""
not_found "$@"
n=0 there=
for path in "$@"; do
  shift
  n=$((n + 1))
  [ -e "$path" ] || continue
  there="$there $n"
  set -- "$@" "$path"
done
if [ $# -gt 0 ]; then
  echo "all$there"
  stat -f -c '%S %b %f %a %c %d' -- "$@"
fi
"""


class DiskFact(LooksForEach, LooksHere):
    """Room in file systems."""

    def snippet(self) -> str:
        tool = without("stat", "stat (coreutils) is not installed on this host")
        return tool + ONE_LINE + COUNT_LINES + NOT_FOUND + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        found: dict[int, Space] = {}
        for position, row in enumerate(rows):
            mark, _, rest = row.partition(" ")
            index, _, words = rest.partition(" ")
            if mark == "all":
                indexes = [number(one, "an index") for one in rest.split()]
                found.update({one: _space(shown) for one, shown in zip(indexes, rows[position + 1 :], strict=False)})
                break
            problem = unescaped(words) if mark == "error" else ""
            found[number(index, "an index")] = Space(there=False, problem=problem)
        if sorted(found) != list(range(1, len(arguments) + 1)):
            raise FactError(f"of {len(arguments)} disks asked for, {len(found)} were answered")
        return {argument: found[index] for index, argument in enumerate(arguments, 1)}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        paths = [_machine.encoded(argument[0]) for argument in arguments]
        if _machine.may_wait(paths):
            return None
        return {argument: _here(path) for argument, path in zip(arguments, paths, strict=True)}


def _space(row: str) -> Space:
    fields = [number(field, "a field of stat -f") for field in row.split()]
    if len(fields) != 6:
        raise FactError(f"stat -f answered a line that is not understood: {cited(row, 120)}")
    return _counted(*fields)


def _here(path: bytes) -> Space:
    try:
        room = os.statvfs(path)
    except OSError as error:
        return Space(there=False, problem="" if _machine.absent(error) else _machine.why(error))
    return _counted(room.f_frsize, room.f_blocks, room.f_bfree, room.f_bavail, room.f_files, room.f_ffree)


def _counted(block: int, blocks: int, free: int, available: int, inodes: int, inodes_free: int) -> Space:
    return Space(
        size=blocks * block,
        used=(blocks - free) * block,
        available=available * block,
        inodes=inodes,
        inodes_free=inodes_free,
    )
