"""The fact `content`: what a regular file holds, up to 1 MiB. Argument: the absolute path.

Each line comes behind a `|`, so that no file can pretend to be another. NULs are lost; bytes that are not UTF-8 arrive
as the replacement character.
"""

from __future__ import annotations

import os
from stat import S_ISREG

from infratest.cleaning import decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import NOT_FOUND, ONE_LINE, lines, number, positional, unescaped
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksHere
from infratest.found import Content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Bytes of a file that are looked at.
LIMIT = 2**20

# Lines: `none N`, `other N`, `error N words`, or `file N`, the content's lines behind `|`, and `.` where it ends (after
# an empty one where the content ends with a line break). head stops a file that never ends; only regular files are
# read, for a pipe would wait. One sed for all files tells our own lines by a word that no file can know.
SNIPPET = r"""
{ read -r ours </proc/sys/kernel/random/uuid; } 2>/dev/null || ours=$(od -A n -t x1 -N 16 /dev/urandom | tr -d ' \n')
[ -n "$ours" ] || { echo 'neither /proc/sys/kernel/random/uuid nor /dev/urandom can be read' >&2; exit NO_TOOL; }
n=0
for path in "$@"; do
  n=$((n + 1))
  if [ -f "$path" ]; then
    if [ -r "$path" ]; then
      echo "$ours file $n"
      head -c LIMIT <"$path"
      printf '\n%s .\n' "$ours"
    else
      echo "$ours error $n Permission denied"
    fi
  elif [ -e "$path" ]; then
    echo "$ours other $n"
  else
    printf '%s ' "$ours"
    not_found "$n" "$path"
  fi
done | sed "/^$ours /!s/^/|/; s/^$ours //"
""".replace("LIMIT", str(LIMIT + 1)).replace("NO_TOOL", str(NO_TOOL))


class ContentFact(LooksHere):
    """Contents of files."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return ONE_LINE + NOT_FOUND + positional(arguments) + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = iter(lines(self.readable(answer).out))
        found: dict[int, Content] = {}
        for row in rows:
            mark, _, rest = row.partition(" ")
            index, _, words = rest.partition(" ")
            if mark == "file":
                found[number(index, "an index")] = _content(rows)
            elif mark in ("none", "other"):
                found[number(index, "an index")] = Content(text=None)
            elif mark == "error":
                found[number(index, "an index")] = Content(text=None, problem=unescaped(words))
            else:
                raise FactError(f"the answer about files' contents is not understood: {row[:80]!r}")
        if sorted(found) != list(range(1, len(arguments) + 1)):
            raise FactError(f"of {len(arguments)} files asked for, {len(found)} were answered")
        return {argument: found[index] for index, argument in enumerate(arguments, 1)}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        paths = [_machine.encoded(argument[0]) for argument in arguments]
        if _machine.may_wait(paths):
            return None
        return {argument: _here(path) for argument, path in zip(arguments, paths, strict=True)}


def _content(rows: Any) -> Content:
    kept: list[str] = []
    for row in rows:
        if row == ".":
            break
        kept.append(row[1:])
    # The line break before `.` is the snippet's own: the content's last line break shows as one empty line before it.
    return _kept("\n".join(kept))


def _here(path: bytes) -> Content:
    try:
        status = os.stat(path)
        if not S_ISREG(status.st_mode):
            return Content(text=None)
        read = _machine.whole(path, LIMIT + 1, max(status.st_size + 1, _machine.READ_AT_ONCE))
    except OSError as error:
        return Content(text=None, problem="" if _machine.absent(error) else _machine.why(error))
    return _kept(decoded(read.replace(b"\0", b"")))


def _kept(text: str) -> Content:
    size = len(text.encode("utf-8", "replace"))
    return Content(text=text if size <= LIMIT else text[:LIMIT], whole=size <= LIMIT)
