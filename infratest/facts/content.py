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
from infratest.facts._shell import COUNT_LINES, NOT_FOUND, ONE_LINE, lines, number, positional, unescaped
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksHere
from infratest.found import Content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Bytes of a file that are looked at.
LIMIT = 2**20

# Lines: `none N`, `other N`, `error N words`, and `file N` or `at PATH`, each with the content's lines behind `|` (an
# empty last one where the content ends with a line break), `unread file N` or `unread at PATH` where that is not all of
# it, and `.` at the very end. One head reads all files, and stops one that never ends; only regular files are read, for
# a pipe would wait. It names each before its content, by a way that no content can know: the path behind a random
# number of this run, spelt in slashes and dots. A path that this cannot be done for is read alone, and so is each where
# one of them cannot be read to its end. One sed tells our own lines by the same secret.
SNIPPET = r"""
{ read -r ours </proc/sys/kernel/random/uuid; } 2>/dev/null || ours=$(od -A n -t x1 -N 16 /dev/urandom | tr -d ' \n')
[ -n "$ours" ] || { echo 'neither /proc/sys/kernel/random/uuid nor /dev/urandom can be read' >&2; exit NO_TOOL; }
mark="$ours " digits=$ours way= spelt=
while [ -n "$digits" ]; do
  case $digits in
    [0-3]*) way=$way/ spelt=$spelt/ ;;
    [4-7]*) way=$way/. spelt=$spelt/[.] ;;
    [89ab]*) way=$way//. spelt=$spelt//[.] ;;
    *) way=$way/./ spelt=$spelt/[.]/ ;;
  esac
  digits=${digits#?}
done
alone() {
  echo "$ours $1"
  head -c LIMIT <"$2"
  status=$?
  echo
  [ "$status" -eq 0 ] || echo "$ours unread $1"
}
together() {
  head -v -c LIMIT -- "$@" 2>/dev/null
  status=$?
  echo
  [ "$status" -eq 0 ] || for path; do alone "at ${path#"$way"}" "$path"; done
}
{
  not_found "$@"
  n=0
  for path in "$@"; do
    shift
    n=$((n + 1))
    if [ -f "$path" ]; then
      if [ ! -r "$path" ]; then
        echo "$ours error $n Permission denied"
      else
        case $path in
          *[!" "-~]*) alone "file $n" "$path" ;;
          *) set -- "$@" "$way$path" ;;
        esac
      fi
    elif [ -e "$path" ]; then
      echo "$ours other $n"
    fi
  done
  [ $# -eq 0 ] || together "$@"
  echo "$ours ."
} | sed "s,^==> $spelt\(/.*\) <==\$,$ours at \1,; /^$ours /!s/^/|/; s/^$ours //"
""".replace("LIMIT", str(LIMIT + 1)).replace("NO_TOOL", str(NO_TOOL))


class ContentFact(LooksHere):
    """Contents of files."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return ONE_LINE + COUNT_LINES + NOT_FOUND + positional(arguments) + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        paths = {argument[0]: index for index, argument in enumerate(arguments, 1)}
        found: dict[int, Content] = {}
        kept: dict[int, list[str]] = {}
        unread: list[int] = []
        held: list[str] = []
        rows = lines(self.readable(answer).out)
        for row in rows:
            mark, _, rest = row.partition(" ")
            index, _, words = rest.partition(" ")
            if row.startswith("|"):
                held.append(row[1:])
            elif mark in ("file", "at"):
                held = kept[paths.get(rest, 0) if mark == "at" else number(rest, "an index")] = []
            elif mark == "unread":
                unread.append(paths.get(words, 0) if index == "at" else number(words, "an index"))
            elif mark in ("none", "other"):
                found[number(index, "an index")] = Content(text=None)
            elif mark == "error":
                found[number(index, "an index")] = Content(text=None, problem=unescaped(words))
            elif row != ".":
                raise FactError(f"the answer about files' contents is not understood: {row[:80]!r}")
        found.update({index: _kept("\n".join(held)) for index, held in kept.items()})
        found.update({index: Content(text=None, problem="it cannot be read to its end") for index in unread})
        if rows[-1:] != ["."] or sorted(found) != list(range(1, len(arguments) + 1)):
            told = answer.err.strip()[:200] or "no words of why"
            raise FactError(f"of {len(arguments)} files asked for, {len(found)} were answered: {told}")
        return {argument: found[index] for index, argument in enumerate(arguments, 1)}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        paths = [_machine.encoded(argument[0]) for argument in arguments]
        if _machine.may_wait(paths):
            return None
        return {argument: _here(path) for argument, path in zip(arguments, paths, strict=True)}


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
