"""Text from hosts, features, clouds and the web made safe to show: bounded, without control characters, secrets masked.

Called wherever such text enters a reason, an evidence, a line or a log. On the plugin program's path.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass

MASK = "********"

#: A value shorter than this would mask half of every text, so it is refused where it is declared.
SHORTEST_SECRET = 4
#: Blanks before the first line that are kept as its indentation; more would hide the text.
INDENTATION = 40
#: A line of a secret of several lines (a private key) that is shorter than this gives nothing away.
SHORTEST_LINE = 8

#: How often a word may be quoted anew: a command in a sentence in a shell's words.
NESTED = 3

#: Secrets known to this process, as they may be written somewhere.
_secrets: set[str] = set()
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
    """Mask this value from now on in everything that `clean` or `masked` returns, in each way it may be written."""
    if len(value) >= SHORTEST_SECRET and not (value.startswith("{param.") and value.endswith("}")):  # that names one
        _secrets.update(_written(value))
        _secrets.update(line for line in value.split("\n") if len(line) >= SHORTEST_LINE)


def _written(value: str) -> set[str]:
    """Return a secret as it stands in text, in words of a shell, of JSON and of Python, in a URL, in HTML, and encoded.

    Also as those stand within each other: in a reason there is a sentence, in it a command, and in it a word.
    """
    data = value.encode("utf-8", "surrogateescape")
    encoded = {*_in_base64(data), data.hex(), data.hex().upper()}
    if value.isalnum():
        return {value, *encoded}
    import json
    from html import escape
    from urllib.parse import quote, quote_plus

    from infratest.quoting import quoted

    shell = quoted(value.replace("\0", ""))
    texts = {value, shell, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    inner = texts
    for _ in range(NESTED):
        inner = {text for one in inner for text in _quoted(one)} - texts
        texts |= inner
    urls = {quote(data), quote(data, safe=""), quote_plus(data)}
    return {*texts, *encoded, *urls, *map(_small, urls), escape(value), escape(value, quote=False)}


def _quoted(text: str) -> set[str]:
    """Return text as it stands within the quotes of a shell, of a sentence, of JSON and of Python."""
    from json import dumps

    from infratest.quoting import escaped

    twice = text.replace("\\", "\\\\")
    return {
        dumps(text)[1:-1],
        text.replace("'", "'\"'\"'"), escaped(text), escaped(f"{text}.")[:-1], twice, twice.replace('"', '\\"'),
        twice.replace("'", "\\'"),
    }  # fmt: skip


def _small(url: str) -> str:
    """Return what is encoded in percent with small letters."""
    first, *rest = url.split("%")
    return first + "".join([f"%{each[:2].lower()}{each[2:]}" for each in rest])


def _in_base64(data: bytes) -> set[str]:
    """Return data as it stands in base64, its own alphabet and that of URLs (RFC 4648, 4 and 5).

    By itself and with a line end behind it (`echo x | base64`), whole; and those characters that the data alone makes,
    whatever stands around it: a name and a colon before it, as in Basic's `user:password`, more behind it. Three bytes
    are four characters, so these are three texts, one for each place in such a group at which it can begin.
    """
    from binascii import b2a_base64

    texts = [b2a_base64(data + end, newline=False).decode() for end in (b"", b"\n", b"\r\n")]
    # Programs break long texts: MIME after 76 characters, PEM after 64.
    rows = {text[at : at + width] for text in texts for width in (76, 64) for at in range(0, len(text), width)}
    texts += [text.rstrip("=") for text in texts]
    texts += [row for row in rows if len(row) >= SHORTEST_LINE]
    for before in range(3):
        text = b2a_base64(bytes(before) + data, newline=False).decode()
        first, end = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        texts.append(text[first:end])
    return {each for text in texts for each in (text, text.replace("+", "-").replace("/", "_"))}


def masked(text: str) -> str:
    """Return the text with every known secret replaced."""
    if _secrets:
        for secret in sorted(_secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
    return text


def holds_declared(data: bytes) -> bool:
    """Whether data that is to be kept holds a secret of the stack file."""
    return any(secret in data for secret in _declared)


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


def literal(text: str, limit: int = 200) -> str:
    """Return text in quotes with what cannot be seen written out, as `'ready\\r'`: what differs looks different.

    Args:
        limit: characters that are shown; the cut is marked.
    """
    text = masked(text)
    return repr(text) if len(text) <= limit else f"{text[:limit]!r}…"


def differing(expected: str, seen: str, limit: int = 200) -> str:
    """Return words for where two texts part, if that is beyond the characters that are shown of them; else nothing."""
    expected, seen = masked(expected), masked(seen)  # whole: part of a secret would not be known as one
    at = next((place for place, pair in enumerate(zip(expected, seen, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(expected), len(seen)) if at is None else at
    if at < limit:
        return ""
    return f"; from character {at + 1} on {literal(seen[at:], 60)}, where {literal(expected[at:], 60)} is expected"
