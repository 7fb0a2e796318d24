"""The fact `content`: whether a regular file holds a text. Arguments: the absolute path, and the text.

A file is bytes, and so is the text (UTF-8): it is looked for byte by byte, in the whole file, whatever its size, its
NULs and the length of its lines. Small files are carried to us, all of them by one `head`, as bytes; what
is larger, or tells no size (/proc), is searched on the host, where nothing of it is held but what could be the text. A
text with a secret in it is not sent to a host, where whoever lists processes would read it: its file is carried, or the
answer is not known.

Of a file that is compressed (gzip, bzip2, xz, zstd, known by its first bytes) nothing is known: its bytes are not those
that it was made of, and a text that is not in them may well be in these. The fact `lines` looks inside. Nor is anything
known of one that begins with the byte order mark of UTF-16 or UTF-32.
"""

from __future__ import annotations

import os
from stat import S_ISREG

from infratest.cleaning import masked
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._carried import NOT_UTF8, WHOLE, WIDE, ReadsFiles
from infratest.facts.base import Argument, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


#: First bytes of what is compressed: RFC 1952, bzip2's and xz's manuals, RFC 8878. bzip2's end is that of a first block
#: or of a file without one, so that a text that begins with its letters is none.
GZIP, XZ, ZSTD = b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"
BZIP2, BLOCKS = b"BZh", (b"1AY&SY", b"\x17rE8P\x90")
#: Bytes by which all of them are known.
FIRST = 10


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


#: Bytes that this process reads of a file at once, and in all: a larger one is searched by programs with a deadline.
PIECE, HERE = 2**20, 2**26

# The words of a question: the characters of the text for `tr` (none where it is a secret, and not sent), the text, and
# another character that takes the place of its line breaks, where it has any. Lines: `is N`, `not N`, `unread N`,
# `packed N BYTES` with the first bytes in hexadecimal, where these are of a compressed file or a wide text.
#
# A file is searched by tr and grep. tr makes a line break of every byte that is not in the text, so that grep holds the
# rest alone, however long the file's own lines are; what is left of them may still have no end (one byte, again and
# again), so grep's memory is bounded, and past that nothing is known.
SEARCH = r"""
search() {
  eval "path=\$path_$1 text=\$what_$1 kept=\$how_$1 swap=\$more_$1"
  first=$(head -c 10 -- "$path" | od -A n -t x1)
  case $first in
    ' 1f 8b 08'* | ' fd 37 7a 58 5a 00'* | ' 28 b5 2f fd'* | ' 42 5a 68 '??' 31 41 59 26 53 59'* | \
    ' 42 5a 68 '??' 17 72 45 38 50 90'* | ' ff fe'* | ' fe ff'* | ' 00 00 fe ff'*) echo "packed $1$first"; return ;;
  esac
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
"""


class ContentFact(ReadsFiles, LooksHere):
    """Texts in files."""

    programs = ("tr", "grep", "head", "od")
    searching = SEARCH

    def words(self, argument: Argument) -> tuple[str, ...]:
        path, text = argument
        if masked(text) != text:
            return path, "", "", ""
        used = set(_machine.encoded(text))
        if "\n" not in text:
            return path, _characters(used), text, ""
        free = next((byte for byte in range(1, 128) if byte not in used and byte != 10), None)
        if free is None:
            raise FactError("a text of several lines that holds every ASCII character cannot be looked for")
        used = used - {10} | {free}
        return path, _characters(used), text.replace("\n", chr(free)), f"\\{free:03o}"

    def absent(self) -> Content:
        return Content(there=False)

    def unknown(self, problem: str) -> Content:
        return Content(problem=problem)

    def large(self, size: int, argument: Argument) -> Content:
        return Content(problem="a secret is looked for in a file of at most 1 MiB that tells its size")

    def searched(self, mark: str, words: str) -> Content | None:
        if mark == "packed":
            try:
                return _unread(bytes.fromhex(words))
            except ValueError:
                return None
        return Content(holds=mark == "is") if mark in ("is", "not") else None

    def within(self, data: bytes, argument: Argument) -> Content:
        """Return what is so in a file that was carried; where it is cut, no denial is known."""
        if unread := _unread(data):
            return unread
        place = data.find(_machine.encoded(argument[1]))
        if place >= 0:
            return Content(holds=True, line=data.count(b"\n", 0, place) + 1)
        if len(data) > WHOLE:
            return Content(problem="it grew while it was read")
        return Content(lines=data.count(b"\n") + (data[-1:] not in (b"\n", b"")))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        paths = [_machine.encoded(path) for path, _ in arguments]
        if _machine.may_wait(paths):
            return None
        seen = {argument: _here(path, argument[1]) for argument, path in zip(arguments, paths, strict=True)}
        return {argument: content for argument, content in seen.items() if content is not None}


def _unread(data: bytes) -> Content | None:
    """Return that nothing is known of what begins with these bytes, where it is compressed or a wide text."""
    if data.startswith(WIDE):
        return Content(problem=NOT_UTF8)
    tool = "gzip" if data.startswith(GZIP) else "xz" if data.startswith(XZ) else "zstd" if data.startswith(ZSTD) else ""
    if data.startswith(BZIP2) and data[4:FIRST].startswith(BLOCKS):
        tool = "bzip2"
    if not tool:
        return None
    return Content(problem=f'it is compressed by {tool}; `has a line matching "..."` looks at what it unpacks to')


def _characters(used: set[int]) -> str:
    """Return bytes as a set for `tr`, in which no range, class or escape can be meant."""
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else f"\\{byte:03o}" for byte in sorted(used))


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
            if not size and (unread := _unread(piece)):
                return unread
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
