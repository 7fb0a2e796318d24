"""Where a text holds a secret, in whatever usual way it is written there. Called by `cleaning` alone, with a secret.

Two kinds of ways. Quoted: the shell, JSON, Python, sentences, URLs and HTML leave letters and digits as they are and
write each other character anew, within each other to any depth; one pattern knows them all. Encoded: base64 and
hexadecimal digits, which programs break into rows and groups; they are looked for without what is between them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

#: What begins and ends a character of HTML, which may stand in HTML and in a URL itself.
_SEMICOLON = "(?:;|%(?:25)*3[bB])"
_AMPERSAND = f"(?:&|%(?:25)*26)(?:amp{_SEMICOLON})*"
_DECIMAL = "(?:#|%(?:25)*23)0*"
_HEXADECIMAL = "(?:#|%(?:25)*23)[xX]0*"
#: A quote or a backslash, as quoting puts it before and around other characters: itself, in percent, in HTML, in JSON.
_MARK = (
    rf"""(?:[\\'"]|%(?:25)*(?:27|22|5[cC])|(?<=[\\cC])(?:u00|x)(?:27|22|5[cC])"""
    rf"""|{_AMPERSAND}(?:quot|apos|{_DECIMAL}(?:39|34|92)|{_HEXADECIMAL}(?:27|22|5[cC])){_SEMICOLON})"""
)
_BACKSLASHES = r"(?:\\|%(?:25)*5[cC])+"
#: What a mark ends with: a secret that begins with marks is known by one before the rest, and these stay.
_BEHIND_MARK = r"""(?<=[\\'"72cCbB;])"""
_ALPHANUMERIC = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_MARKS = "\\'\""

#: A secret of several lines that is longer than this (a key) is known by its lines, which are secrets too.
LONG = 500

#: Between the characters of base64: line breaks, also as JSON and Python write them, and PHP's `\/`.
_BETWEEN_BASE64 = r"\s+|\\+(?:[rn]|(?=[/\s]))"
#: Between the digits of bytes: groups and rows of od, xxd, hexdump, openssl and Python, the offset before a row among
#: them, and the characters behind it (od's `z`, hexdump's `-C`: 20 with their marks).
_BETWEEN_DIGITS = (
    r"(?:[ \t]{2,}[^\n]{0,20})?\n[ \t]*[0-9a-fA-F]{6,16}:?[ \t]+(?=[0-9a-fA-F]{2})|[\s:;,%-]+|0[xX]|\\+[xX]|\\+[rnt]|\\"
)
#: A row of such a dump. All of it is masked, because its characters are at its end once more, in parts.
_ROW = r"[ \t]*[0-9a-fA-F]{6,16}:?[ \t]"


class Written:
    """The ways in which one secret is written."""

    __slots__ = ("anchor", "base64", "data", "digits", "pattern", "value")

    def __init__(self, value: str) -> None:
        data = value.encode("utf-8", "surrogateescape")
        self.value, self.data = value, data
        #: What every quoting leaves as it is: a text without it needs no further look.
        self.anchor = max(_alphanumeric_parts(value), key=len, default="")
        self.base64 = _base64(data)
        self.digits = data.hex()
        self.pattern: re.Pattern[str] | None = None

    def quoted(self, text: str, mask: str, by_line: bool = False) -> str:
        """Return text with the secret masked where it stands as it is, or quoted."""
        if self.anchor == self.value:
            return text.replace(self.value, mask)
        whole = _mask(self.value, mask, by_line)
        if self.anchor not in text:
            return text
        if not self.value.strip(_MARKS) or ("\n" in self.value and len(self.value) > LONG):
            return text.replace(self.value, whole)
        if self.pattern is None:
            import re

            self.pattern = re.compile(_pattern(self.value))
        return self.pattern.sub(lambda place: _mask(place[0], mask, by_line), text)


def _mask(hidden: str, mask: str, by_line: bool) -> str:
    """Return what is shown instead of a part of a text; by line: as many lines as it has."""
    return "\n".join([mask] * (hidden.count("\n") + 1)) if by_line else mask


def masked(text: str, secrets: list[Written], mask: str, by_line: bool = False) -> str:
    """Return text with each secret replaced; longer ones come first in the list.

    by_line: each line of the text is one line of what is returned, with a mask in each that a secret goes over.
    """
    dense = "".join(text.split())
    plain = dense.replace("\\n", "").replace("\\r", "").replace("\\", "") if "\\" in dense else dense
    plain = plain.replace("-", "+").replace("_", "/")
    digits = dense.lower()
    for each in ("0x", "\\x", "\\n", "\\", ":", ";", ",", "%", "-"):
        digits = digits.replace(each, "")
    dump = "\n0" in text
    for secret in secrets:
        if any(core in plain for core in secret.base64[0]):
            text = _without(text, _BETWEEN_BASE64, secret.base64[1], mask, by_line)
        if secret.digits in digits or dump:
            text = _without(text, _BETWEEN_DIGITS, (secret.digits,), mask, by_line, rows=True)
    for secret in secrets:
        text = secret.quoted(text, mask, by_line)
    return _without_rows(text, secrets, mask)


def _without_rows(text: str, secrets: list[Written], mask: str) -> str:
    """Return text without rows of base64 and of dumps in which a part of a secret stands; each is within a line."""
    from infratest import dumps

    places = [*dumps.parts(text, tuple([secret.data for secret in secrets]))]
    places += dumps.encoded(text, tuple([each for secret in secrets for each in secret.base64[1]]))
    parts, done = [], 0
    for begin, end in sorted(set(places)):
        if end > done:
            parts += [text[done : max(begin, done)], mask if begin >= done else ""]
            done = end
    return "".join([*parts, text[done:]])


def _without(text: str, between: str, encoded: tuple[str, ...], mask: str, by_line: bool, rows: bool = False) -> str:
    """Return text without what is encoded in it, whatever stands between its characters.

    by_line: as in `masked`. rows: digits, in letters of either case; a row of a dump is masked whole.
    """
    import re
    from bisect import bisect_right

    gaps = [found.span() for found in re.finditer(between, text)]
    dense = re.sub(between, "", text)
    dense = dense.lower() if rows else dense.replace("-", "+").replace("_", "/")
    starts, lost = [0], [0]  # from this place in the dense text on, so many characters are missing before it
    for begin, end in gaps:
        starts.append(begin - lost[-1])
        lost.append(lost[-1] + end - begin)

    def place(at: int) -> int:
        return at + lost[bisect_right(starts, at) - 1]

    parts, done = [], 0
    for begin, end in _spans(dense, encoded):
        first, last = place(begin), place(end - 1) + 1
        if rows:
            line = text.rfind("\n", 0, first) + 1
            if re.match(_ROW, text[line : line + 200]):
                first, last = line, min(at for at in (text.find("\n", last), len(text)) if at >= 0)
        if last > done:
            first = max(first, done)
            parts += [text[done:first], _mask(text[first:last], mask, by_line)]
            done = last
    return "".join([*parts, text[done:]])


def _spans(text: str, encoded: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Return where one of these begins and ends, from the first to the last."""
    at = 0
    while True:
        places = [(place, -len(each)) for each in encoded if (place := text.find(each, at)) >= 0]
        if not places:
            return
        begin, length = min(places)
        at = begin - length
        yield begin, at


def _base64(data: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return data as it stands in base64 (RFC 4648, 4), by what must be in a text, and by all that is masked of it.

    By itself and with a line end behind it (`echo x | base64`), whole; and those characters that the data alone makes,
    whatever stands around it: a name and a colon before it, as in Basic's `user:password`, more behind it. Three bytes
    are four characters, so these are three texts, one for each place in such a group at which it can begin.
    """
    from binascii import b2a_base64

    cores = []
    for before in range(3):
        text = b2a_base64(bytes(before) + data, newline=False).decode()
        cores.append(text[-(-before * 8 // 6) : (before + len(data)) * 8 // 6])
    whole = [b2a_base64(data + end, newline=False).decode() for end in (b"", b"\n", b"\r\n")]
    return tuple(cores), (*whole, *(text.rstrip("=") for text in whole), *cores)


def _alphanumeric_parts(value: str) -> list[str]:
    return "".join([each if each in _ALPHANUMERIC else " " for each in value]).split(" ")


def _pattern(value: str) -> str:
    """Return what fits a value however deep in quotes it stands, without the marks at its ends.

    Quoting puts marks around a character that is neither letter nor digit, and no two ways to read a text fit: no text
    can make it look for long.
    """
    from re import escape

    items: list[str] = []
    for character in value.strip(_MARKS):
        if character in _MARKS:
            if not items or items[-1] != _MARK:
                items.append(_MARK)
        else:
            items.append(escape(character) if character in _ALPHANUMERIC else _character(character))
    pattern, before = "", ""
    for at, item in enumerate(items):
        if item == _MARK:
            pattern += _MARK + _marks_before(items[at + 1 :])
        elif before in ("", _MARK) or len(before) == len(item) == 1:  # between letters and digits nothing is put
            pattern += item
        else:
            pattern += _marks_before(items[at:]) + item
        before = item
    first, last = value[0] in _MARKS, value[-1] in _MARKS
    return f"{_BEHIND_MARK if first else ''}{pattern}{f'(?={_MARK})' if last else ''}"


def _marks_before(items: list[str]) -> str:
    """Return what fits marks up to the first of these; what marks begin with, too, is known by what comes after it.

    Fewer marks never fit: behind each is none of these. So it need not be possessive, which Python before 3.11.5 does
    wrong (gh-106052).
    """
    alike = items[0] in (_character("%"), _character("&"))
    return f"(?:(?!{''.join(items[: 1 + alike])}){_MARK})*"


def _character(character: str) -> str:
    """Return what fits one character that is neither letter nor digit, nor a mark."""
    from html.entities import codepoint2name
    from re import escape

    code = ord(character)
    data = character.encode("utf-8", "surrogateescape")
    percent = "".join([f"%(?:25)*{_digits(f'{byte:02x}')}" for byte in data])
    pairs = character.encode("utf-16-be", "surrogatepass").hex()
    units = _BACKSLASHES.join([f"u{_digits(pairs[at : at + 4])}" for at in range(0, len(pairs), 4)])
    octal = _BACKSLASHES.join([f"{byte:03o}" for byte in data])
    bytes_ = _BACKSLASHES.join([f"x{_digits(f'{byte:02x}')}" for byte in data])
    names = [
        f"{_DECIMAL}{code}",
        f"{_HEXADECIMAL}{_digits(f'{code:x}')}",
        *([codepoint2name[code]] if code in codepoint2name else []),
    ]
    inside = [units, f"U{_digits(f'{code:08x}')}", f"x{_digits(f'{code:02x}')}", bytes_, octal]
    inside += ["n"] * (character == "\n") + ["r"] * (character == "\r") + ["t"] * (character == "\t")
    ways = [
        escape(character),
        percent,
        f"{_AMPERSAND}(?:{'|'.join(names)}){_SEMICOLON}",
        rf"(?<=[\\cC])(?:{'|'.join(inside)})",
    ]
    if character == "&":
        ways.insert(0, _AMPERSAND)
    elif character == "%":
        ways.insert(0, "%(?:25)*")
    elif character == " ":
        ways.append(r"\+|%(?:25)*2[bB]")
    return f"(?:{'|'.join(ways)})"


def _digits(text: str) -> str:
    """Return what fits hexadecimal digits in letters of either case."""
    return "".join([f"[{each}{each.upper()}]" if each.isalpha() else each for each in text])
