"""Where a parameter's value comes from when the stack file does not hold it: the environment, a file, a program.

    db_password: {type: string, secret: true, from: {env: DB_PASSWORD}}   # or {file: PATH}, {command: [pass, show, db]}

Called by `stack.parameters`. What is read is never part of a message, nor what a program printed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.paths import path_of
from infratest.quoting import command_line

#: Seconds that a password manager may take; one that asks a person for a passphrase does so with its own agent.
COMMAND_SECONDS = 10.0
#: Bytes of a value; a secret that is longer is no password or key.
LONGEST = 64 * 1024


class Unreadable(UserError):
    """The source of a value is not here, or does not give it."""


def read(source: Mapping[str, Any], folder: Path, where: str) -> str:
    """Return the text of a source, without one line break at its end.

    Args:
        source: one key, `env`, `file` or `command`, and its value. folder: of the stack file, where paths begin.
        where: the parameter as the stack file names it, for messages.
    Raises:
        Unreadable: it is not there, or cannot be read. UserError: it is too long, or is no UTF-8 text.
    """
    kind, value = next(iter(source.items()))
    data = {"env": _environment, "file": _file, "command": _command}[kind](value, folder, where)
    if len(data) > LONGEST:
        raise UserError(f"{where}: what {kind} gives is longer than {LONGEST} bytes: that is no password and no key")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{where}: what {kind} gives is not UTF-8") from None
    if "\0" in text:
        raise UserError(f"{where}: what {kind} gives holds a NUL character, which no variable and no argument can")
    return text.removesuffix("\n").removesuffix("\r")


def _environment(name: str, folder: Path, where: str) -> bytes:
    value = os.environb.get(os.fsencode(name))
    if value is None:
        raise Unreadable(f"{where}: the environment variable {clean(name, 80)} is not set; set it where infratest runs")
    return value


def _file(name: str, folder: Path, where: str) -> bytes:
    path = path_of(folder, name)
    try:
        with path.open("rb") as file:
            return file.read(LONGEST + 1)
    except OSError as error:
        raise Unreadable(f"{where}: {path} cannot be read: {error.strerror}") from None


def _command(words: Sequence[str], folder: Path, where: str) -> bytes:
    shown = clean(command_line(list(words)), 200)
    try:
        done = subprocess.run(
            list(words), cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS, check=False
        )
    except OSError as error:
        raise Unreadable(f"{where}: {shown} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise Unreadable(f"{where}: {shown} did not end within {COMMAND_SECONDS:g} s, and was ended") from None
    if done.returncode != 0:
        words_of_it = clean(done.stderr.decode("utf-8", "replace"), 300)
        said = f": {words_of_it}" if words_of_it else ""
        raise Unreadable(f"{where}: {shown} ended with exit {done.returncode}{said}")
    return done.stdout
