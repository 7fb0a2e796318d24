"""The fact `real-path`: where a path leads, through all links on its way. Argument: the absolute path.

The kernel's table of mounts holds such paths alone: what is mounted on /run/lock is on /var/run/lock as well.
"""

from __future__ import annotations

import os

from infratest.cleaning import decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import COUNT_LINES, NOT_FOUND, ONE_LINE, lines, number, unescaped, without
from infratest.facts.base import Answer, Argument, LooksForEach, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class RealPath(Record):
    """A path without links; empty where nothing is there. `problem` as in File."""

    path: str = ""
    problem: str = ""

    def in_words(self) -> str:
        return self.path or self.problem or "nothing is there"


# Lines: `none N`, `error N words`, `real N path`, and `done` at the end.
SNIPPET = r"""
not_found "$@"
n=0
for path in "$@"; do
  n=$((n + 1))
  [ -e "$path" ] || continue
  one_line "$(readlink -f -- "$path"; echo .)"
  printf 'real %s %s\n' "$n" "$line"
done
echo done
"""


class RealPathFact(LooksForEach, LooksHere):
    """Paths without links."""

    def snippet(self) -> str:
        tools = "".join(without(tool, f"{tool} is not installed on this host") for tool in ("stat", "readlink"))
        return tools + ONE_LINE + COUNT_LINES + NOT_FOUND + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        found: dict[int, RealPath] = {}
        for row in rows:
            mark, _, rest = row.partition(" ")
            index, _, words = rest.partition(" ")
            found[number(index, "an index")] = _told(mark, unescaped(words))
        if end != "done" or sorted(found) != list(range(1, len(arguments) + 1)):
            raise FactError(f"of {len(arguments)} paths asked for, {len(found)} were answered")
        return {argument: found[index] for index, argument in enumerate(arguments, 1)}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        paths = [_machine.encoded(argument[0]) for argument in arguments]
        if _machine.may_wait(paths):
            return None
        return {argument: _here(path) for argument, path in zip(arguments, paths, strict=True)}


def _told(mark: str, words: str) -> RealPath:
    path, line_break, end = words.rpartition("\n")
    if mark == "real" and line_break and end == "." and path.startswith("/"):
        return RealPath(path)
    if mark in ("none", "error"):
        return RealPath(problem=words if mark == "error" else "")
    return RealPath(problem="readlink does not tell where it leads")


def _here(path: bytes) -> RealPath:
    try:
        return RealPath(decoded(os.path.realpath(path, strict=True)))
    except OSError as error:
        return RealPath(problem="" if _machine.absent(error) else _machine.why(error))
