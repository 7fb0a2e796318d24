"""The fact `content`: whether a regular file holds a text. Arguments: the absolute path, and the text.

A file is bytes, and so is the text (UTF-8): it is looked for byte by byte, in the whole file, whatever its size, its
encoding, its NULs and the length of its lines. Small files are carried to us, all of them by one `head`, as bytes; what
is larger, or tells no size (/proc), is searched on the host, where nothing of it is held but what could be the text. A
text with a secret in it is not sent to a host, where whoever lists processes would read it: its file is carried, or the
answer is not known.
"""

from __future__ import annotations

import os
from stat import S_ISREG

from infratest.cleaning import masked
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import (
    BYTES,
    COUNT_LINES,
    NOT_FOUND,
    ONE_LINE,
    lines,
    number,
    plain_bytes,
    unescaped,
    without,
)
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Content(Record):
    """Whether a regular file holds a text.

    Args:
        there: whether there is a regular file. line: where the text begins, lines: how many there are; None where that
        was not counted. problem: as in File.
    """

    there: bool = True
    holds: bool = False
    line: int | None = None
    lines: int | None = None
    problem: str = ""

    def in_words(self) -> str:
        if not self.there:
            return "does not exist or is no regular file"
        where = "" if self.line is None else f" in line {self.line}"
        size = "" if self.lines is None else f" in {self.lines} line{'' if self.lines == 1 else 's'}"
        return f"the text is there{where}" if self.holds else f"the text is not there{size}"


#: Bytes of a file that is carried, of one that is asked for a secret, and of all that are carried together.
LIMIT, SECRET_LIMIT, TOGETHER = 2**16, 2**20, 2**20

#: KiB of memory that grep may take on a host.
MEMORY = 2**18

#: Bytes that this process reads of a file at once, and in all: a larger one is searched by programs with a deadline.
PIECE, HERE = 2**20, 2**26

