"""Hosts by their names in ssh_config: those of its `Host` lines that hold no pattern, and of the files it includes.

Loaded by name for `from: [{ssh-config: ~/.ssh/config}]`. What the file says of a name is not read here: the host is
reached by that name, as `ssh NAME` reaches it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

from infratest.deadline import Deadline
from infratest.errors import InventoryError
from infratest.inventories.base import Answer, Inventory, Listed, name_of
from infratest.transports.ssh.config_words import FOLDER, SYSTEM_CONFIG, home, include_pattern, lines, words

#: OpenSSH's own limit for files that include each other.
INCLUDE_DEPTH = 16


@dataclass(frozen=True)
class Options:
    """Which ssh_config."""

    path: str = field(
        metadata={
            "short": True, "source": True, "title": "a path",
            "description": "The ssh_config; names in the files that it includes count, too.",
        }
    )  # fmt: skip


class SshConfig(Inventory):
    """Hosts by their names in ssh_config, each reached as `ssh NAME` reaches it."""

    options: Options

    def hosts(self, deadline: Deadline) -> Answer:
        path = self.path(self.options.path)
        reader = _Reader(self._config())
        reader.file(path, 0)
        return Answer(hosts=tuple(reader.found.values()), files=tuple(dict.fromkeys(reader.files)))

    def _config(self) -> str:
        """Return the ssh_config that hosts are looked up in, nothing where everybody's serves."""
        path = self.path(self.options.path)
        return "" if path in (Path(home()) / FOLDER / "config", Path(SYSTEM_CONFIG)) else str(path)


class _Reader:
    """Gathers names from a file and those that it includes, in their order."""

    def __init__(self, config: str) -> None:
        self.config = config
        self.found: dict[str, Listed] = {}
        self.files: list[Path] = []

    def file(self, path: Path, depth: int) -> None:
        if depth > INCLUDE_DEPTH:
            raise InventoryError(f"{path}: files include each other more than {INCLUDE_DEPTH} deep")
        self.files.append(path)
        try:
            for number, (keyword, rest) in enumerate(lines(str(path)), 1):
                if keyword == "host":
                    self._names(rest, f"{path}:{number}")
                elif keyword == "include":
                    for each in self._included(path, rest):
                        self.file(each, depth + 1)
        except FileNotFoundError:
            raise InventoryError(f"there is no ssh_config {path}; paths are relative to the stack file") from None
        except OSError as error:
            raise InventoryError(f"the ssh_config {path} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise InventoryError(f"the ssh_config {path} cannot be used: {error}") from None

    def _names(self, rest: str, where: str) -> None:
        for word in words(rest):
            if word and not any(sign in word for sign in "*?!") and word not in self.found:
                # A name that is none here stays what ssh_config is asked for: the address.
                address = "" if name_of(word) == word else word
                self.found[word] = Listed(name=word, address=address, config=self.config, where=where)

    def _included(self, path: Path, rest: str) -> Iterator[Path]:
        for pattern in words(rest):
            if "%" in pattern or "${" in pattern:
                raise ValueError(f"Include {pattern!r}: tokens in it are not known here; write the path")
            full = include_pattern(pattern, str(path), self.config)
            self.files.append(Path(full).parent)
            yield from map(Path, sorted(glob(full, include_hidden=False)))  # noqa: PTH207 - as OpenSSH, folders are patterns too
