"""What a remedy does by commands on the host that failed, over the connection that the heal engine has opened.

The base of remedies here that no sentence can ask for; an act that may be a remedy is made one by `_act`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from infratest.cleaning import clean, decoded, masked
from infratest.deadline import Deadline
from infratest.errors import HealError, InfratestError
from infratest.model import Result
from infratest.quoting import command_line
from infratest.remedies.base import Outcome, Remedy, Surroundings
from infratest.transports.base import CommandResult, Transport

#: Characters of what a command printed that a message shows.
LONGEST = 500


class There:
    """The host: runs argument lists there, as root where it says sudo, and keeps the last one for the audit."""

    def __init__(self, surroundings: Surroundings, transport: Transport, deadline: Deadline) -> None:
        self._transport, self._sudo, self._deadline = transport, surroundings.host.sudo, deadline
        #: The command that the audit names, as shell text.
        self.command = ""

    def run(self, command: Sequence[str], shown: str = "") -> CommandResult:
        """Run an argument list. Args: shown: what the audit says of it, where that is not the list itself.

        Raises:
            TransportError: the host did not answer, or not in time.
        """
        self.command = masked(shown or command_line(list(command)))
        return self._transport.run(list(command), self._deadline, sudo=self._sudo)

    def done(self, command: Sequence[str], shown: str = "") -> str:
        """Run it and return what it printed. Raises HealError: its exit status is not 0; with what it said."""
        answer = self.run(command, shown)
        if answer.exit != 0:
            words = clean(decoded(answer.stderr or answer.stdout), LONGEST)
            raise HealError(f"exit {answer.exit}: {words or 'it printed nothing'}")
        return decoded(answer.stdout)


class OnHost(Remedy):
    """A remedy that works on the host; `act` does it, and its errors say by what and where."""

    def apply(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        what = f"{self.describe()} on {surroundings.host.name}"
        if surroundings.transport is None:
            raise HealError(f"{self.describe()}: there is no connection to {surroundings.host.name}")
        there = There(surroundings, surroundings.transport, deadline)
        try:
            words = self.act(there)
        except InfratestError as error:
            raise HealError(f"{what}: {error}") from error
        return Outcome(words=clean(words, LONGEST) or "done", command=there.command)

    @abstractmethod
    def act(self, there: There) -> str:
        """Do it and return what came of it, in words. Raises InfratestError: it could not be done."""
