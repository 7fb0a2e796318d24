"""OpenSSH's ssh_config: what it says for a host, read here, and by paramiko where a file has conditions (`Match`).

Called by `_ssh_route`. Format: ssh_config(5). The first value found counts, IdentityFile gathers; the user's file comes
before the system's. Include is followed here for both readers, because paramiko does not do it.
"""

from __future__ import annotations

import os

from infratest.errors import TransportError
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

USER_CONFIG, SYSTEM_CONFIG = "~/.ssh/config", "/etc/ssh/ssh_config"

#: OpenSSH's own limit for files that include each other.
INCLUDE_DEPTH = 16

#: Keywords that gather values where others take the first one.
GATHERED = ("identityfile", "localforward", "remoteforward", "certificatefile", "sendenv")

#: Keywords with `%` tokens that are used here.
WITH_TOKENS = ("hostname", "identityfile", "userknownhostsfile", "globalknownhostsfile", "proxyjump")


class Block(Record):
    """What stands under one `Host` line: its patterns, its lines as keyword and value."""

    patterns: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]

    def holds_for(self, name: str) -> bool:
        """Tell whether the patterns name a host; a `!pattern` that matches wins."""
        if any(one.startswith("!") and _matches(name, one[1:]) for one in self.patterns):
            return False
        return any(_matches(name, one) for one in self.patterns)


class Config(Record):
    """The files as they were read. Args: needs: why paramiko must read them, in words, or nothing."""

    blocks: tuple[Block, ...] = ()
    texts: tuple[str, ...] = ()
    needs: str = ""

    def lookup(self, name: str) -> dict[str, Any]:
        """Return what the files say for a host, under the keywords in lower case.

        Raises:
            TransportError: it cannot be understood.
        """
        if self.needs:
            return _by_paramiko(self.texts, name)
        found: dict[str, Any] = {}
        for block in self.blocks:
            if block.holds_for(name):
                for keyword, value in block.lines:
                    if keyword in GATHERED:
                        found.setdefault(keyword, []).append(value)
                    else:
                        found.setdefault(keyword, value)
        if found.get("proxycommand", "").lower() == "none":
            del found["proxycommand"]
        return _expanded(found, name)


#: What is known without any file.
NOTHING = Config()


def read(path: str) -> Config:
    """Return the ssh_config of a path, or of the user and the system where it is empty.

    Raises:
        TransportError: a file cannot be read, or holds a line that is none.
    """
    texts: list[str] = []
    try:
        for name in (path,) if path else (USER_CONFIG, SYSTEM_CONFIG):
            file = os.path.expanduser(name)
            if path or os.path.isfile(file):
                texts += _pieces(file, "Host *", 0)
        blocks = tuple(_block(text) for text in texts)
    except OSError as error:
        raise TransportError(f"cannot read the ssh_config {error.filename}: {error.strerror}") from error
    except ValueError as error:
        raise TransportError(f"cannot read the ssh_config {path or USER_CONFIG}: {error}") from error
    condition = any(keyword == "match" for text in texts for keyword, _ in _lines(text))
    return Config(blocks, tuple(texts), "ssh_config has a Match, which paramiko evaluates" if condition else "")


def _pieces(file: str, header: str, depth: int) -> Iterator[str]:
    """Yield the text of a file in pieces, each under its own Host or Match line, with included files in their place."""
    piece = [header]
    with open(file, encoding="utf-8", errors="replace") as opened:
        lines = opened.read().splitlines()
    for line in lines:
        words = line.strip().replace("=", " ", 1).split()
        keyword = words[0].lower() if words else ""
        if keyword in ("host", "match"):
            yield "\n".join(piece)
            piece, header = [line], line
        elif keyword != "include":
            piece.append(line)
        else:
            yield "\n".join(piece)
            piece = [header]
            if depth >= INCLUDE_DEPTH:
                raise ValueError(f"{file} includes files more than {INCLUDE_DEPTH} deep")
            for pattern in words[1:]:
                for included in _included(pattern.strip('"'), file):
                    yield from _pieces(included, header, depth + 1)
    yield "\n".join(piece)


def _included(pattern: str, file: str) -> list[str]:
    from glob import glob

    base = "/etc/ssh" if file.startswith("/etc/ssh/") else "~/.ssh"
    return sorted(glob(os.path.expanduser(pattern if pattern.startswith(("/", "~")) else f"{base}/{pattern}")))


def _block(text: str) -> Block:
    lines = list(_lines(text))
    (_, patterns), *rest = lines
    return Block(tuple(_words(patterns)), tuple(rest))


def _words(patterns: str) -> list[str]:
    if not any(sign in patterns for sign in "\"'\\#"):
        return patterns.split()
    import shlex

    return shlex.split(patterns)


def _matches(name: str, pattern: str) -> bool:
    if pattern == "*" or not any(sign in pattern for sign in "*?["):
        return pattern in ("*", name)
    from fnmatch import fnmatchcase

    return fnmatchcase(name, pattern)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield keyword and value of each line that is neither empty nor a comment."""
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        keyword, separator, value = line.partition("=")
        if not separator or len(keyword.split()) != 1:
            keyword, _, value = line.replace("\t", " ", 1).partition(" ")
        value = value.strip().removeprefix("=").strip()
        if not value:
            raise ValueError(f"no value in the line {line!r}")
        if len(value) > 1 and value[0] == value[-1] == '"' and keyword.lower() != "host":
            value = value[1:-1]
        yield keyword.strip().lower(), value


def _expanded(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the same with the `%` tokens replaced that OpenSSH knows for these keywords."""
    found["hostname"] = _replaced(found.get("hostname", name), {"%h": name}, name)
    tokens = {
        "%h": found["hostname"],
        "%n": name,
        "%p": str(found.get("port", "22")),
        "%r": str(found.get("user", "")) or "%r",
        "%u": os.environ.get("USER", "%u"),
        "%d": os.path.expanduser("~"),
        "%l": os.uname().nodename,
    }
    for keyword in WITH_TOKENS:
        value = found.get(keyword)
        if isinstance(value, list):
            found[keyword] = [_replaced(one, tokens, name) for one in value]
        elif value is not None and keyword != "hostname":
            found[keyword] = _replaced(value, tokens, name)
    return found


def _replaced(value: str, tokens: dict[str, str], name: str) -> str:
    if "%" not in value:
        return value
    pieces = value.split("%%")
    for token, meaning in tokens.items():
        pieces = [piece.replace(token, meaning) for piece in pieces]
    if any("%" in piece for piece in pieces):
        raise TransportError(
            f"ssh_config cannot be used for {name}: {value!r} has a token that is not in this version; say it without, "
            "or say `config: none` and give address, user and key"
        )
    return "%".join(pieces)


def _by_paramiko(texts: tuple[str, ...], name: str) -> dict[str, Any]:
    import io

    try:
        import paramiko
    except ImportError as error:
        raise TransportError(
            f"ssh_config has a Match, which needs paramiko, and that cannot be imported ({error}); "
            "install it with: pip install 'infratest[ssh]', or say `config: none`"
        ) from error
    config = paramiko.SSHConfig()
    try:
        for text in texts:
            config.parse(io.StringIO(text))
        return dict(config.lookup(name))
    except (paramiko.SSHException, ImportError, KeyError, ValueError) as error:
        # ImportError: `Match exec` runs a program, for which paramiko wants one more library.
        raise TransportError(
            f"ssh_config cannot be used for {name}: {error}; say `config: none` and give address, user and key"
        ) from error
