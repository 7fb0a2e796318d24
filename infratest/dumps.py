"""Rows of base64 and of dumps (od, xxd, hexdump) in which a part of a secret stands. Called by `masking` alone.

A secret that is written in rows is in none of them whole, and a row may stand alone: a line of a journal, a value of a
database, one of a list, what grep let through. Each is read back as the bytes that it is of, and these are looked for
in the secret; so is what rows next to each other are of together.
"""

from __future__ import annotations

import re
from bisect import bisect, bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import AnyStr

#: So many bytes of a secret give something away; fewer stand anywhere.
LEAST = 6
#: Characters of base64 that six bytes are.
SHORTEST = 8
#: So many characters at most stand between two rows: an end of a line, an offset, quotes and a comma of a list.
APART = 40

#: What od -c, od -a and hexdump -c write for bytes that no character stands for: POSIX, od, and ASCII's own names.
_NAMES = {
    "\\0": 0, "\\a": 7, "\\b": 8, "\\t": 9, "\\n": 10, "\\v": 11, "\\f": 12, "\\r": 13,
    "nul": 0, "bel": 7, "bs": 8, "ht": 9, "nl": 10, "lf": 10, "vt": 11, "ff": 12, "cr": 13, "esc": 27, "sp": 32,
}  # fmt: skip

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}")
_HEXADECIMAL = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{2,16}(?:(?: {1,2}|:)[0-9a-fA-F]{2,16}){2,}(?![0-9a-fA-F])")
_DIGITS = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{12,}")
_OCTAL_WORDS = re.compile(r"(?<!\d)[0-7]{6}(?: [0-7]{6})+(?!\d)")
_OCTAL_BYTES = re.compile(r"(?<!\d)[0-3][0-7]{2}(?: [0-3][0-7]{2})+(?!\d)")
_CHARACTERS = re.compile(r"(?:   [ -~]|  \\[0abtnvfr]|  [a-z]{2}| [a-z]{3}| [0-3][0-7]{2})+")
#: The characters behind the digits of a row: od's `z`, hexdump's `-C`, xxd.
_BEHIND = re.compile(r" {1,40}[|>]?[^\n\"']{0,18}")


def parts(text: str, values: tuple[bytes, ...]) -> Iterator[tuple[int, int]]:
    """Yield where in a text a row of a dump stands that holds a part of one of these values."""
    ends = _windows(values, LEAST)
    for pattern, read in _KINDS:
        rows = list(pattern.finditer(text))
        if not rows:
            continue
        held = [read(row[0]) for row in rows]
        for block in _blocks(rows):
            starts = [0, *accumulate([len(held[at]) for at in block])]
            for begin, end in _places(b"".join([held[at] for at in block]), values, ends):
                for at in block[max(0, bisect(starts, begin) - 1) : bisect_left(starts, end)]:
                    yield rows[at].start(), _end(text, rows[at])
        for row, data in zip(rows, held, strict=True):
            if any(_places(data, values, ends)):
                yield row.start(), _end(text, row)


def encoded(text: str, known: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Yield where in a text a row of base64 stands that is a part of one of these, each as RFC 4648, 4 has it."""
    begins = _windows(known, SHORTEST)
    for row in _BASE64.finditer(text):
        plain = row[0].replace("-", "+").replace("_", "/")
        if plain[:SHORTEST] in begins and any(plain in each for each in known):
            yield row.span()


@lru_cache(maxsize=4)
def _windows(values: tuple[AnyStr, ...], size: int) -> frozenset[AnyStr]:
    """Return all that is so long in these values: what begins with none of it is no part of them."""
    return frozenset([each[at : at + size] for each in values for at in range(len(each) - size + 1)])


def _blocks(rows: Sequence[re.Match[str]]) -> Iterator[list[int]]:
    """Yield the numbers of rows that stand next to each other."""
    block: list[int] = []
    for at, row in enumerate(rows):
        if block and row.start() - rows[at - 1].end() > APART:
            yield block
            block = []
        block.append(at)
    yield block


def _places(data: bytes, values: Sequence[bytes], ends: frozenset[bytes]) -> Iterator[tuple[int, int]]:
    """Yield where in data a value stands, or a part of one that goes over its ends."""
    over_ends = data[:LEAST] in ends or data[-LEAST:] in ends
    for value in values:
        for at in _all(data, value):
            yield at, at + len(value)
        if not over_ends:
            continue
        if LEAST <= len(data) < len(value) and data in value:
            yield 0, len(data)
            continue
        for at in _all(value, data[:LEAST]):
            if data.startswith(value[at:]):
                yield 0, len(value) - at
        for at in _all(value, data[-LEAST:]):
            if data.endswith(value[: at + LEAST]):
                yield len(data) - at - LEAST, len(data)


def _all(data: bytes, part: bytes) -> Iterator[int]:
    """Yield each place at which a part stands."""
    at = data.find(part)
    while at >= 0:
        yield at
        at = data.find(part, at + 1)


def _end(text: str, row: re.Match[str]) -> int:
    behind = _BEHIND.match(text, row.end()) if row.re is _HEXADECIMAL else None
    return behind.end() if behind else row.end()


def _words(reverse: bool) -> Callable[[str], bytes]:
    """Return what reads groups of hexadecimal digits, an offset before them or none; reverse: od -x's byte order."""

    def read(row: str) -> bytes:
        groups = row.replace(":", " ").split()
        if len(groups[0]) != len(groups[1]):
            del groups[0]
        size, data = len(groups[0]), b""
        for group in groups:
            if len(group) > size or len(group) % 2:
                break
            word = bytes.fromhex(group)
            data += word[::-1] if reverse else word
        return data

    return read


def _digits(row: str) -> bytes:
    return bytes.fromhex(row[: len(row) // 2 * 2])


def _octal_words(row: str) -> bytes:
    return b"".join([(int(word, 8) & 0xFFFF).to_bytes(2, "little") for word in row.split()])


def _octal_bytes(row: str) -> bytes:
    return bytes([int(byte, 8) for byte in row.split()])


def _characters(row: str) -> bytes:
    data = b""
    for at in range(0, len(row), 4):
        cell = row[at : at + 4].strip() or " "
        if cell in _NAMES:
            data += bytes([_NAMES[cell]])
        elif len(cell) == 3 and cell.isdigit():
            data += bytes([int(cell, 8)])
        else:
            data += cell.encode()
    return data


_KINDS: Sequence[tuple[re.Pattern[str], Callable[[str], bytes]]] = (
    (_HEXADECIMAL, _words(reverse=False)),
    (_HEXADECIMAL, _words(reverse=True)),
    (_DIGITS, _digits),
    (_OCTAL_WORDS, _octal_words),
    (_OCTAL_BYTES, _octal_bytes),
    (_CHARACTERS, _characters),
)
