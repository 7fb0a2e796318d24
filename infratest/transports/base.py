"""The contract of a transport: open, run a command, close.

The engine makes one transport a host and run, opens it once (one login), runs commands over it, from one thread at a
time, and closes it. `close` twice is fine, and after a failed `open` too. Every method raises only TransportErrors
(errors.py): Unreachable where no connection came about, AccessRefused and HostKeyRefused where the host answered and
the way in is shut, DeadlineExceeded and ConnectionLost (with `partial` set to the standard output so far) after that.
A command that ends with a status, whatever it is, is a CommandResult and no error.

A transport that may be spoken by several clients has `Chooses` beside this, one that depends on what is installed
`diagnosis.Doctor`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from infratest.deadline import Deadline
from infratest.errors import AccessRefused, TransportError
from infratest.hosts import STARTING
from infratest.model import Cost
from infratest.quoting import quoted
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from infratest.hosts import Host

#: Bytes of one stream that are kept; what comes after is read and dropped, so that no host can fill our memory.
OUTPUT_LIMIT = 8 * 2**20

#: Asks for no password, ever.
SUDO = ("sudo", "-n", "--")

#: What to try where sudo refuses, by words of its refusal (sudo's and sudo-rs's); else its password is meant.
NOPASSWD = "allow it without a password (NOPASSWD in sudoers)"
SUDO_ADVICE = (
    ("must have a tty", "sudoers demands a terminal, which no check has: write `Defaults:USER !requiretty` there"),
    ("not in the sudoers", "nothing allows it for this user: give it a line in sudoers, with NOPASSWD"),
    ("not allowed to", "sudoers allows this user other commands alone: let it run `sh` with NOPASSWD"),
    ("effective uid is not 0", "its file system or container forbids it to become root (nosuid, no-new-privileges)"),
    ("no new privileges", "its file system or container forbids it to become root (nosuid, no-new-privileges)"),
)


def require_address(host: Host, given: str) -> None:
    """Refuse a host that its provider has not brought to run and has no address of: its name may be another machine's.

    Args:
        given: the address that the transport's options name, or empty.
    Raises:
        TransportError: there is none yet.
    """
    if host.state == STARTING and not (given or host.address or host.endpoints):
        raise TransportError(f"host {host.name}: starting, and its provider has no address of it yet")


class CommandResult(Record):
    """What a command answered: `exit` as the shell's `$?` (128 + n after signal n), both streams as bytes."""

    exit: int
    stdout: bytes
    stderr: bytes
    seconds: float
    truncated: bool = False


class Choice(Record):
    """The client that a transport takes for a host, and the reason in words."""

    client: str
    why: str


class Chooses(ABC):
    """A transport that may be spoken by several clients, and says which one it takes for its host."""

    @abstractmethod
    def choice(self) -> Choice:
        """Return which client serves this host, and why, connecting to nobody.

        Raises:
            TransportError: none can serve; the message says what stands in the way and what to try.
        """


def environment(as_login: bool) -> tuple[str, ...]:
    """Return what comes before the shell of a script, that it has `LC_ALL=C`, or the login's own environment."""
    return ("env",) if as_login else ("env", "LC_ALL=C")


class Transport(ABC):
    """A way to run commands on one host; `Options` of a subclass is a frozen dataclass for `infratest.options`."""

    #: Whether it holds a connection that is worth keeping from one run to the next.
    keeps = False

    #: Called with each piece of a command's standard output as it comes, in the thread that waits for the command.
    on_output: Callable[[bytes], None] | None = None

    def __init__(self, host: Host) -> None:
        self.host = host
        self.cost = Cost()

    @classmethod
    def elsewhere(cls, options: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the options by which another machine reaches the same host; None where this machine alone can.

        Args:
            options: of a host, as the user would write them. Paths are the same ones there.
        """
        return None

    @abstractmethod
    def open(self, deadline: Deadline) -> None:
        """Connect and log in, verifying who answers."""

    @abstractmethod
    def execute(self, command: Sequence[str], stdin: bytes, deadline: Deadline) -> CommandResult:
        """Run an argument list with this standard input and wait for its end, killing what it can at the deadline."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the connection."""

    def run(self, command: Sequence[str], deadline: Deadline, stdin: bytes = b"", sudo: bool = False) -> CommandResult:
        """Run an argument list, as root where `sudo` is true.

        Raises:
            AccessRefused: sudo did not let us (no password is ever asked for: `sudo -n`).
        """
        return self.let_in(self.execute([*SUDO, *command] if sudo else command, stdin, deadline), sudo)

    def run_typed(self, line: str, deadline: Deadline, sudo: bool = False) -> CommandResult:
        """Run a line as a person would who has logged in: by the shell that the login gives, else by `/bin/sh`.

        By sudo it is `/bin/sh` too. Raises as `run`.
        """
        return self.run(["/bin/sh", "-c", line], deadline, sudo=sudo)

    def let_in(self, result: CommandResult, sudo: bool) -> CommandResult:
        """Return a result, unless it is sudo's own refusal."""
        if sudo and result.exit != 0 and result.stderr.startswith(b"sudo: "):
            words = result.stderr.decode("utf-8", "replace").strip().splitlines()[0]
            advice = next((what for said, what in SUDO_ADVICE if said in words), NOPASSWD)
            raise AccessRefused(
                f"sudo on {self.host.name} was denied: {words}; {advice}, or set `sudo: false` for this host"
            )
        return result

    def run_script(
        self,
        text: bytes,
        deadline: Deadline,
        sudo: bool = False,
        arguments: Sequence[str] = (),
        as_login: bool = False,
    ) -> CommandResult:
        """Run a script for a POSIX shell that holds nothing secret: a host's process list may show it.

        It reads nothing from its standard input, and has `LC_ALL=C`, or with `as_login` the login's own environment;
        `arguments` are its `$1`, `$2` ...
        """
        return self.run([*environment(as_login), "sh", "-s", *arguments], deadline, text, sudo)

    def put(self, data: bytes, path: str, mode: str, deadline: Deadline, sudo: bool = False) -> None:
        """Write a file on the host, making its folder where needed, so that no reader ever sees half of it.

        Args:
            mode: in octal, as `0644`.
        Raises:
            TransportError: the host could not write it; the message holds its own words.
        """
        target = quoted(path)
        script = (
            f'umask 022; mkdir -p "$(dirname {target})" || exit; '
            f"umask 077; t={target}.infratest.$$; trap 'rm -f \"$t\"' EXIT; "
            f'cat >"$t" && chmod {quoted(mode)} "$t" && mv -f "$t" {target}'
        )
        result = self.run(["sh", "-c", script], deadline, data, sudo)
        if result.exit != 0:
            words = result.stderr.decode("utf-8", "replace").strip()
            raise TransportError(f"{self.host.name}: could not write {path}: {words or f'exit {result.exit}'}")
