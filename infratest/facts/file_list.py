"""The fact `file-list`: what is below a folder, and which files are just as a package brought them.

Argument: the folder's absolute path. Told are kind, mode, owner, group, size, and an MD5 sum of files up to 1 MiB that
everybody may read: it says whether a file is another than before. Of another file nothing is told that its content
could be guessed by, but for those of sudo. A name with a line end is a problem that is told; of any other problem it is
told, too, below which path the list may lack something. Left out are other file systems, and folders that hold copies
(of a version control, of a package manager, of caches) or links that say which units are enabled. Asked by `coverage`
and `drift`.

Whether a file is as its package brought it is said by the sum that the package manager has of it: dpkg MD5, rpm SHA-256
(an old one MD5), apk SHA-1 (`Z:` in its database, apk-package(5)), pacman SHA-256 or MD5 in each package's
mtree(5). Where it has no sum of a file, the file is told as one that nobody brought.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._package_manager import MANAGER
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
#: Folders of which it is kept that the list may lack something of them; of more, it is the folder that was asked for.
MOST_UNSEEN = 100
#: Files whose content may be known by its sum: those that everybody may read, and those that say who may do what, in
#: which nothing is secret.
OPEN = (
    r"\( -perm -0004 -o -path /etc/sudoers -o -path /etc//sudoers"
    r" -o -path '/etc/sudoers.d/*' -o -path '/etc//sudoers.d/*' \)"
)
#: How the words of a program begin that could not sum a file.
SUMMING = ("md5sum: ", "sha1sum: ", "sha256sum: ")
#: What is told of a name that is not looked at.
ODD_NAME = "a name with a line end, or a link to one, is not looked at"
#: Folders that are not looked into, by name: of copies, and of links that say which units are enabled.
COPIES = (".git", ".hg", ".svn", ".bzr", "node_modules", "__pycache__", ".cache", "lost+found")
LINKS = ("'rc?.d'", "'*.wants'", "'*.requires'")
#: What the first digits of a mode in hexadecimal mean, before its last three: S_IFMT of stat(2).
KINDS = {
    "8": "file", "a": "link", "4": "directory", "1": "pipe", "c": "socket", "2": "character device",
    "6": "block device",
}  # fmt: skip

# First `p SUM PATH` and `o PATH` of what packages own, to a dot. Then for each folder, to a dot: `folder`, or `none`;
# `s MODE OWNER GROUP SIZE PATH` of each file and link, the mode in hexadecimal; `l PATH` and then `t TARGET` of each
# link; `m MD5 PATH` of each file, and `h SUM PATH` as its package manager sums; `M` and `H` where the program wrote a
# backslash of the path twice (GNU's sum programs do, and mark the line); `n` for a name that is not looked at, or the
# target of a link; any other line is a problem. GNU's find prints targets itself; for others, a process reads each.
# What find cannot look into, `odd` alone tells, which has ended before: two programs at a time would tear lines.
SNIPPET = (
    r"""
