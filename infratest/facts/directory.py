"""The fact `directory`: how many files a directory holds itself, how large, and how old the newest is. Arguments: the
absolute path, and a pattern for names as find(1) has it (`*.dump`).

Links are followed. Nothing is told of names, which may hold anything: counted, added and compared on the host, so that
a directory of many thousands costs one line.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError, UserError
from infratest.facts._shell import ONE_LINE, lines, number, unescaped, without_any
from infratest.facts.base import Answer, Argument, LooksForEach, absolute
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# For each two words: `none`, `error WORDS`, or `files COUNT BYTES SECONDS BYTES`: all, and time and size of the newest.
# A number of the file's time is behind `now` in the first line. Of equally new ones the smaller counts.
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
    find -L "$1/" -mindepth 1 -maxdepth 1 -type f -name "$2" -exec stat -L -c '%Y %s' -- {} + 2>&1 || echo 'it failed'
  } | awk '
    $0 !~ /^-?[0-9]+ [0-9]+$/ { if (bad == "") bad = $0; next }
    { count++; bytes += $2 }
    count == 1 || $1 + 0 > at || ($1 + 0 == at && $2 + 0 < size) { at = $1 + 0; size = $2 + 0 }
    END { if (bad != "") print "error " bad; else printf "files %d %.0f %.0f %.0f\n", count, bytes, at, size }'
}
echo "now $(date +%s)"
while [ $# -gt 0 ]; do
  look "$1" "$2"
  shift 2
done
echo .
"""


class Directory(Record):
    """The files in a directory.

    Args:
        there: whether there is such a directory. files: how many. bytes: of all. age: seconds since the newest was
        changed, by the host's clock; size: of that one. problem: why the directory could not be read whole.
    """

    there: bool
    files: int = 0
    bytes: int = 0
    age: int = 0
    size: int = 0
    problem: str = ""

    def in_words(self) -> str:
        from infratest.units import human

        if not self.there or self.problem:
            return self.problem or "there is no such directory"
        words = f"{self.files} files, {human(self.bytes, 'B')}"
        return f"{words}, the newest {human(self.size, 'B')}, {human(self.age, 's')} ago" if self.files else words


class DirectoryFact(LooksForEach):
    """Directories and the files in them."""

    def snippet(self) -> str:
        return without_any("find", "stat", "awk") + ONE_LINE + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        path, pattern = argument
        return absolute(path), file_pattern(pattern)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if len(rows) != len(arguments) + 2 or not rows[0].startswith("now ") or rows[-1] != ".":
            raise FactError(f"the answer about directories is not understood: {cited(answer.out, 80)}")
        now = number(rows[0][4:], "the host's clock")
        return {argument: _directory(row, now) for argument, row in zip(arguments, rows[1:-1], strict=True)}


def file_pattern(pattern: str) -> str:
    """Return a pattern for names of files. Raises UserError where no name can fit."""
    if not pattern or "/" in pattern or "\0" in pattern:
        raise UserError(f"{pattern!r} is no pattern for names of files: a name without a slash, with *, ? or [...]")
    return pattern


def place(path: str) -> tuple[str, str]:
    """Return the directory of a path whose last part is a pattern, and the pattern.

    Raises:
        UserError: the path is not absolute, or a directory of it has a pattern.
    """
    folder, _, pattern = absolute(path).rpartition("/")
    if set(folder) & set("*?["):
        raise UserError(f'"{path}": a pattern may stand in the last part of a path alone')
    return folder or "/", file_pattern(pattern)


def _directory(row: str, now: int) -> Directory:
    mark, _, words = row.partition(" ")
    if row == "none":
        return Directory(there=False)
    if mark == "error":
        return Directory(True, problem=unescaped(words))
    numbers = words.split(" ")
    if mark != "files" or len(numbers) != 4:
        raise FactError(f"the answer about a directory is not understood: {cited(row, 80)}")
    files, total, at, size = [number(word, "a number of files") for word in numbers]
    return Directory(True, files, total, now - at if files else 0, size)
