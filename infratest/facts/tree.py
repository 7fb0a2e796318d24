"""The fact `tree`: whose a directory and what is in it are, and their permission bits, counted by these. Arguments: the
absolute path, and `all` for the directory with all in it, at any depth, or `files` for those that it holds itself.

Links are followed, and one that leads nowhere is left out. A host counts what is alike, so that a directory of many
thousands costs a few lines, and names the first of each. What may be written by an access control list shows in the
bits of the group, as acl(5) has it.
"""

from __future__ import annotations

from infratest.cleaning import literal
from infratest.errors import FactError, UserError
from infratest.facts._shell import ONE_LINE, lines, number, unescaped, without_any
from infratest.facts.base import Answer, Argument, LooksForEach, absolute
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: What is looked at.
ALL, FILES = "all", "files"
#: Sorts of one directory that are told.
MOST = 500

# For each two words: `none`, `error WORDS`, or a line `COUNT TYPE-AND-BITS UID OWNER /PATH` for each sort, each with
# `.` behind it. What went while we looked is not there.
SNIPPET = r"""
look() {
  if ! [ -d "$1" ]; then
    words=$(stat -L -c %F -- "$1" 2>&1)
    case $words in
      *': No such file or directory' | *': Not a directory') echo none ;;
      *': '*) one_line "$words"; printf 'error %s\n' "$line" ;;
      *) echo none ;;
    esac
    return
  fi
  {
    if [ "$2" = files ]; then
      find -L "$1/" -mindepth 1 -maxdepth 1 -type f -exec stat -L -c '%f %u %U %n' -- {} + 2>&1
    else
      find -L "$1/" ! -type l -exec stat -L -c '%f %u %U %n' -- {} + 2>&1
    fi
    echo "end $?"
  } | awk '
    /^end [0-9]+$/ { end = $2; next }
    /^(find|stat): / {
      if ($0 ~ /: No such file or directory$/) gone = 1
      else if (bad == "") bad = $0
      next
    }
    !/^[0-9a-f]+ [0-9]+ [^\/]+ \// { next } # the rest of a name with a line break, whose first line counts
    { at = index($0, " /") }
    { sort = substr($0, 1, at - 1) }
    !(sort in count) && ++sorts <= MOST { first[sort] = substr($0, at + 1, 500) }
    { count[sort]++ }
    END {
      if (bad == "" && end != "0" && !(end == "1" && gone)) bad = "find ended with " (end == "" ? "nothing" : end)
      if (bad == "" && sorts > MOST) bad = "more than MOST sorts of owners and modes"
      if (bad != "") print "error " substr(bad, 1, 500)
      else for (sort in first) print count[sort], sort, first[sort]
    }'
}
while [ $# -gt 0 ]; do
  look "$1" "$2"
  echo .
  shift 2
done
"""


class Sort(Record):
    """What has the same owner and the same bits: how many, and the first of them."""

    mode: str
    uid: int
    owner: str
    count: int
    first: str

    def in_words(self) -> str:
        return f"{self.count} of {self.owner} with {self.mode}"


class Tree(Record):
    """What a directory holds.

    Args:
        there: whether there is such a directory. problem: why it could not be read whole.
    """

    there: bool
    sorts: tuple[Sort, ...] = ()
    problem: str = ""

    def in_words(self) -> str:
        if not self.there or self.problem:
            return self.problem or "there is no such directory"
        listed = [one.in_words() for one in self.sorts[:5]]
        return "; ".join(listed) or "nothing"


class TreeFact(LooksForEach):
    """Directories with all in them."""

    #: Many thousands of files are looked at, on a host that is busy as well.
    patience_there = 28.0

    def snippet(self) -> str:
        return without_any("find", "stat", "awk") + ONE_LINE + SNIPPET.replace("MOST", str(MOST))

    def words(self, argument: Argument) -> tuple[str, ...]:
        path, which = argument
        if which not in (ALL, FILES):
            raise UserError(f"{which!r}: expected {ALL} or {FILES}")
        return absolute(path), which

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        parts: list[list[str]] = [[]]
        for row in lines(self.readable(answer).out):
            if row == ".":
                parts.append([])
            else:
                parts[-1].append(row)
        if len(parts) != len(arguments) + 1 or parts[-1]:
            raise FactError(f"{len(arguments)} directories were asked about, and {len(parts) - 1} answered")
        return {argument: _tree(rows) for argument, rows in zip(arguments, parts[:-1], strict=True)}


def _tree(rows: Sequence[str]) -> Tree:
    if list(rows) == ["none"]:
        return Tree(there=False)
    if len(rows) == 1 and rows[0].startswith("error "):
        return Tree(True, problem=unescaped(rows[0][6:]))
    return Tree(True, tuple(sorted([_sort(row) for row in rows], key=lambda one: (one.first, one.mode))))


def _sort(row: str) -> Sort:
    count, bits, uid, rest = (*row.split(" ", 3), "", "", "")[:4]
    owner, slash, path = rest.partition(" /")
    try:
        mode = f"{int(bits, 16) & 0o7777:04o}"
    except ValueError:
        mode = ""
    if not slash or not owner or not mode:
        raise FactError(f"the answer about a directory is not understood: {literal(row, 80)}")
    first = f"/{path}".replace("//", "/").rstrip("/") or "/"
    return Sort(mode, number(uid, "an owner's number"), owner, number(count, "a number of files"), first)
