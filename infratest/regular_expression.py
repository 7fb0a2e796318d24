r"""Regular expressions: one meaning, that of RE2, whoever looks: this program, or `grep -E` on a host.

Loaded only when a sentence asks for a pattern. RE2 takes a time that grows with the text alone, whatever the pattern,
so that no feature can make a check hang; it has no backreferences and no lookaround for that. Its syntax is at
github.com/google/re2/wiki/Syntax.

A file is bytes and a pattern is about characters: UTF-8. What is no UTF-8 stands for U+FFFD, one for each byte that
could begin a character (all but 0x80 to 0xBF, which alone are nothing). A host's programs know nothing of UTF-8, and
see the same where each character beyond ASCII is one byte, as facts/lines.py has it.
"""

from __future__ import annotations

import codecs
import string
from functools import lru_cache
from typing import Any, NamedTuple

import re2

from infratest.errors import FactError, UserError

#: Where a pattern of RE2's is not one of Perl's, its users want to know.
LACKS = r"RE2 has no backreferences (\1) and no lookaround ((?=, (?!, (?<=, (?<!), so that no pattern can hang"


def compiled(pattern: str) -> Any:
    """Return a pattern that is searched in bytes of UTF-8.

    Raises:
        UserError: it is none; the message says where.
    """
    try:
        return _compiled(pattern)
    except re2.error as error:
        words = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        problem, _, part = words.partition(": ")
        place = pattern.find(part) + 1 if part else 0
        where = f" at character {place}, {part}" if place else f": {part}" if part else ""
        raise UserError(f"the pattern {pattern!r}: {problem}{where}; {LACKS}") from None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def searchable(words: str) -> bytes:
    """Return a text as it is searched in.

    Raises:
        FactError: it holds half of a character, as JSON's "\\ud800" does: no pattern says anything of that.
    """
    try:
        return words.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise FactError(f"whether a pattern matches is not known: the text holds {half}, half of a character") from None


def _first_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    stray = 0x80 <= error.object[error.start] <= 0xBF
    return "" if stray else "\ufffd", error.end


codecs.register_error("infratest-first-bytes", _first_bytes)


def text(data: bytes) -> str:
    """Return bytes as the characters that patterns are about."""
    return data.decode("utf-8", "infratest-first-bytes")


