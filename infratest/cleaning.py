"""Text from hosts, features, clouds and the web made safe to show: bounded, without control characters, secrets masked.

Called wherever such text enters a reason, an evidence, a line or a log. On the plugin program's path.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infratest.masking import Written

MASK = "********"

#: A value shorter than this would mask half of every text, so it is refused where it is declared.
SHORTEST_SECRET = 4
#: Blanks before the first line that are kept as its indentation; more would hide the text.
INDENTATION = 40
#: A line of a secret of several lines (a private key) that is shorter than this gives nothing away.
SHORTEST_LINE = 6

#: How far around a line a secret is looked for, in characters: so many, and for each of the longest secret so many (of
#: a dump with one byte in each row, 20).
REACH, GROWTH = 2**12, 20

#: Secrets known to this process, and how each may be written.
_secrets: set[str] = set()
_written: dict[str, Written] = {}
#: Those that a stack file declares: no cache may hold them, masked or not.
_declared: set[bytes] = set()


class Secret(str):
    """Text that is shown nowhere: whoever is handed it can use it, and every message, file and output has it masked."""

    __slots__ = ()

    def __new__(cls, value: str) -> Secret:
        keep_secret(value)
        _declared.add(value.encode("utf-8", "surrogateescape"))
        return super().__new__(cls, value)

    def __repr__(self) -> str:
        return repr(MASK)


def keep_secret(value: str) -> None:
    """Mask this value from now on in everything that `clean` or `masked` returns."""
    if len(value) >= SHORTEST_SECRET and not (value.startswith("{param.") and value.endswith("}")):  # that names one
        _secrets.add(value)
        _secrets.update(line for line in value.split("\n") if len(line) >= SHORTEST_LINE)


def masked(text: str, by_line: bool = False) -> str:
    """Return the text with every known secret replaced, in whatever usual way it is written there.

    by_line: the text has as many lines as before, with a mask in each that a secret goes over.
    """
    if not _secrets or not text:
        return text
    from infratest import masking

    secrets = sorted(_secrets, key=len, reverse=True)  # others may become known meanwhile
    for secret in secrets:
        if secret not in _written:
            _written[secret] = masking.Written(secret)
    return masking.masked(text, [_written[secret] for secret in secrets], MASK, by_line)


def masked_line(lines: Sequence[str] | Sequence[bytes], at: int) -> str:
    """Return one line of a text, masked as part of it: a secret that is broken over lines is in none of them whole.

    Only its neighbours are looked at: as far as the longest secret goes, however it is written.
    """
    if not _secrets:
        return _text(lines[at])
    before = _neighbours((lines[place] for place in range(at - 1, -1, -1)), from_end=True)[::-1]
    after = _neighbours((lines[place] for place in range(at + 1, len(lines))), from_end=False)
    return masked("\n".join([*before, _text(lines[at]), *after]), by_line=True).split("\n")[len(before)]


def _neighbours(lines: Iterable[str | bytes], from_end: bool) -> list[str]:
    """Return the lines next to one; of one that is long its end, or its beginning."""
    left, kept = REACH + longest_secret(), []
    for line in lines:
        if left <= 0:
            break
        kept.append(_text(line[-left:] if from_end else line[:left]))
        left -= len(line) + 1
    return kept


def longest_secret() -> int:
    """Return how many characters a known secret takes up, however it is written; 0 where none is known.

    So near a place at which a text was cut, part of one may stand, which is not known as such.
    """
    return GROWTH * max(map(len, _secrets), default=0)


def _text(line: str | bytes) -> str:
    return decoded(line) if isinstance(line, bytes) else line


def holds_declared(data: bytes) -> bool:
    """Whether data that is to be kept holds a secret of the stack file."""
    return any(secret in data for secret in _declared)


def without_declared(text: str) -> str:
    """Return text with each secret of the stack file that stands in it as it is replaced by what is none."""
    secrets = [secret.decode("utf-8", "surrogateescape") for secret in _declared]
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def decoded(data: bytes) -> str:
    """Return bytes as UTF-8 text, with the replacement character where they are not."""
    return data.decode("utf-8", "replace")


def clean(text: str, limit: int = 2000, lines: bool = False) -> str:
    """Return text that cannot move a cursor, forge a line or flood a screen.

    Args:
        text: anything. limit: characters kept (the cut is marked). lines: keep line breaks, and the indentation of the
        first line as that of the others; else all is one line, without blanks at its ends.
    """
    if not text:  # most reasons: what holds has none
        return ""
    # Masked whole, because a cut secret is none any more; then cut, so that megabytes are not walked through.
    text = masked(text)
    begun = text.lstrip()
    indented = text[: len(text) - len(begun)].rpartition("\n")[2][:INDENTATION] if lines else ""
    text = indented + begun[: limit * 2 + 1000]
    cleaned = (text if text.isprintable() else _printable(text, lines)).rstrip()
    return cleaned if len(cleaned) <= limit else cleaned[: limit - 1].rstrip() + "…"


def _printable(text: str, lines: bool) -> str:
    kept = []
    for character in text.replace("\r\n", "\n"):
        if (character == "\n" and lines) or character.isprintable():
            kept.append(character)
        elif character.isspace():  # tabs, line breaks of every kind, and the blanks that may not be broken
            kept.append(" ")
        else:
            kept.append("\ufffd")
    return "".join(kept)


def beginning(text: str, limit: int) -> str:
    """Return the first characters of a text, masked before the cut: part of a secret would not be known as one."""
    return masked(text[: _reach(limit)])[:limit]


def ending(text: str, limit: int) -> str:
    """Return the last characters of a text, masked before the cut as in `beginning`."""
    return masked(text[-_reach(limit) :])[-limit:]


def cited(text: str | bytes, limit: int) -> str:
    """Return the first characters of what is not understood, as Python writes them in quotes; cut as in `beginning`."""
    if isinstance(text, str):
        return repr(beginning(text, limit))
    written = masked(repr(text[: _reach(limit)]))
    return written if len(written) <= limit + len("b''") else f"{written[: limit + 2]}{written[1]}"


def _reach(limit: int) -> int:
    """Return how much of a text is looked at for so many characters of it: a secret may begin in the last of them."""
    return limit + REACH + longest_secret()


#: What a backslash begins that stands for what cannot be seen.
UNSEEN = ("\\n", "\\r", "\\t", "\\x", "\\u", "\\U")


def literal(text: str, limit: int = 200) -> str:
    """Return text in quotes with what cannot be seen written out, as `'ready\\r'`: what differs looks different.

    Backslashes are as they are, and twice only where one could be taken for the beginning of what is written out.

    Args:
        limit: characters that are shown; the cut is marked.
    """
    text = masked(text)
    shown = text[:limit]
    if shown.isprintable() and not ("\\" in shown and any(each in shown for each in UNSEEN)):
        mark = '"' if "'" in shown and '"' not in shown else "'"
        written = f"{mark}{shown}{mark}"
    else:
        written = repr(shown)
    return written if len(text) <= limit else f"{written}…"


def differing(expected: str, seen: str, limit: int = 200) -> str:
    """Return words for where two texts part, if that is beyond the characters that are shown of them; else nothing."""
    expected, seen = masked(expected), masked(seen)  # whole: part of a secret would not be known as one
    at = next((place for place, pair in enumerate(zip(expected, seen, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(expected), len(seen)) if at is None else at
    if at < limit:
        return ""
    return f"; from character {at + 1} on {literal(seen[at:], 60)}, where {literal(expected[at:], 60)} is expected"
