"""OpenSSH's ssh_config: what it says for a host, read here, and by paramiko where a file has conditions (`Match`).

Called by `_ssh_route`. Format: ssh_config(5). The first value found counts, IdentityFile gathers; the user's file comes
before the system's. Include is followed here for both readers, because paramiko does not do it.
"""

from __future__ import annotations

import glob
import os
import shlex
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from infratest.errors import TransportError

USER_CONFIG, SYSTEM_CONFIG = "~/.ssh/config", "/etc/ssh/ssh_config"

#: OpenSSH's own limit for files that include each other.
INCLUDE_DEPTH = 16

#: Keywords that gather values where others take the first one.
GATHERED = ("identityfile", "localforward", "remoteforward", "certificatefile", "sendenv")

#: Keywords with `%` tokens that are used here.
WITH_TOKENS = ("hostname", "identityfile", "userknownhostsfile", "globalknownhostsfile", "proxyjump")


@dataclass(frozen=True)
class Block:
    """What stands under one `Host` line: its patterns, its lines as keyword and value."""

    patterns: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]

    def holds_for(self, name: str) -> bool:
        """Tell whether the patterns name a host; a `!pattern` that matches wins."""
        if any(one.startswith("!") and fnmatchcase(name, one[1:]) for one in self.patterns):
            return False
        return any(fnmatchcase(name, one) for one in self.patterns)


@dataclass(frozen=True)
class Config:
    """The files as they were read. Args: needs: why paramiko must read them, in words, or nothing."""

    blocks: tuple[Block, ...] = ()
    texts: tuple[str, ...] = field(default=(), repr=False)
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
            file = Path(os.path.expanduser(name))  # noqa: PTH111
            if path or file.is_file():
                texts += _pieces(file, "Host *", 0)
        blocks = tuple(_block(text) for text in texts)
    except OSError as error:
        raise TransportError(f"cannot read the ssh_config {error.filename}: {error.strerror}") from error
    except ValueError as error:
        raise TransportError(f"cannot read the ssh_config {path or USER_CONFIG}: {error}") from error
    condition = any(keyword == "match" for text in texts for keyword, _ in _lines(text))
    return Config(blocks, tuple(texts), "ssh_config has a Match, which paramiko evaluates" if condition else "")


def _pieces(file: Path, header: str, depth: int) -> Iterator[str]:
    """Yield the text of a file in pieces, each under its own Host or Match line, with included files in their place."""
    piece = [header]
    for line in file.read_text("utf-8", "replace").splitlines():
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
                for included in sorted(glob.glob(_include_path(pattern.strip('"'), file))):  # noqa: PTH207
                    yield from _pieces(Path(included), header, depth + 1)
    yield "\n".join(piece)


def _include_path(pattern: str, file: Path) -> str:
    base = "/etc/ssh" if str(file).startswith("/etc/ssh/") else "~/.ssh"
    return os.path.expanduser(pattern if pattern.startswith(("/", "~")) else f"{base}/{pattern}")  # noqa: PTH111


def _block(text: str) -> Block:
    lines = list(_lines(text))
    (_, patterns), *rest = lines
    return Block(tuple(shlex.split(patterns)), tuple(rest))


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
        "%d": os.path.expanduser("~"),  # noqa: PTH111
        "%l": socket.gethostname(),
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
