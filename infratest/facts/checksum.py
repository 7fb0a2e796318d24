"""The fact `checksum`: the checksum of a regular file's bytes. Arguments: the absolute path, and the algorithm.

It is worked out on the host, on this machine too, by md5sum and its like (coreutils, busybox, toybox), which of
standard input say `SUM  -`.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError
from infratest.facts._shell import COUNT_LINES, NOT_FOUND, ONE_LINE, lines, number, unescaped
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Algorithm as a feature writes it -> as Python and the program `...sum` do.
NAMES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}


class Checksum(Record):
    """The checksum of a regular file.

    Args:
        there: whether there is a regular file. sum: in small hexadecimal digits. problem: as in File.
    """

    there: bool = True
    sum: str = ""
    problem: str = ""

    def in_words(self) -> str:
        return self.sum if self.there else "does not exist or is no regular file"


# The parameters of one question: path and program. Lines: `none N`, `error N words`, `other N`, `sum N SUM`, `unread
# N`, `tool N PROGRAM`; `done` at the very end.
SNIPPET = r"""
all=0
while [ $# -gt 0 ]; do
  all=$((all + 1))
  eval "path_$all=\$1 program_$all=\$2"
  shift 2
done
i=0
while [ $i -lt $all ]; do
  i=$((i + 1))
  eval "set -- \"\$@\" \"\$path_$i\""
done
not_found "$@"
i=0
for path in "$@"; do
  i=$((i + 1))
  eval "program=\$program_$i"
  [ -e "$path" ] || continue
  if [ ! -f "$path" ]; then
    echo "other $i"
  elif [ ! -r "$path" ]; then
    echo "error $i Permission denied"
  elif ! command -v "$program" >/dev/null 2>&1; then
    echo "tool $i $program"
  elif sum=$("$program" 2>/dev/null <"$path"); then
    echo "sum $i ${sum%% *}"
  else
    echo "unread $i"
  fi
done
echo "done"
"""


class ChecksumFact(LooksForEach):
    """Checksums of files."""

    def snippet(self) -> str:
        return ONE_LINE + COUNT_LINES + NOT_FOUND + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        path, algorithm = argument
        return path, f"{NAMES[algorithm]}sum"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if rows[-1:] != ["done"]:
            raise FactError(f"the answer about checksums is not understood: {cited(answer.out, 80)}")
        answered: dict[int, Checksum] = {}
        for row in rows[:-1]:
            mark, _, rest = row.partition(" ")
            index, _, words = rest.partition(" ")
            place = number(index, "an index")
            if not 0 < place <= len(arguments):
                raise FactError(f"the answer about checksums is not understood: {cited(row, 80)}")
            answered[place] = _told(mark, unescaped(words))
        return {argument: answered[place] for place, argument in enumerate(arguments, 1) if place in answered}


def _told(mark: str, words: str) -> Checksum:
    if mark in ("none", "other"):
        return Checksum(there=False)
    if mark == "error":
        return Checksum(problem=words)
    if mark == "unread":
        return Checksum(problem="it cannot be read to its end")
    if mark == "tool":
        return Checksum(problem=f"{words} is not installed on this host")
    if mark == "sum" and len(words) in (32, 40, 64, 128) and set(words) <= set("0123456789abcdef"):
        return Checksum(sum=words)
    raise FactError(f"the answer about checksums is not understood: {beginning(mark, 20)} {cited(words, 80)}")
