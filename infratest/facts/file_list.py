"""The fact `file-list`: the files and links below a folder, and which of them are just as a package brought them.

Argument: the folder's absolute path. Told are kind, mode, owner, group, size, and an MD5 sum of files up to 1 MiB that
everybody may read: it says whether a file is another than before, and is what dpkg has of its own files. Of a file
that not everybody may read nothing is told that its content could be guessed by. A name with a line end or a backslash
is a problem that is told. Left out are other file systems, and folders that hold copies (of a version control, of a
package manager, of caches) or links that say which units are enabled and which alternative is chosen. Of packages dpkg
alone is asked. Asked by `coverage`.
"""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts._shell import lines, number, without_any
from infratest.facts.base import Answer, Argument, LooksForEach, absolute
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Files that are told of one folder: of more, find is ended by the pipe that it writes to.
MOST = 5_000
#: Problems of a folder that are kept in words.
TOLD = 3
#: Folders that are not looked into, by name: of copies, and of links that programs of the distribution keep.
COPIES = (".git", ".hg", ".svn", ".bzr", "node_modules", "__pycache__", ".cache", "lost+found")
LINKS = ("alternatives", "'rc?.d'", "'*.wants'", "'*.requires'")
#: What the first digit of a mode in hexadecimal means: S_IFMT of stat(2).
KINDS = {"8": "file", "a": "link"}

# First `p MD5 PATH` and `o PATH` of what packages own, to a dot. Then for each folder, to a dot: `folder`, or `none`;
# `s MODE OWNER GROUP SIZE PATH` of each file and link, the mode in hexadecimal; `l PATH` and then `t TARGET` of each
# link; `m MD5 PATH` of each file; any other line is a problem.
SNIPPET = r"""
below() {
  find "$folder/" -xdev \( -name '*
*' -o -name '*\\*' -o -type d \( COPIES \) \) -prune -o "$@" -print 2>&3 | head -n MOST | tr '\n' '\000'
}
odd() {
  find "$folder/" -xdev -type d \( COPIES \) -prune -o \( -name '*
*' -o -name '*\\*' \) -prune -exec echo "$folder: a name with a line end or a backslash is not looked at" \; 2>&1
}
each() { xargs -0 -r "$@" 2>&1; }
owned() {
  [ -s /var/lib/dpkg/status ] && command -v dpkg-query >/dev/null 2>&1 || return 0
  dpkg-query -W -f '${Conffiles}\n' | sed -n 's/^ \(\/.*\) \([0-9a-f]\{32\}\)$/p \2 \1/p'
  sums= names=
  for folder; do
    sums="$sums$nl  ${folder#/}/" names="$names$nl$folder/"
  done
  grep -hF "${sums#"$nl"}" /dev/null /var/lib/dpkg/info/*.md5sums 2>/dev/null | sed 's/^\([0-9a-f]*\)  /p \1 \//'
  grep -hF "${names#"$nl"}" /dev/null /var/lib/dpkg/info/*.list 2>/dev/null | sed 's/^/o /'
}
nl='
'
owned "$@"
echo .
for folder; do
  if ! [ -d "$folder" ]; then
    words=$(stat -L -c %F -- "$folder" 2>&1)
    case $words in
    *': No such file or directory' | *': Not a directory') echo none ;;
    *) printf 'folder\n%s\n' "$words" ;;
    esac
    echo .
    continue
  fi
  echo folder
  {
    odd
    below \( -type f -o -type l \) | each stat -c 's %f %U %G %s %n'
    below -type l | each sh -c 'for path; do printf "l %s\nt %s\n" "$path" "$(readlink "$path")"; done' sh
    below -type f -perm -0004 -size -2049 | each md5sum | sed 's/^\([0-9a-f]\{32\}\)  /m \1 /'
  } 3>&1
  echo .
done
""".replace("COPIES", " -o ".join(f"-name {name}" for name in COPIES + LINKS)).replace("MOST", str(MOST))


class ListedFile(Record):
    """A file or link.

    Args:
        kind: `file` or `link`. mode: as `0644`. size: bytes. sum: the MD5 sum, empty where it is not told. target: of a
        link. packaged: whether it is just as the package brought it that owns it.
    """

    path: str
    kind: str
    mode: str
    owner: str
    group: str
    size: int
    sum: str = ""
    target: str = ""
    packaged: bool = False


