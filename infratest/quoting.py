"""Words put into POSIX shell text: the only way a value from a feature, a stack file or a host meets a shell."""

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


def template(text: str, *words: str) -> str:
    """Return a shell command with each `%s` replaced by one quoted word, as `template("stat %s", path)`."""
    return text % tuple(quoted(word) for word in words)


def command_line(arguments: tuple[str, ...] | list[str]) -> str:
    """Return an argument list as one line of shell."""
    return " ".join(quoted(argument) for argument in arguments)