# The parameters of one question: path, text, the characters of the text for `tr` (none where the text is a secret, and
# not sent), and another character that takes the place of its line breaks, where it has any. Lines: `none N`, `other
# N`, `error N words`; `carried WAY N N ...`, `bytes HOW`, the bytes and `.`; `in N M` where the question N is about the
# file that was carried for M, else `is N`, `not N`, `unread N` or `secret N`; `done` at the very end. head names each
# file before its content by a way that no content can know: the path behind a random number of this run, spelt in
# slashes and dots. Where it cannot read one of them to its end, all are searched.
#
# A file is searched by tr and grep. tr makes a line break of every byte that is not in the text, so that grep holds the
# rest alone, however long the file's own lines are; what is left of them may still have no end (one byte, again and
# again), so grep's memory is bounded, and past that nothing is known.
SNIPPET = r"""
all=0
while [ $# -gt 0 ]; do
  all=$((all + 1))
  eval "path_$all=\$1 text_$all=\$2 kept_$all=\$3 swap_$all=\$4 first_$all= carried_$all="
  shift 4
done
i=0
while [ $i -lt $all ]; do
  i=$((i + 1))
  eval "set -- \"\$@\" \"\$path_$i\""
done
not_found "$@"
search() {
  eval "path=\$path_$1 text=\$text_$1 kept=\$kept_$1 swap=\$swap_$1"
  if [ -n "$swap" ]; then
    said=$( { { tr "$swap\n" "\n$swap" <"$path" || echo unread >&3; } | tr -cs "$kept" '\n' | holds; } 3>&1 )
  else
    said=$( { { tr -cs "$kept" '\n' <"$path" || echo unread >&3; } | holds; } 3>&1 )
  fi
  case $said in *is*) echo "is $1" ;; *unread*) echo "unread $1" ;; *) echo "not $1" ;; esac
} 2>/dev/null
holds() {
  ulimit -v MEMORY
  grep -q -F -e "$text"
  case $? in 0) echo is >&3 ;; 1) ;; *) echo unread >&3 ;; esac
}
way() {
  { read -r digits </proc/sys/kernel/random/uuid; } 2>/dev/null ||
    digits=$(od -A n -t x1 -N 16 /dev/urandom | tr -d ' \n')
  [ -n "$digits" ] || { echo 'neither /proc/sys/kernel/random/uuid nor /dev/urandom can be read' >&2; exit NO_TOOL; }
  way=
  while [ -n "$digits" ]; do
    case $digits in [0-3]*) way=$way/ ;; [4-7]*) way=$way/. ;; [89ab]*) way=$way//. ;; *) way=$way/./ ;; esac
    digits=${digits#?}
  done
}
i=0 last= first= places=
for path in "$@"; do
  shift
  i=$((i + 1))
  eval "kept=\$kept_$i limit_$i=LIMIT"
  if [ "$path" = "$last" ]; then
    eval "first_$i=\$first"
    [ -n "$kept" ] || eval "limit_$first=SECRET"
  elif [ -f "$path" ] && [ -r "$path" ]; then
    set -- "$@" "$path"
    last=$path first=$i places="$places $i"
    eval "first_$i=\$i"
    [ -n "$kept" ] || eval "limit_$i=SECRET"
  elif [ -f "$path" ]; then
    echo "error $i Permission denied"
  elif [ -e "$path" ]; then
    echo "other $i"
  fi
done
sizes=
[ $# -eq 0 ] || sizes=$(stat -L -c %s -- "$@")$nl
count_lines "$sizes"
[ $count -eq $# ] || sizes=
carried= left=TOGETHER
[ $# -eq 0 ] || way
for i in $places; do
  path=$1 size=${sizes%%"$nl"*} sizes=${sizes#*"$nl"}
  shift
  eval "limit=\$limit_$i"
  if [ "${size:-0}" -gt 0 ] && [ "$size" -le "$limit" ] && [ "$size" -le $left ]; then
    left=$((left - size)) carried="$carried $i"
    set -- "$@" "$way$path"
    eval "carried_$i=yes"
  fi
done
status=0
if [ -n "$carried" ]; then
  echo "carried $way$carried"
  exec 4>&1
  status=$( { { head -v -c MORE -- "$@" 2>/dev/null; echo $? >&3; } | bytes >&4; } 3>&1 )
  echo .
fi
i=0
while [ $i -lt $all ]; do
  i=$((i + 1))
  eval "first=\$first_$i"
  [ -n "$first" ] || continue
  eval "carried=\$carried_$first kept=\$kept_$i"
  if [ -n "$carried" ] && [ "$status" = 0 ]; then
    echo "in $i $first"
  elif [ -n "$kept" ]; then
    search $i
  else
    echo "secret $i"
  fi
done
echo "done"
""".replace("NO_TOOL", str(NO_TOOL)).replace("TOGETHER", str(TOGETHER))
SNIPPET = SNIPPET.replace("SECRET", str(SECRET_LIMIT)).replace("LIMIT", str(LIMIT))
SNIPPET = SNIPPET.replace("MORE", str(SECRET_LIMIT + 1)).replace("MEMORY", str(MEMORY))


class ContentFact(LooksForEach, LooksHere):
    """Texts in files."""

    encoded = True

    def snippet(self) -> str:
        tools = "".join(without(tool, f"{tool} is not installed on this host") for tool in ("tr", "grep", "stat"))
        return tools + ONE_LINE + COUNT_LINES + NOT_FOUND + BYTES + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        path, text = argument
        if masked(text) != text:
            return path, "", "", ""
        used = set(_machine.encoded(text))
        if "\n" not in text:
            return path, text, _characters(used), ""
        free = next((byte for byte in range(1, 128) if byte not in used and byte != 10), None)
        if free is None:
            raise FactError("a text of several lines that holds every ASCII character cannot be looked for")
        used = used - {10} | {free}
        return path, text.replace("\n", chr(free)), _characters(used), f"\\{free:03o}"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if rows[-1:] != ["done"]:
            raise FactError(f"the answer about files' contents is not understood: {answer.out[:80]!r}")
        answered: dict[int, Content] = {}
        carried: dict[int, bytes] = {}
        left = iter(rows[:-1])
        for row in left:
            mark, _, rest = row.partition(" ")
            if mark == "carried":
                carried = _carried(rest, plain_bytes(left), arguments)
                continue
            index, _, words = rest.partition(" ")
            place = number(index, "an index")
            if not 0 < place <= len(arguments):
                raise FactError(f"the answer about files' contents is not understood: {row[:80]!r}")
            if mark == "in":
                answered[place] = _within(carried.get(number(words, "an index")), arguments[place - 1][1])
            else:
                answered[place] = _told(mark, unescaped(words))
        return {argument: answered[place] for place, argument in enumerate(arguments, 1) if place in answered}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        paths = [_machine.encoded(path) for path, _ in arguments]
        if _machine.may_wait(paths):
            return None
        seen = {argument: _here(path, argument[1]) for argument, path in zip(arguments, paths, strict=True)}
        return {argument: content for argument, content in seen.items() if content is not None}