class FileList(Record):
    """What is below a folder, by path.

    Args:
        there: whether there is such a folder. problems: what could not be looked at, in words: the list lacks it.
    """

    there: bool
    files: tuple[ListedFile, ...] = ()
    problems: tuple[str, ...] = ()

    def in_words(self) -> str:
        if not self.there:
            return "there is no such folder"
        return "; ".join([f"{len(self.files)} files and links", *self.problems])


class FileListFact(LooksForEach):
    """Files, listed."""

    def snippet(self) -> str:
        return without_any("find", "stat", "md5sum", "readlink", "sed", "grep", "head", "tr", "xargs") + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        return (absolute(argument[0]),)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        parts: list[list[str]] = [[]]  # what packages own, then the folders
        for row in lines(self.readable(answer).out):
            if row == ".":
                parts.append([])
            else:
                parts[-1].append(row)
        if len(parts) != len(arguments) + 2 or parts[-1]:
            raise FactError(f"{len(arguments)} folders were asked about, and {max(len(parts) - 2, 0)} answered")
        packaged = _packaged(parts[0])
        return {argument: _files(part, packaged) for argument, part in zip(arguments, parts[1:-1], strict=True)}


def _packaged(rows: Sequence[str]) -> set[tuple[str, str]]:
    """Return path and MD5 sum of each file of a package, and path and nothing of all that packages own."""
    made = set()
    for row in rows:
        mark, words = row[:2], row[2:]
        if mark not in ("p ", "o "):
            raise FactError(f"the answer about files of packages is not understood: {row[:80]!r}")
        made.add((words[33:], words[:32]) if mark == "p " else (words, ""))
    return made


class _Rows:
    """The lines of one folder, sorted by their marks."""

    def __init__(self, rows: Sequence[str], packaged: set[tuple[str, str]]) -> None:
        self.stats: list[str] = []
        self.sums: dict[str, str] = {}
        self.targets: dict[str, str] = {}
        self.packaged = packaged
        self.problems: list[str] = []
        self._link = ""
        marks = {"s ": self.stats.append, "m ": self._sum, "l ": self._link_path, "t ": self._target}
        for row in rows:
            if row[:2] in marks:
                marks[row[:2]](row[2:])
            elif not row.endswith(": No such file or directory"):  # it went while we looked
                self.problems.append(row[:200])
        if len(self.stats) >= MOST or len(self.targets) >= MOST:
            self.problems.append(f"there are more than {MOST} files")

    def _sum(self, words: str) -> None:
        self.sums[_plain(words[33:])] = words[:32]

    def _link_path(self, words: str) -> None:
        self._link = words

    def _target(self, words: str) -> None:
        self.targets[_plain(self._link)] = words

    def file(self, words: str) -> ListedFile:
        """Return what a line of stat and the others say. Raises FactError."""
        fields = words.split(" ", 4)
        if len(fields) != 5 or len(fields[0]) < 4 or fields[0][0] not in KINDS:
            raise FactError(f"the answer about files is not understood: {words[:80]!r}")
        bits, owner, group, size, path = fields
        path, kind = _plain(path), KINDS[bits[0]]
        try:
            mode = f"{int(bits, 16) & 0o7777:04o}"
        except ValueError:
            raise FactError(f"the answer about files is not understood: the mode {bits[:20]!r}") from None
        md5 = self.sums.get(path, "")
        # A link has no sum; that a package owns it is all that its database says of it.
        packaged = bool(md5 or kind == "link") and (path, md5) in self.packaged
        target = self.targets.get(path, "")
        return ListedFile(path, kind, mode, owner, group, number(size, "a file's size"), md5, target, packaged)


def _files(rows: Sequence[str], packaged: set[tuple[str, str]]) -> FileList:
    if rows == ["none"]:
        return FileList(there=False)
    if rows[:1] != ["folder"]:
        raise FactError(f"the answer about files is not understood: {' '.join(rows)[:80]!r}")
    sorted_rows = _Rows(rows[1:], packaged)
    problems = list(dict.fromkeys(sorted_rows.problems))  # a folder that is shut is met by each find
    more = [f"{len(problems) - TOLD} more problems"] if len(problems) > TOLD else []
    files = sorted([sorted_rows.file(words) for words in sorted_rows.stats], key=lambda one: one.path)
    return FileList(True, tuple(files), (*problems[:TOLD], *more))


def _plain(path: str) -> str:
    """Return a path without the second slash that find put behind the folder."""
    return path.replace("//", "/")
