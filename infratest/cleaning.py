"""Text from hosts, features, clouds and the web made safe to show: bounded, without control characters, secrets masked.

Called wherever such text enters a reason, an evidence, a line or a log. On the plugin program's path.
"""

from __future__ import annotations

MASK = "********"

#: Secrets known to this process; a value shorter than this would mask half of every text, so it is refused earlier.
SHORTEST_SECRET = 4
_secrets: set[str] = set()


def keep_secret(value: str) -> None:
    """Mask this value from now on, in everything that `clean` or `masked` returns."""
    if len(value) >= SHORTEST_SECRET:
        _secrets.add(value)


def masked(text: str) -> str:
    """Return the text with every known secret replaced."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def decoded(data: bytes) -> str:
    """Return bytes as UTF-8 text, with the replacement character where they are not."""
    return data.decode("utf-8", "replace")


def clean(text: str, limit: int = 2000, lines: bool = False) -> str:
    """Return text that cannot move a cursor, forge a line or flood a screen.

    Args:
        text: anything. limit: characters kept (the cut is marked). lines: keep line breaks; else they become blanks.
    """
    if not text:  # most reasons: what holds has none
        return ""
    # Masked whole, because a cut secret is none any more; then cut, so that megabytes are not walked through.
    text = masked(text).lstrip()[: limit * 2 + 1000]
    cleaned = (text if text.isprintable() else _printable(text, lines)).strip()
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
