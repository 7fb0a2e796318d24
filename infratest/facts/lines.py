"""The fact `lines`: which lines of a regular file are as a question says. Arguments: the absolute path, what is asked
(`any` line, the `line` that is a text, lines that match a `pattern`, or the `whole` text that does), the text or the
pattern, and perhaps the two lines between which it is looked.

A line ends at a line feed; the last one may be without. A carriage return before it is part of the line. What is
compressed (gzip, bzip2, xz, zstd, known by its first bytes) is looked at as what it unpacks to. Small files are carried
and matched here by RE2; larger ones are searched on the host by grep, where the pattern is one that grep reads alike.
What is asked with a secret in it, between two lines, or of the whole text, is answered of files of up to 1 MiB alone.
"""

from __future__ import annotations

import os
from stat import S_ISREG

from infratest.cleaning import masked, masked_line
from infratest.facts import _machine
from infratest.facts._carried import NOT_UTF8, WHOLE, WIDE, ReadsFiles
from infratest.facts._shell import number
from infratest.facts.base import Argument, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

ANY, LINE, PATTERN, WHOLE_TEXT = "any", "line", "pattern", "whole"

#: Characters of a line that are shown.
SHOWN = 200


class Lines(Record):
    """What lines of a regular file are as asked.

    Args:
        there: whether there is a regular file. count: how many lines; of the whole text 1 or 0. first: the number of
        the first of them. shown: its beginning, where the file was carried. total: all lines of the file, or of the
        part that was asked about, where they were counted. missing: which of the two lines around that part is not
        there. problem: as in File.
    """

    there: bool = True
    count: int = 0
    first: int | None = None
    shown: str = ""
    total: int | None = None
    missing: str | None = None
    problem: str = ""

    def in_words(self) -> str:
        if not self.there:
            return "does not exist or is no regular file"
        if self.missing is not None:
            return f"has no line {self.missing!r} for the part to begin or end at"
        of = "" if self.total is None else f" of {self.total}"
        first = (
            "" if self.first is None else f", the first is line {self.first}{f': {self.shown}' if self.shown else ''}"
        )
        return f"{self.count}{of} lines are so{first}"


#: Bytes of a file that this process reads: a larger one is searched by programs with a deadline.
HERE = 2**24

#: Bytes that a carried file may unpack to.
UNPACKED = 2**25

#: What `tr` deletes, and what it makes \1 of, for a text in which grep sees what RE2 does: of a character beyond ASCII
#: its first byte is left, as \1; and so is a NUL, at which some programs end a line.
DELETED, CHANGED = r"\200-\277", r"\000\200-\377"

# The words of a question: grep's options and its pattern. Lines: `lines N FIRST COUNT`, `unread N`, `tool N NAME`,
# `wide N` of a text that is UTF-16 or UTF-32.
#
# A compressed file is known by its first bytes: RFC 1952, bzip2's and xz's manuals, RFC 8878. A line may have no end,
# so grep's memory is bounded, and past that nothing is known. Small files are carried as they are, but zstd's, which
# cannot be unpacked here.
SEARCH = r"""
never='*.zst'
search() {
  eval "path=\$path_$1 how=\$how_$1 what=\$what_$1"
  case $(head -c 6 -- "$path" | od -A n -t x1) in
    ' 1f 8b'*) tool=gzip ;;
    ' 42 5a 68'*) tool=bzip2 ;;
    ' fd 37 7a 58 5a 00'*) tool=xz ;;
    ' 28 b5 2f fd'*) tool=zstd ;;
    ' ff fe'* | ' fe ff'* | ' 00 00 fe ff'*) echo "wide $1"; return ;;
    *) tool= ;;
  esac
  if [ -n "$tool" ] && ! command -v $tool >/dev/null; then
    echo "tool $1 $tool"
    return
  fi
  said=$( { { unpacked || echo unread >&3; } | { plain || echo unread >&3; } | numbers; } 3>&1 )
  case $said in *unread*) echo "unread $1" ;; *) echo "lines $1 $said" ;; esac
} 2>/dev/null
unpacked() {
  if [ -n "$tool" ]; then $tool -d -c <"$path"; else cat <"$path"; fi
}
plain() {
  case $how in
    -Fx) tr '\000' '\001' ;;
    *) { tr -d 'DELETED' || echo unread >&3; } | tr 'CHANGED' '\001' ;;
  esac
}
numbers() {
  {
    (ulimit -v MEMORY; exec grep $how -n -e "$what")
    case $? in 0 | 1) ;; *) echo unread >&3 ;; esac
  } | cut -d : -f 1 | { if read -r first; then echo "$first $(($(wc -l) + 1))"; else echo '0 0'; fi; }
}
""".replace("DELETED", DELETED).replace("CHANGED", CHANGED)


