"""What an SSH client does for the transport `ssh`: log in along a route, run commands on channels, let go.

Two stand behind it: `paramiko` and `libssh2`. The marker that separates a command's output from a profile's
words, and the killing of what a command has started, are the same for both and stand here.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod

from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, TransportError
from infratest.quoting import command_line
from infratest.transports import _mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from infratest.model import Cost
    from infratest.transports.base import CommandResult
    from infratest.transports.ssh.route import Hop

    class Execution(Protocol):
        """One command on one channel."""

        @property
        def begun(self) -> bool:
            """Whether the command itself was seen to run."""

        def run(self) -> CommandResult:
            """Ask for the command, feed and read it, and return how it ended."""


def marker() -> str:
    """Return a marker that no output holds by chance."""
    return os.urandom(8).hex()


class Client(ABC):
    """A way to speak SSH.

    Args:
        name: the host's, for messages. hops: the route, the host last. cost: where logins and commands are counted.
    """

    #: The script that prints the marker and becomes, or starts, the command.
    begin: str

    #: Called with each piece of a command's standard output, as `Transport.on_output`.
    on_output: Callable[[bytes], None] | None = None

    def __init__(self, name: str, hops: Sequence[Hop], cost: Cost) -> None:
        self.name = name
        self.hops = hops
        self.cost = cost

    @abstractmethod
    def open(self, deadline: Deadline) -> None:
        """Connect hop by hop, verify each host key, log in; what fails leaves nothing open."""

    @abstractmethod
    def execution(self, line: bytes, stdin: bytes, deadline: Deadline, mark: str, command: Sequence[str]) -> Execution:
        """Return a command that is ready to be run.

        Args:
            line: what the login shell gets. mark: what both streams begin with. command: for messages.
        """

    @abstractmethod
    def close(self) -> None:
        """End the connections; from another thread it ends a command that runs."""

    def script(self, text: bytes, arguments: Sequence[str], deadline: Deadline, sudo: bool) -> CommandResult | None:
        """Run a script by a shell that stays for the next; None: it is to be run as a command."""
        return None

    def execute(self, command: Sequence[str], stdin: bytes, deadline: Deadline) -> CommandResult:
        """Run an argument list on a channel of its own; at the deadline what it has started is killed."""
        mark = marker()
        execution = self._execution(mark, command, stdin, deadline)
        try:
            return execution.run()
        except DeadlineExceeded:
            if execution.begun:
                self.kill(mark, command)
            raise

    def line(self, mark: str, command: Sequence[str], environment: Sequence[str] = ()) -> bytes:
        """Return what the login shell gets for a marked command.

        Args:
            environment: `NAME=VALUE`, in which it runs.
        Raises:
            TransportError: an argument holds a NUL.
        """
        before = ["env", *environment] if environment else []
        words = [*before, "sh", "-c", self.begin, "sh", mark, *command]
        try:
            return command_line(words).encode("utf-8", "surrogateescape")
        except ValueError as error:
            raise TransportError(f"{self.name}: {error}") from error

    def _execution(self, mark: str, command: Sequence[str], stdin: bytes, deadline: Deadline) -> Execution:
        line = self.line(mark, command)
        self.cost.commands += 1
        self.cost.round_trips += 1
        return self.execution(line, stdin, deadline, mark, command)

    def kill(self, mark: str, command: Sequence[str]) -> None:
        try:
            self._execution(marker(), _mark.kill_command(mark, command), b"", Deadline(_mark.LAST_WAIT)).run()
        except TransportError:
            pass  # the host does not answer any more; that the deadline passed is what the caller must hear
