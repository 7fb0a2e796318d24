"""The fact `file`: what a path is, whose, with which mode. Argument: the absolute path.

One `stat` (GNU's or busybox's) for all paths that are there, links followed; `readlink` for those that are links. Only
what the shell does not find is asked of another one, for the words that tell "not there" from "not allowed".
"""

from __future__ import annotations

import os
from stat import S_ISLNK
from time import time

from infratest.cleaning import cited, decoded
from infratest.errors import FactError
from infratest.facts import _accounts, _machine
from infratest.facts._shell import COUNT_LINES, NOT_FOUND, ONE_LINE, lines, number, unescaped, without
from infratest.facts.base import Answer, Argument, LooksForEach, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class File(Record):
    """A path, links followed.

    Args:
        kind: `file`, `directory`, `socket`, `pipe`, `block device`, `character device`; None where nothing is there.
        mode: permission bits, four octal digits. age: seconds since it was last changed, by the host's own clock.
        link: where the path itself is a symbolic link, its target as written; else None.
        device, inode: which file it is, by whatever path; -1 where nothing is there.
        problem: why the host could not look (permission denied), in its own words; all but `link` is then unknown.
    """

    kind: str | None
    mode: str = ""
    owner: str = ""
    group: str = ""
    uid: int = -1
    gid: int = -1
    size: int = 0
    age: int = 0
    device: int = -1
    inode: int = -1
    link: str | None = None
    problem: str = ""

    def in_words(self) -> str:
        from infratest.units import human

        if self.kind is None:
            return "does not exist" if self.link is None else f"a link to {self.link}, which does not exist"
        words = f"{self.kind}, mode {self.mode}, owner {self.owner} ({self.uid}), group {self.group} ({self.gid})"
        words += f", {human(self.size, 'B')}, changed {human(self.age, 's')} ago"
        return words if self.link is None else f"a link to {self.link}: {words}"


# Lines: `now SECONDS`; for paths `link N target`, `none N`, `error N words`; `all N N ...` and a line of stat for each
# of these. A name is last in that: a directory service may have one with blanks. One readlink tells all targets
# where it says a line of each; each link is asked alone where it does not (busybox's takes one).
SNIPPET = r"""
links() {
  n=0 places=
  for path in "$@"; do
    shift
    n=$((n + 1))
    [ -L "$path" ] || continue
    places="$places $n"
    set -- "$@" "$path"
  done
  [ $# -gt 0 ] || return 0
  targets=$(readlink -- "$@" 2>/dev/null && echo .)
  count_lines "$targets"
  together=$(($# == count))
  for n in $places; do
    if [ "$together" -eq 1 ]; then
      one_line "${targets%%"$nl"*}$nl."
      targets=${targets#*"$nl"}
    else
      one_line "$(readlink -- "$1"; echo .)"
    fi
    printf 'link %s %s\n' "$n" "$line"
    shift
  done
}
echo "now $(date +%s)"
not_found "$@"
links "$@"
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
  stat -L -c '%f:%u:%g:%s:%Y:%d:%i:%U:%G' -- "$@"
fi
"""

#: The type bits of st_mode: inode(7).
KINDS = {
    0o140000: "socket",
    0o100000: "file",
    0o060000: "block device",
    0o040000: "directory",
    0o020000: "character device",
    0o010000: "pipe",
}


class FileFact(LooksForEach, LooksHere):
    """Paths and what they are."""

    def snippet(self) -> str:
        return (
            without("stat", "stat (coreutils) is not installed on this host")
            + without("date", "date (coreutils) is not installed on this host")
            + ONE_LINE
            + COUNT_LINES
            + NOT_FOUND
            + SNIPPET
        )

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        now, links, lost, there, problems = 0, {}, [], [], {}
        found: dict[int, File] = {}
        for position, row in enumerate(rows):
            mark, _, rest = row.partition(" ")
            index, _, text = rest.partition(" ")
            if mark == "now":
                now = number(rest, "the time")
            elif mark == "link" and text != ".":  # a link of /proc that may not be read has a target that nobody tells
                links[number(index, "an index")] = unescaped(text).removesuffix("\n.")
            elif mark == "none":
                lost.append(number(index, "an index"))
            elif mark == "error":
                problems[number(index, "an index")] = unescaped(text)
            elif mark == "all":
                indexes = [number(one, "an index") for one in rest.split()]
                there = list(zip(indexes, rows[position + 1 :], strict=False))
                break
        found.update({index: File(kind=None, link=links.get(index)) for index in lost})
        # Of a link whose target cannot be looked at, the link itself was seen.
        found.update({index: File(None, link=links.get(index), problem=words) for index, words in problems.items()})
        found.update({index: _file(row, now, links.get(index)) for index, row in there})
        if sorted(found) != list(range(1, len(arguments) + 1)):
            raise FactError(f"of {len(arguments)} files asked for, {len(found)} were answered")
        return {argument: found[index] for index, argument in enumerate(arguments, 1)}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        paths = [_machine.encoded(argument[0]) for argument in arguments]
        if _machine.may_wait(paths):
            return None
        names, now = _accounts.Numbers(), int(time())
        try:
            return {argument: _here(path, now, names) for argument, path in zip(arguments, paths, strict=True)}
        except _accounts.Distant:
            return None


def _here(path: bytes, now: int, names: _accounts.Numbers) -> File:
    link = None
    try:
        status = os.lstat(path)
        if S_ISLNK(status.st_mode):
            link = decoded(os.readlink(path))
            status = os.stat(path)
    except OSError as error:
        return File(kind=None, link=link, problem="" if _machine.absent(error) else _machine.why(error))
    return File(
        kind=KINDS.get(status.st_mode & 0o170000, "unknown kind"),
        mode=f"{status.st_mode & 0o7777:04o}",
        owner=names.user(status.st_uid),
        group=names.group(status.st_gid),
        uid=status.st_uid,
        gid=status.st_gid,
        size=status.st_size,
        age=now - int(status[8]),  # ST_MTIME, whole seconds as stat prints them
        device=status.st_dev,
        inode=status.st_ino,
        link=link,
    )


def _file(row: str, now: int, link: str | None) -> File:
    fields = row.split(":", 8)
    if len(fields) != 9:
        raise FactError(f"stat answered a line that is not understood: {cited(row, 120)}")
    try:
        mode = int(fields[0], 16)
    except ValueError:
        raise FactError(f"stat answered a mode that is not understood: {cited(row, 120)}") from None
    return File(
        kind=KINDS.get(mode & 0o170000, "unknown kind"),
        mode=f"{mode & 0o7777:04o}",
        uid=number(fields[1], "a user id"),
        gid=number(fields[2], "a group id"),
        size=number(fields[3], "a size"),
        age=now - number(fields[4], "a time"),
        device=number(fields[5], "a device"),
        inode=number(fields[6], "an inode"),
        owner=fields[7],
        group=fields[8],
        link=link,
    )