below() {
  find "$folder/" -xdev \( -name '*
*' -o -type d \( COPIES \) \) -prune -o "$@" -print 2>/dev/null | head -n MOST | tr '\n' '\000'
}
odd() {
  find "$folder/" -xdev -type d \( COPIES \) -prune -o -name '*
*' -prune -exec echo n \; 2>&1
}
each() { xargs -0 -r "$@" 2>&1; }
if find / -maxdepth 0 \( -lname x -o -printf '' \) 2>/dev/null; then
  links() {
    find "$folder/" -xdev \( -name '*
*' -o -type d \( COPIES \) \) -prune -o -type l \( -lname '*
*' -exec echo n \; -o -printf 'l %p\nt %l\n' \) 2>/dev/null | head -n TWICE
  }
else
  links() {
    below -type l | each sh -c 'for path; do
      target=$(readlink "$path")
      case $target in *"
"*) echo n ;; *) printf "l %s\nt %s\n" "$path" "$target" ;; esac
    done' sh
  }
fi
owned() {
  managed=$({
    MANAGER
    echo "$rpm"
  } 2>/dev/null)
  sums= names= spaced=
  for folder; do
    sums="$sums$nl  ${folder#/}/" names="$names$nl$folder/" spaced="$spaced$nl $folder/"
  done
  sums=${sums#"$nl"} names=${names#"$nl"} spaced=${spaced#"$nl"}
  case ${managed%%"$nl"*} in
  dpkg)
    dpkg-query -W -f '${Conffiles}\n' | sed -n 's/^ \(\/.*\) \([0-9a-f]\{32\}\)$/p \2 \1/p'
    grep -hF "$sums" /dev/null /var/lib/dpkg/info/*.md5sums 2>/dev/null | sed 's/^\\\{0,1\}\([0-9a-f]*\)  /p \1 \//'
    grep -hF "$names" /dev/null /var/lib/dpkg/info/*.list 2>/dev/null | sed 's/^/o /'
    ;;
  rpm)
    also=sha256sum
    rpm --dbpath "${managed#*"$nl"}" -qa --qf '[%{FILEDIGESTS} %{FILENAMES}\n]' | grep -F "$spaced" |
      sed -e 's/^ /o /' -e t -e 's/^/p /'
    ;;
  apk)
    also=sha1sum
    cat /lib/apk/db/installed /usr/lib/apk/db/installed 2>/dev/null | awk '
      /^F:/ { folder = "/" substr($0, 3); print "o " folder }
      /^R:/ { file = folder "/" substr($0, 3); print "o " file }
      /^Z:/ { print "p " substr($0, 3) " " file }' | grep -F "$spaced"
    ;;
  pacman)
    also=sha256sum
    cat /var/lib/pacman/local/*/mtree 2>/dev/null | gzip -dc | sed -n \
      -e 's/^\.\(\/[^ ]*\) .*sha256digest=\([0-9a-f]\{64\}\).*/p \2 \1/p' -e t \
      -e 's/^\.\(\/[^ ]*\) .*md5digest=\([0-9a-f]\{32\}\).*/p \2 \1/p' -e t \
      -e 's/^\.\(\/[^ ]*\).*/o \1/p' | grep -F "$spaced"
    ;;
  esac
}
also=
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
  odd
  below -name '*' | each stat -c 's %f %U %G %s %n'
  links
  below -type f OPEN -size -2049 | each md5sum |
    sed -e 's/^\([0-9a-f]\{32\}\)  /m \1 /' -e 's/^\\\([0-9a-f]\{32\}\)  /M \1 /'
  [ -z "$also" ] ||
    below -type f OPEN -size -2049 | each "$also" |
    sed -e 's/^\([0-9a-f]\{40,64\}\)  /h \1 /' -e 's/^\\\([0-9a-f]\{40,64\}\)  /H \1 /'
  echo .
done
""".replace("COPIES", " -o ".join(f"-name {name}" for name in COPIES + LINKS))
    .replace("MOST", str(MOST))
    .replace("TWICE", str(2 * MOST))
    .replace("OPEN", OPEN)
)
SNIPPET = SNIPPET.replace("    MANAGER\n", MANAGER)


class ListedFile(Record):
    """A file, or what else has a name.

    Args:
        kind: one of KINDS. mode: as `0644`. size: bytes. sum: the MD5 sum, empty where it is not told. target: of a
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
        there: whether there is such a folder. files: all that is no folder. folders: also the folder itself.
        problems: what could not be looked at, in words: the list lacks it. unseen: paths; what is there or below it may
        be missing from the list, and all else is not.
    """

    there: bool
    files: tuple[ListedFile, ...] = ()
    problems: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    folders: tuple[ListedFile, ...] = ()

    def in_words(self) -> str:
        if not self.there:
            return "there is no such folder"
        return "; ".join([f"{len(self.files)} files and links, {len(self.folders)} folders", *self.problems])


class FileListFact(LooksForEach):
    """Files, listed."""

    #: Thousands of files are summed, on a host that is busy as well; no check waits for them.
    patience_there = 28.0

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
        return {
            argument: _files(argument[0], part, packaged) for argument, part in zip(arguments, parts[1:-1], strict=True)
        }


def _packaged(rows: Sequence[str]) -> set[tuple[str, str]]:
    """Return path and sum of each file of a package, and path and nothing of all that packages own."""
    made = set()
    for row in rows:
        mark, words = row[:2], row[2:]
        if mark not in ("p ", "o "):
            raise FactError(f"the answer about files of packages is not understood: {cited(row, 80)}")
        digest, _, path = words.partition(" ") if mark == "p " else ("", "", words)
        made.add((_unescaped(path), _hexadecimal(digest)))
    return made


def _hexadecimal(digest: str) -> str:
    """Return a sum as the programs print it; apk writes `Q1` and the SHA-1 sum in base64."""
    if not digest.startswith("Q1"):
        return digest
    from binascii import Error, a2b_base64, b2a_hex

    try:
        return b2a_hex(a2b_base64(digest[2:], strict_mode=True)).decode()
    except (Error, ValueError) as error:
        raise FactError(f"the answer about files of packages is not understood: the sum {cited(digest, 80)}") from error


def _unescaped(path: str) -> str:
    r"""Return a path as it is: mtree(5) writes a blank as `\040`, and bytes beyond ASCII so, too."""
    if "\\" not in path:
        return path
    first, *others = path.encode(errors="surrogateescape").split(b"\\")
    try:
        octal = b"".join(bytes([int(part[:3], 8)]) + part[3:] for part in others)
    except ValueError:
        return path  # a name of another manager, which is not looked at
    return (first + octal).decode(errors="surrogateescape")


class _Rows:
    """The lines of one folder, sorted by their marks."""

    def __init__(self, folder: str, rows: Sequence[str], packaged: set[tuple[str, str]]) -> None:
        self.stats: list[str] = []
        self.sums: dict[str, str] = {}
        self.hashes: dict[str, str] = {}
        self.targets: dict[str, str] = {}
        self.packaged = packaged
        self.problems: dict[str, str] = {}  # and below which path the list may lack something, or nothing
        self._link = ""
        marks = {
            "s ": self.stats.append, "m ": self._sum, "M ": self._sum_of_odd, "h ": self._hash, "H ": self._hash_of_odd,
            "l ": self._link_path, "t ": self._target,
        }  # fmt: skip
        for row in rows:
            if row[:2] in marks:
                marks[row[:2]](row[2:])
            elif row == "n":
                self.problems[f"{folder}: {ODD_NAME}"] = ""
            elif not row.endswith(": No such file or directory"):  # it went while we looked
                self.problems[row] = _place(row, folder)
        if len(self.stats) >= MOST or len(self.targets) >= MOST:
            self.problems[f"there are more than {MOST} files"] = folder

    def _sum(self, words: str) -> None:
        self.sums[_plain(words[33:])] = words[:32]

    def _sum_of_odd(self, words: str) -> None:
        self._sum(words.replace("\\\\", "\\"))

    def _hash_of_odd(self, words: str) -> None:
        self._hash(words.replace("\\\\", "\\"))

    def _hash(self, words: str) -> None:
        digest, _, path = words.partition(" ")
        self.hashes[_plain(path)] = digest

    def _link_path(self, words: str) -> None:
        self._link = words

    def _target(self, words: str) -> None:
        self.targets[_plain(self._link)] = words

    def file(self, words: str) -> ListedFile:
        """Return what a line of stat and the others say. Raises FactError."""
        fields = words.split(" ", 4)
        if len(fields) != 5 or fields[0][:-3] not in KINDS:
            raise FactError(f"the answer about files is not understood: {cited(words, 80)}")
        bits, owner, group, size, path = fields
        path, kind = _plain(path), KINDS[bits[:-3]]
        try:
            mode = f"{int(bits, 16) & 0o7777:04o}"
        except ValueError:
            raise FactError(f"the answer about files is not understood: the mode {cited(bits, 20)}") from None
        md5 = self.sums.get(path, "")
        # Only a file has a sum; that a package owns it is all that its database says of a link or a folder.
        digests = (md5, self.hashes.get(path, "")) if kind == "file" else ("",)
        packaged = any((digest or kind != "file") and (path, digest) in self.packaged for digest in digests)
        target = self.targets.get(path, "")
        return ListedFile(path, kind, mode, owner, group, number(size, "a file's size"), md5, target, packaged)


def _place(problem: str, folder: str) -> str:
    """Return below which path a list lacks something, by a problem in words: the folder, where it names none in it."""
    if problem.startswith(SUMMING):
        return ""  # the file is listed without its sum
    words = problem.rpartition(": ")[0]
    _, quote, rest = words.partition("'/")
    path = "/" + (rest.removesuffix("'") if quote else words.partition("/")[2])
    path = _plain(path)
    plain = problem.startswith(("find: ", "stat: ")) and path.isascii() and "\\" not in path and "'" not in path
    return path if plain and path.startswith(f"{folder}/") else folder


def _files(folder: str, rows: Sequence[str], packaged: set[tuple[str, str]]) -> FileList:
    if rows == ["none"]:
        return FileList(there=False)
    if rows[:1] != ["folder"]:
        raise FactError(f"the answer about files is not understood: {cited(' '.join(rows), 80)}")
    sorted_rows = _Rows(folder, rows[1:], packaged)
    problems = [row[:200] for row in sorted_rows.problems]  # a folder that is shut is met by each find, and kept once
    more = [f"{len(problems) - TOLD} more problems"] if len(problems) > TOLD else []
    files = sorted([sorted_rows.file(words) for words in sorted_rows.stats], key=lambda one: one.path)
    listed = tuple([one for one in files if one.kind != "link" or one.target])  # the others went, or are told as odd
    unseen = {place for place in sorted_rows.problems.values() if place}
    unseen |= {one.path for one in files if one.kind == "link" and not one.target}
    places = tuple(sorted(unseen)) if len(unseen) <= MOST_UNSEEN else (folder,)
    folders = tuple([one for one in listed if one.kind == "directory"])
    others = tuple([one for one in listed if one.kind != "directory"])
    return FileList(True, others, (*problems[:TOLD], *more), places, folders)


def _plain(path: str) -> str:
    """Return a path without the slash that is put behind the folder, or a second one that find put there."""
    return path.replace("//", "/").rstrip("/")