def _characters(used: set[int]) -> str:
    """Return bytes as a set for `tr`, in which no range, class or escape can be meant."""
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else f"\\{byte:03o}" for byte in sorted(used))


def _told(mark: str, words: str) -> Content:
    if mark in ("none", "other"):
        return Content(there=False)
    if mark == "unread":
        return Content(problem="it cannot be read to its end")
    if mark == "error":
        return Content(problem=words)
    if mark == "secret":
        return Content(problem="a secret is looked for in a file of at most 1 MiB that tells its size")
    if mark in ("is", "not"):
        return Content(holds=mark == "is")
    raise FactError(f"the answer about files' contents is not understood: {mark[:80]!r}")


def _carried(row: str, data: bytes, arguments: Sequence[Argument]) -> dict[int, bytes]:
    """Return the files that head printed, by the index of the first question about each."""
    way, *indexes = row.split(" ")
    places = [number(index, "an index") for index in indexes]
    if not all(0 < place <= len(arguments) for place in places):
        raise FactError(f"the answer about files' contents is not understood: {row[:80]!r}")
    heads = [_machine.encoded(f"==> {way}{arguments[place - 1][0]} <==\n") for place in places]
    files: dict[int, bytes] = {}
    for place, head, following in zip(places, heads, [*heads[1:], b""], strict=True):
        if not data.startswith(head):
            raise FactError(f"head did not print {arguments[place - 1][0]!r} where it was expected")
        end = data.find(b"\n" + following, len(head)) if following else len(data)
        files[place], data = data[len(head) : end], data[end + 1 :]
    return files


def _within(data: bytes | None, text: str) -> Content:
    """Return what is so in a file that was carried; one that grew in between is cut, and then no denial is known."""
    if data is None:
        raise FactError("the answer about files' contents names a file that it does not hold")
    place = data.find(_machine.encoded(text))
    if place >= 0:
        return Content(holds=True, line=data.count(b"\n", 0, place) + 1)
    if len(data) > SECRET_LIMIT:
        return Content(problem="it grew while it was read")
    return Content(lines=data.count(b"\n") + (data[-1:] not in (b"\n", b"")))


def _here(path: bytes, text: str) -> Content | None:
    """Return what is so in a file of this machine; None where it is too large to be read without a deadline."""
    try:
        status = os.stat(path)
        if not S_ISREG(status.st_mode):
            return Content(there=False)
        return None if status.st_size > HERE else _searched(path, _machine.encoded(text))
    except OSError as error:
        return Content(there=False) if _machine.absent(error) else Content(problem=_machine.why(error))


def _searched(path: bytes, text: bytes) -> Content | None:
    handle = os.open(path, _machine.READ_ONLY)
    try:
        window, before, size, last = b"", 0, 0, b"\n"
        while piece := os.read(handle, PIECE):
            window += piece
            place = window.find(text)
            if place >= 0:
                return Content(holds=True, line=before + window.count(b"\n", 0, place) + 1)
            # What may be the beginning of the text is looked at again with what follows.
            keep = min(len(text) - 1, len(window))
            before += window.count(b"\n", 0, len(window) - keep)
            window, last, size = window[len(window) - keep :], piece[-1:], size + len(piece)
            if size > HERE:
                return None
        return Content(lines=before + window.count(b"\n") + (last != b"\n"))
    finally:
        os.close(handle)
