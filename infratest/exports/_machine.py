"""The machine that a monitoring tool runs on, over its transport: this one, or a host of the stack.

What exports look at, write and run there; files are laid out in a folder that is removed behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import InfratestError, TransportError, UserError
from infratest.hosts import Host
from infratest.local_program import shown
from infratest.outsiders import get
from infratest.transports.base import Transport

#: Where daemons are that the PATH of people does not name.
ALSO = "/usr/sbin:/usr/local/sbin:/sbin"
#: Characters of what a program says that are shown; seconds in which what was laid out has to be removed.
SHOWN, AFTERWARDS = 3000, 20.0
#: What a checker's lines are known by that tell of an error.
TELLING = ("error", "critical", "fail", "location", "not executable")


class Machine:
    """A machine, connected.

    Args:
        sudo: read, write and run there as root.
    """

    def __init__(self, transport: Transport, sudo: bool = False) -> None:
        self.transport = transport
        self.sudo = sudo

    @property
    def name(self) -> str:
        """Which one, for people."""
        return self.transport.host.name

    @property
    def remote(self) -> bool:
        """Whether it is another one than this."""
        return self.transport.host.transport != "local"

    def call(self, words: Sequence[str], deadline: Deadline, stdin: bytes = b"") -> tuple[int, str]:
        """Return the status of a program and what it says, both streams together. Raises TransportError."""
        script = f'PATH=$PATH:{ALSO}; export PATH LC_ALL=C.UTF-8; exec "$@" 2>&1'
        result = self.transport.run(["sh", "-c", script, "sh", *words], deadline, stdin, self.sudo)
        return result.exit, decoded(result.stdout)

    def done(self, words: Sequence[str], deadline: Deadline, folder: str = "") -> str:
        """Return what a program says that has to end well.

        Args:
            folder: whose path is cut out of what is said.
        Raises:
            InfratestError: it does not, in its words.
        """
        status, said = self.call(words, deadline)
        said = said.replace(f"{folder}/", "") if folder else said
        if status != 0:
            raise InfratestError(f"`{shown(words)}` on {self.name} ends with status {status}:\n{told(said)}")
        return said

    def found(self, *names: str, package: str) -> str:
        """Return the path of a program, the first of these that there is.

        Args:
            package: of Debian, that has it.
        Raises:
            UserError: there is none.
        """
        for name in names:
            status, said = self.call(["sh", "-c", 'command -v -- "$1"', "sh", name], Deadline(AFTERWARDS))
            if status == 0:
                return said.strip()
        raise UserError(f"{names[0]} is not on {self.name}, to check what is written: install {package} (of Debian)")

    def owner(self) -> tuple[str, str]:
        """Return the user and the group that programs run as there."""
        return self.done(["id", "-un"], Deadline(AFTERWARDS)).strip(), self.done(
            ["id", "-gn"], Deadline(AFTERWARDS)
        ).strip()

    def put(self, text: str, path: str, deadline: Deadline) -> None:
        """Write a file, whole or not at all. Raises TransportError."""
        self.transport.put(text.encode("utf-8", "replace"), path, "0644", deadline, self.sudo)

    def read(self, path: str, deadline: Deadline) -> str | None:
        """Return a file's text; None where there is none. Raises InfratestError: it cannot be read."""
        script = '[ -e "$1" ] || exit 44; exec cat -- "$1"'
        result = self.transport.run(["sh", "-c", script, "sh", path], deadline, sudo=self.sudo)
        if result.exit == 44:
            return None
        if result.exit != 0 or result.truncated:
            why = clean(decoded(result.stderr), 300) if result.exit else "it is too long"
            raise InfratestError(f"{path} on {self.name} cannot be read: {why}")
        return decoded(result.stdout)

    def remove(self, path: str, deadline: Deadline) -> None:
        """Remove a file, where it is. Raises InfratestError."""
        self.done(["rm", "-f", "--", path], deadline)

    @contextmanager
    def laid_out(self, files: Mapping[str, str], deadline: Deadline) -> Iterator[str]:
        """Give the path of a folder with these files; it is removed behind the block."""
        folder = self.done(["mktemp", "-d", "--tmpdir", "infratest-export.XXXXXXXX"], deadline).strip()
        try:
            for name, text in files.items():
                self.put(text, f"{folder}/{name}", deadline)
            yield folder
        finally:
            with suppress(TransportError):
                self.call(["rm", "-rf", "--", folder], Deadline(AFTERWARDS))


@contextmanager
def here() -> Iterator[Machine]:
    """Give this machine."""
    with connected(Host("this machine", transport="local"), Deadline(AFTERWARDS)) as machine:
        yield machine


@contextmanager
def connected(host: Host, deadline: Deadline) -> Iterator[Machine]:
    """Give a host of the stack, logged in to. Raises TransportError."""
    transport: Transport = get("transport", host.transport)(host)
    try:
        transport.open(deadline)
        yield Machine(transport, host.sudo)
    finally:
        transport.close()


def told(said: str) -> str:
    """Return of what a checker says the lines that tell of an error, each with the next; all where none does."""
    lines = [line for line in said.splitlines() if line.strip()]
    errors = [place for place, line in enumerate(lines) if any(word in line.lower() for word in TELLING)]
    shown = sorted({each for place in errors for each in (place, place + 1) if each < len(lines)})
    return clean("\n".join(lines[each] for each in shown) or said, SHOWN, lines=True)
