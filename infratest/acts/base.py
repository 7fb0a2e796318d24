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
from infratest.facts._systemd import unit_name
from infratest.facts.base import Answer, Fact
from infratest.facts.process import Process, Processes, process_name, unsure
from infratest.plugins import builtin
from infratest.transports.base import CommandResult

#: Runs an argument list on the host, as root where the host says sudo.
Runner = Callable[[Sequence[str], Deadline], CommandResult]

#: Ends each process by its id ($1 ...); one that has ended by itself since it was looked for is no failure. Why another
#: could not be ended is in the words of the shell's own `kill`.
KILL = """s=0
for p; do kill -KILL "$p" || ! [ -d "/proc/$p" ] || s=1; done
exit $s"""


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
    """A service stopped, started or restarted by systemd. A name is a name: systemctl would take a pattern too."""

    name: str
    verb: str  # stop, start, restart

    def __post_init__(self) -> None:
        unit_name(self.name)

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
    """Every process of a name killed (SIGKILL): those of which `the process "..." is running` speaks, and no other."""

    name: str

    def __post_init__(self) -> None:
        process_name(self.name)

    def apply(self, run: Runner, deadline: Deadline) -> None:
        pids = [str(process.pid) for process in self._processes(run, deadline)]
        _demand(run(["sh", "-c", KILL, "sh", *pids], deadline), f"kill {self.name} (pid {', '.join(pids)})")

    def _processes(self, run: Runner, deadline: Deadline) -> list[Process]:
        fact: Fact = builtin("fact", "process")()
        result = run(["env", "LC_ALL=C", "sh", "-c", fact.ask([()])], deadline)
        answer = Answer(result.exit, decoded(result.stdout), decoded(result.stderr), result.truncated)
        processes: Processes = fact.read(answer, [()])[()]
        if perhaps := processes.perhaps(self.name):
            raise FactError(f"{unsure(self.name, perhaps)}; nothing was killed")
        named = processes.named(self.name)
        if not named:
            raise FactError(f"no process is named {self.name!r}: nothing was killed")
        return named


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
