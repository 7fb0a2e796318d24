"""What a sentence after When does to a host: the contract of an act, and the acts there are.

Run by the engine, one at a time, under the stack's lock. An act that can be undone says how *before* it acts, so that
the journal knows it first; the engine undoes it when its scenario ends, `infratest reap` after a crash.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import FactError, InfratestError
from infratest.transports.base import CommandResult

#: Runs an argument list on the host, as root where the host says sudo.
Runner = Callable[[Sequence[str], Deadline], CommandResult]

#: How a process name is matched by pkill: 15 bytes is all the kernel keeps of a name (TASK_COMM_LEN).
COMM_LENGTH = 15


class Act(ABC):
    """A change to one host."""

    #: The host goes away and comes back: the engine drops its connection and waits for the host to answer again.
    reboots = False

    @abstractmethod
    def apply(self, run: Runner, deadline: Deadline) -> None:
        """Do it. Raises InfratestError where it could not be done."""

    def undo(self, run: Runner, deadline: Deadline) -> tuple[str, ...] | None:
        """Return the command that undoes it, as things stand now, before it; None where nothing is to be undone."""
        return None


def _demand(result: CommandResult, what: str) -> None:
    if result.exit != 0:
        words = clean(decoded(result.stderr or result.stdout), 300) or "it printed nothing"
        raise FactError(f"{what}: exit {result.exit}: {words}")


@dataclass(frozen=True)
class ServiceAct(Act):
    """A service stopped, started or restarted by systemd."""

    name: str
    verb: str  # stop, start, restart

    def apply(self, run: Runner, deadline: Deadline) -> None:
        result = run(["systemctl", self.verb, "--", self.name], deadline)
        _demand(result, f"systemctl {self.verb} {self.name}")

    def undo(self, run: Runner, deadline: Deadline) -> tuple[str, ...] | None:
        if self.verb == "restart":
            return None
        active = run(["systemctl", "is-active", "--quiet", "--", self.name], deadline).exit == 0
        if active == (self.verb == "start"):
            return None
        return ("systemctl", "start" if active else "stop", "--", self.name)


@dataclass(frozen=True)
class KillAct(Act):
    """Every process of a name killed (SIGKILL)."""

    name: str

    def apply(self, run: Runner, deadline: Deadline) -> None:
        result = run(["pkill", "-KILL", "-x", "--", self._pattern()], deadline)
        if result.exit == 1 and not result.stderr:
            raise FactError(f"no process is named {self.name!r}: nothing was killed")
        _demand(result, f"pkill {self.name}")

    def _pattern(self) -> str:
        """Return the name as the extended regular expression that pkill takes: `.*` must not mean all there is."""
        kept = self.name.encode()[:COMM_LENGTH].decode("utf-8", "ignore")
        return "".join(f"\\{character}" if character in r"\.[({*+?^$|)" else character for character in kept)


@dataclass(frozen=True)
class CommandAct(Act):
    """A command of the user's, run by `sh -c` as written."""

    command: str

    def apply(self, run: Runner, deadline: Deadline) -> None:
        _demand(run(["sh", "-c", self.command], deadline), f"the command {self.command!r}")


@dataclass(frozen=True)
class RebootAct(Act):
    """The host rebooted."""

    reboots = True

    def apply(self, run: Runner, deadline: Deadline) -> None:
        try:
            # Detached, so that the answer is back before the connection goes.
            result = run(["sh", "-c", "(sleep 0.2; systemctl reboot) >/dev/null 2>&1 &"], deadline)
        except InfratestError as error:
            raise FactError(f"reboot could not be asked for: {error}") from error
        _demand(result, "systemctl reboot")