class LinesFact(ReadsFiles, LooksHere):
    """Lines of files."""

    programs = ("head", "od", "tr", "grep", "cut", "wc")
    searching = SEARCH

    def words(self, argument: Argument) -> tuple[str, ...]:
        path, kind, text, *part = argument
        if part or masked(text) != text or kind == WHOLE_TEXT:
            return path, "", "", ""
        if kind == LINE:
            return (path, "", "", "") if "\1" in text else (path, "-Fx", text, "")
        if kind == ANY:
            return path, "-E", "", ""
        from infratest.regular_expression import as_grep  # dear, and needed by few

        grep = as_grep(text)
        return (path, grep.option, grep.pattern, "") if grep else (path, "", "", "")

    def absent(self) -> Lines:
        return Lines(there=False)

    def unknown(self, problem: str) -> Lines:
        return Lines(problem=problem)

    def large(self, size: int, argument: Argument) -> Lines:
        from infratest.units import human

        path, kind, text, *part = argument
        why = {WHOLE_TEXT: "the whole text is matched", PATTERN: "grep may not read this pattern as RE2 does"}
        asked = "a part of it is asked about" if part else why.get(kind, "")
        asked = "a secret is looked for" if masked(text) != text else asked
        if size and path.endswith(".zst"):
            return Lines(problem=f"it is compressed by zstd, and where {asked}, that is not unpacked")
        seen = f"it has {human(size, 'B')}" if size else "it tells no size"
        return Lines(problem=f"{seen}: where {asked}, only files of up to 1 MiB are looked at")

    def searched(self, mark: str, words: str) -> Lines | None:
        if mark == "tool":
            return Lines(problem=f"it is compressed by {words}, which is not installed on this host")
        if mark == "wide":
            return Lines(problem=NOT_UTF8)
        if mark != "lines":
            return None
        first, _, count = words.partition(" ")
        return Lines(count=number(count, "a number of lines"), first=number(first, "a line's number") or None)

    def within(self, data: bytes, argument: Argument) -> Lines:
        return Lines(problem="it grew while it was read") if len(data) > WHOLE else _matched(data, argument)

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        paths = [_machine.encoded(argument[0]) for argument in arguments]
        if _machine.may_wait(paths):
            return None
        seen = {argument: _here(path, argument) for argument, path in zip(arguments, paths, strict=True)}
        return {argument: value for argument, value in seen.items() if value is not None}


def _here(path: bytes, argument: Argument) -> Lines | None:
    """Return what is so in a file of this machine; None where it is too large to be read without a deadline."""
    try:
        status = os.stat(path)
        if not S_ISREG(status.st_mode):
            return Lines(there=False)
        if status.st_size > HERE:
            return None
        data = _machine.whole(path, HERE + 1, max(_machine.READ_AT_ONCE, status.st_size + 1))
    except OSError as error:
        return Lines(there=False) if _machine.absent(error) else Lines(problem=_machine.why(error))
    return None if len(data) > HERE or data.startswith(ZSTD) else _matched(data, argument)


ZSTD = b"\x28\xb5\x2f\xfd"


def _matched(data: bytes, argument: Argument) -> Lines:
    """Return which lines of a file are as asked."""
    _, kind, text, *part = argument
    plain = _unpacked(data)
    if isinstance(plain, str):
        return Lines(problem=plain)
    if plain.startswith(WIDE):
        return Lines(problem=NOT_UTF8)
    if kind == WHOLE_TEXT:
        from infratest.regular_expression import characters, compiled

        return Lines(count=int(compiled(text).search(characters(plain)) is not None))
    rows = whole = plain.split(b"\n")
    if not rows[-1]:
        rows.pop()
    begin = 0
    if part:
        first, last = (_machine.encoded(mark) for mark in part)
        if first not in rows:
            return Lines(missing=part[0])
        begin = rows.index(first) + 1
        if last not in rows[begin:]:
            return Lines(missing=part[1])
        rows = rows[begin : rows.index(last, begin)]
    places = _places(rows, kind, text)
    if not places:
        return Lines(total=len(rows))
    shown = "" if kind == ANY else masked_line(whole, begin + places[0])[:SHOWN]
    return Lines(count=len(places), first=begin + places[0] + 1, shown=shown, total=len(rows))


def _places(rows: list[bytes], kind: str, text: str) -> Sequence[int]:
    """Return where the lines are that are as asked."""
    if kind == ANY:
        return range(len(rows))
    if kind == LINE:
        line = _machine.encoded(text)
        return [place for place, row in enumerate(rows) if row == line]
    from infratest.regular_expression import characters, compiled

    search = compiled(text).search
    return [place for place, row in enumerate(rows) if search(characters(row)) is not None]


def _unpacked(data: bytes) -> bytes | str:
    """Return what compressed bytes unpack to, other ones as they are; or words for why that is not known."""
    if data.startswith(ZSTD):
        return "it is compressed by zstd and its name does not end in .zst, so that it was not unpacked on its host"
    if not data.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")):
        return data
    from lzma import LZMAError
    from zlib import error as zlib_error

    from infratest.units import human

    try:
        plain = _read(data)
    except (OSError, EOFError, LZMAError, zlib_error, ValueError) as error:
        return f"it cannot be unpacked: {error}"
    return plain if len(plain) <= UNPACKED else f"it unpacks to more than {human(UNPACKED, 'B')}"


def _read(data: bytes) -> bytes:
    """Return what gzip, bzip2 or xz unpack, at most a byte more than UNPACKED."""
    from bz2 import BZ2File
    from gzip import GzipFile
    from io import BytesIO
    from lzma import LZMAFile

    if data.startswith(b"\x1f\x8b"):
        with GzipFile(fileobj=BytesIO(data)) as packed:
            return packed.read(UNPACKED + 1)
    with BZ2File(BytesIO(data)) if data.startswith(b"BZh") else LZMAFile(BytesIO(data)) as other:
        return other.read(UNPACKED + 1)
