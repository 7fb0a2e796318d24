"""The contract of a provisioner: apply, and which files here it reads.

`infratest provision`, `up --provision`, `watch` and the remedy `provision` carry out what the stack file lists under
`provision:`; the file's name is the word there. The connection is open when `apply` is called.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infratest import later, outsiders
from infratest.deadline import Deadline
from infratest.errors import NotInThisVersion, UserError
from infratest.options import build, fields, spelled_out
from infratest.paths import path_of
from infratest.transports.base import Transport


@dataclass(frozen=True, kw_only=True)
class Target:
    """A host to be provisioned, and what a provisioner may use.

    Args:
        transport: open, to the host. sudo: what needs root must be run by sudo, the login is another user's.
        environment: what a script on the host is told of the stack. progress: told what is done, in a few words.
        output: returns what is told one command's output, as it comes. log: told what is kept in the host's log.
    """

    transport: Transport
    sudo: bool
    environment: Mapping[str, str]
    progress: Callable[[str, str], None]
    output: Callable[[], Callable[[bytes], None]]
    log: Callable[[str], None]

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Have what commands print in the meantime shown as it comes."""
        self.transport.on_output = self.output()
        try:
            yield
        finally:
            self.transport.on_output = None


class Provisioner(ABC):
    """One entry of `provision:`. Its `Options`, a frozen dataclass, stand beside it or inside it.

    Its docstring is what `infratest provision --help` says of it; lines that are indented there stay lines.
    An option with `source` in its metadata is a file here that is read; one with `short` may stand alone. Where there
    is more to read than those files, as what a playbook includes, `sources` says so.
    """

    def __init__(self, options: Any, folder: Path) -> None:
        self.options = options
        self.folder = folder

    @abstractmethod
    def describe(self) -> str:
        """Return what it would do, in a few words: `shell provision/web.sh`."""

    @abstractmethod
    def apply(self, target: Target, deadline: Deadline) -> bool:
        """Do it, and return whether anything was changed. Doing it twice must be safe.

        Raises:
            ProviderError: it could not be done; the message holds the last that the host said.
            TransportError: the connection failed.
        """

    def sources(self) -> list[Path]:
        """Return every file here that it reads, and folders whose content it depends on."""
        known = fields(type(self.options)).values()
        named = [str(getattr(self.options, field.name)) for field in known if field.about.get("source")]
        return [self.path(name) for name in named if name]

    def path(self, text: str) -> Path:
        """Return the path that a stack file means: relative ones begin where it lies, and `~` is the user's home."""
        return path_of(self.folder, text)

    def digest(self) -> str:
        """Return what a host that it is applied to depends on, as one value: its options and its sources' content.

        A source that cannot be read is one state, too: it was there, or will be. Where the stack file's folder is, or
        by which way it was named, is none of it: a project that was moved is the same.
        """
        digest = hashlib.sha256(repr((type(self).__module__, self.options)).encode("utf-8", "backslashreplace"))
        for path in self.sources():
            try:
                content = path.read_bytes()
            except OSError as error:
                content = type(error).__name__.encode()
            within = path.relative_to(self.folder) if path.is_relative_to(self.folder) else path
            digest.update(f"\0{within}\0{len(content)}\0".encode("utf-8", "backslashreplace"))
            digest.update(content)
        return digest.hexdigest()


def content(path: Path) -> bytes:
    """Return what a source holds. Raises UserError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error


def provisioners(items: Iterable[Mapping[str, Any]], folder: Path, where: str) -> list[Provisioner]:
    """Return the provisioners of a host, in order.

    Args:
        items: of its `provision:`, a map of one name and its options each. folder: of the stack file, where paths
        begin. where: file:line, for the message.
    Raises:
        UserError: an unknown name, or options that it does not have.
        NotInThisVersion: a provisioner that is not built yet.
    """
    return [_provisioner(name, given, folder, where) for item in items for name, given in item.items()]


def _provisioner(name: str, given: Any, folder: Path, where: str) -> Provisioner:
    if name in later.names("provisioner"):
        there = " and ".join(outsiders.names("provisioner"))
        raise NotInThisVersion(f"{where}: provision {name!r}: {later.WORDS}; there are {there}")
    try:
        kind = outsiders.get("provisioner", name)
    except UserError as error:
        raise UserError(f"{where}: provision: {error}") from None
    options = outsiders.options_of(kind)
    if options is None:
        raise UserError(f"{kind.__module__}: has no Options dataclass; every provisioner has one, even if empty")
    made: Provisioner = kind(build(options, spelled_out(options, given), f"{where}: {name}"), folder)
    return made