def characters(data: bytes) -> bytes:
    """Return bytes as patterns are searched in: the UTF-8 of `text`."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return text(data).encode("utf-8")
    return data


class Grep(NamedTuple):
    """A pattern as grep reads it: the option that says how, and the pattern."""

    option: str
    pattern: str


def as_grep(pattern: str) -> Grep | None:
    """Return a pattern for grep that matches the same lines as RE2 does, or None where there may be none.

    It is translated: grep gets literals, sets of characters spelt out, `.`, groups, `|`, repetitions, and `^` and `$`
    where a branch begins and ends, on which POSIX leaves nothing open. It holds ASCII alone, and is meant for text in
    which each other character is one byte.
    """
    compiled(pattern)
    folded = pattern.startswith("(?i)")
    try:
        translated = _Translation(pattern[4:] if folded else pattern, folded).whole()
    except (_NotAlike, IndexError):
        return None
    return Grep("-Ei" if folded else "-E", translated)


class _NotAlike(Exception):
    """This may mean another thing to grep."""


DIGITS = frozenset(string.digits)
WORD = frozenset(string.ascii_letters + string.digits + "_")
BLANKS = frozenset("\t\n\f\r ")
#: Sets with names. RE2's \s has no vertical tab, and [[:space:]] has one.
PERL = {"d": DIGITS, "w": WORD, "s": BLANKS}
POSIX = {
    "alnum": WORD - {"_"}, "alpha": frozenset(string.ascii_letters), "digit": DIGITS,
    "lower": frozenset(string.ascii_lowercase), "upper": frozenset(string.ascii_uppercase),
    "punct": frozenset(string.punctuation), "xdigit": frozenset(string.hexdigits), "word": WORD,
    "space": BLANKS | {"\v"}, "blank": frozenset(" \t"),
}  # fmt: skip
#: Letters that beyond ASCII have other forms: U+212A (Kelvin) is a k, U+017F (long s) is an s.
FORMS = frozenset("kKsS")
#: What has a meaning of its own in POSIX extended regular expressions.
SPECIAL = frozenset("\\.[]()*+?{}|^$")
#: Most repetitions that POSIX promises: RE_DUP_MAX.
MOST = 255


class _Translation:
    """One pattern, from its first character to its last."""

    def __init__(self, pattern: str, folded: bool) -> None:
        if not all(character in string.printable and character not in "\n\r\v\f" for character in pattern):
            raise _NotAlike
        self.left = pattern
        self.folded = folded
        self.anchors = 0

    def whole(self) -> str:
        translated = self._branches()
        if self.left:
            raise _NotAlike
        return translated

    def _take(self, count: int = 1) -> str:
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def _branches(self) -> str:
        branches = [self._branch()]
        while self.left.startswith("|"):
            self._take()
            branches.append(self._branch())
        if not all(branches) and (len(branches) > 1 or self.left.startswith(")")):
            raise _NotAlike  # an empty branch is undefined in POSIX
        return "|".join(branches)

    def _branch(self) -> str:
        parts = []
        if self.left.startswith("^"):
            parts.append(self._anchor())
        while self.left and self.left[0] not in "|)":
            if self.left[0] == "$" and self.left[1:2] in ("", "|", ")"):
                parts.append(self._anchor())
                break
            anchors = self.anchors
            atom, how = self._atom(), self._repetition()
            if how and self.anchors > anchors:
                raise _NotAlike  # glibc's regexec, and by it busybox, loses matches of `(a|^a*)+`
            parts.append(atom + how)
        if parts and parts[0] == "^" and (len(parts) == 1 or parts[1] == "$") and self.left:
            raise _NotAlike  # `(^)`, `^|x`: an anchor alone
        if parts == ["$"] and self.left:
            raise _NotAlike
        return "".join(parts)

    def _anchor(self) -> str:
        self.anchors += 1
        return self._take()

    def _atom(self) -> str:
        first = self._take()
        if first == "(":
            return self._group()
        if first == "[":
            return self._set()
        if first == "\\":
            kind = self._take()
            if kind.lower() in PERL:
                return _spelt(self._safe(PERL[kind.lower()]), kind.isupper())
            return self._literal(_escaped(kind))
        if first in "^$*+?":
            raise _NotAlike
        return first if first == "." else self._literal(first)

    def _literal(self, character: str) -> str:
        (checked,) = self._safe(frozenset(character))
        return _spelt(frozenset(checked), False) if checked in SPECIAL else checked

    def _safe(self, characters: frozenset[str]) -> frozenset[str]:
        if self.folded and characters & FORMS:
            raise _NotAlike
        return characters

    def _group(self) -> str:
        if self.left.startswith("?"):
            if not self.left.startswith("?:"):
                raise _NotAlike
            self._take(2)
        inside = self._branches()
        if not inside or self._take() != ")":
            raise _NotAlike
        return f"({inside})"

    def _repetition(self) -> str:
        how = ""
        if self.left[:1] in ("*", "+", "?"):
            how = self._take()
        elif self.left.startswith("{"):
            inside, brace, rest = self.left[1:].partition("}")
            low, comma, high = inside.partition(",")
            if not brace or not _repeats(low) or not (_repeats(high) or (comma and not high) or not comma):
                raise _NotAlike  # a brace that is a character, or one that each reads in its own way
            how, self.left = f"{{{low}{comma}{high}}}", rest
        if how and self.left.startswith("?"):
            self._take()  # as few as may be: where it matches is not asked
        if how and self.left[:1] in ("*", "+", "?", "{"):
            raise _NotAlike
        return how

    def _set(self) -> str:
        negated = self.left.startswith("^")
        if negated:
            self._take()
        held: set[str] = set()
        while not self.left.startswith("]") or not held:
            held |= self._range()
        self._take()
        return _spelt(self._safe(frozenset(held)), negated)

    def _range(self) -> frozenset[str]:
        """Return what the next part of a set stands for."""
        if self.left.startswith("[:"):
            name, _, self.left = self.left[2:].partition(":]")
            if name not in POSIX:
                raise _NotAlike
            return POSIX[name]
        if self.left[0] == "\\" and self.left[1] in PERL:
            return PERL[self._take(2)[1]]
        first = self._member()
        if self.left[:1] != "-" or self.left[1:2] == "]":
            return frozenset(first)
        self._take()
        last = self._member()
        return frozenset(chr(code) for code in range(ord(first), ord(last) + 1))

    def _member(self) -> str:
        first = self._take()
        return _escaped(self._take()) if first == "\\" else first[0]


def _escaped(kind: str) -> str:
    """Return the character that an escape stands for."""
    if kind == "t":
        return "\t"
    if kind not in string.punctuation:
        raise _NotAlike
    return kind


def _repeats(text: str) -> bool:
    return text.isdigit() and text == str(int(text)) and int(text) <= MOST


def _spelt(characters: frozenset[str], negated: bool) -> str:
    """Return a set as POSIX has it: no escapes in it, so that all depends on the places of `]`, `^`, `[` and `-`."""
    held = characters - frozenset("\n")  # no line has one
    if not held:
        raise _NotAlike
    if held == {"^"} and not negated:
        return r"\^"
    plain = sorted(held - frozenset("]^[-"))
    inside = "".join(_runs(plain))
    inside = ("]" if "]" in held else "") + inside + "".join(one for one in "[^-" if one in held)
    if inside.startswith("^") and not negated:  # `^` and `-` alone
        inside = inside[1:-1] + "-^" if inside.endswith("-") else inside[1:] + "^"
    return f"[{'^' if negated else ''}{inside}]"


def _runs(characters: list[str]) -> list[str]:
    """Return characters in order, with runs of digits or letters as ranges."""
    runs: list[str] = []
    for character in characters:
        last = runs[-1] if runs else ""
        if last and character.isalnum() and ord(character) == ord(last[-1]) + 1 and last[-1].isalnum():
            runs[-1] = f"{last[0]}-{character}" if len(last) != 1 else f"{last}{character}"
        else:
            runs.append(character)
    return runs
