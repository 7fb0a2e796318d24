"""Words put into POSIX shell text, the only way a value meets a shell; and between the quotes of a sentence."""

from __future__ import annotations

SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_")


def quoted(word: str) -> str:
    """Return one shell word that means exactly this text.

    Raises:
        ValueError: the text holds a NUL, which no argument can.
    """
    if "\0" in word:
        raise ValueError(f"a NUL character cannot be in a command: {word!r}")
    if word and all(character in SAFE for character in word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def put_in(text: str, place: int, word: str) -> str:
    """Return how a word is written at a place of shell text so that it stays data, whatever quotes are open there.

    Raises:
        ValueError: no quoting is safe there: behind a backslash, or between back quotes.
    """
    opened = _opened(text, place)
    if opened in ("\\", "`"):
        where = "behind a backslash" if opened == "\\" else "between back quotes, write $(...) for them"
        raise ValueError(f"a value cannot stand {where}")
    made = quoted(word)
    return made if not opened or made == word else f"{opened}{made}{opened}"


def _opened(text: str, place: int) -> str:
    """Return the quote that is open at a place of shell text (XCU 2.2), a backslash before it, or an empty text."""
    inside = [""]
    at = 0
    while at < place:
        character, now = text[at], inside[-1]
        if now == "'":
            if character == "'":
                inside.pop()
        elif character == "\\":
            if at + 1 == place:
                return "\\"
            at += 1
        elif character == now or (character == ")" and now == "("):
            inside.pop()
        elif character in '"`' or (character == "'" and now != '"'):
            inside.append(character)
        elif character == "(" and (now != '"' or text[at - 1 : at] == "$"):
            inside.append("(")
        at += 1
    return "`" if "`" in inside else inside[-1].replace("(", "")


def template(text: str, *words: str) -> str:
    """Return a shell command with each `%s` replaced by one quoted word, as `template("stat %s", path)`."""
    return text % tuple(quoted(word) for word in words)


def command_line(arguments: tuple[str, ...] | list[str]) -> str:
    """Return an argument list as one line of shell."""
    return " ".join(quoted(argument) for argument in arguments)


def escaped(text: str) -> str:
    r"""Return text as it stands between the quotes of a sentence: `\"` for a quote, each backslash before one twice.

    The one rule of quoting: any other backslash is itself, so that a pattern comes to RE2 as it is written. The end
    quote counts as one: `C:\` is written `"C:\\"`.
    """
    return '\\"'.join([part + "\\" * _backslashes(part) for part in text.split('"')])


def unescaped(text: str) -> str:
    """Return the text that stands between the quotes of a sentence as `escaped` writes it."""
    *parts, last = text.split('"')
    return '"'.join([part[: len(part) - _backslashes(part) // 2] for part in (*[each[:-1] for each in parts], last)])


def _backslashes(part: str) -> int:
    """Return how many there are at the end of a part."""
    return len(part) - len(part.rstrip("\\"))
