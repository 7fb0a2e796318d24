"""What a step of a user's own finds as `context.infratest`. Made by `users_run`, one for a stretch of scenarios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infratest.deadline import Deadline
from infratest.engine.run import Run
from infratest.errors import UserError, unknown
from infratest.hosts import Host
from infratest.plan.tasks import Task
from infratest.transports.base import CommandResult

#: Seconds that a command of a user's step may take.
COMMAND_SECONDS = 60.0


class Stack:
    """What a user's step finds as `context.infratest`: the stack's hosts, and a way to run a command on one.

    Args:
        hosts: those that the scenario's Given sentences select, by name; all of the stack without one.
        host: the one that the scenario is about: that it runs for, or the only one given; else None.
    """

    def __init__(self, going: Run) -> None:
        self._going = going
        self.hosts: Mapping[str, Host] = going.plan.hosts
        self.host: Host | None = None

    def begin(self, task: Task) -> None:
        """Be about a task from now on."""
        every = self._going.plan.hosts
        self.hosts = {name: every[name] for name in task.given}
        only = next(iter(self.hosts.values())) if len(self.hosts) == 1 else None
        self.host = every.get(task.host, only)

    def run(self, host: str | Host, command: Sequence[str]) -> CommandResult:
        """Run an argument list on a host of the stack, over the connection of the run.

        Args:
            host: its name, or itself, as `host` and the values of `hosts` are.
        Raises:
            UserError: the stack has no such host. TransportError: it could not be run there.
        """
        name = host.name if isinstance(host, Host) else host
        every = self._going.plan.hosts
        if name not in every:
            raise UserError(unknown("host", str(name), list(every)))
        deadline: Deadline = self._going.deadline.at_most(COMMAND_SECONDS)
        with self._going.connections.use(name, deadline) as transport:
            return transport.run(command, deadline, sudo=every[name].sudo)
