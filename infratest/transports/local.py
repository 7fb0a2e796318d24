"""The transport to this machine: programs are spawned here.

Loaded by name for hosts of the `local` provider and for `--host local`. It has no options. No login takes place and
no network is crossed; to keep runs comparable, `cost` counts one login at `open` and one round trip a command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import ConnectionLost, DeadlineExceeded, TransportError
from infratest.hosts import Host
from infratest.options import build
from infratest.transports._program import Program
from infratest.transports._streams import shown
from infratest.transports.base import CommandResult, Transport


@dataclass(frozen=True)
class Options:
    """This machine needs none."""


class Local(Transport):
    """Runs commands on this machine."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        build(Options, host.options, f"transport local of host {host.name}")
        self._open = Event()  # another thread may close
        self._running: Program | None = None

    def open(self, deadline: Deadline) -> None:
        """Nothing to connect to; counted as one login."""
        self._open.set()
        self.cost.logins += 1

    def execute(self, command: Sequence[str], stdin: bytes, deadline: Deadline) -> CommandResult:
        """Run an argument list; the deadline kills its process group."""
        if not self._open.is_set():
            raise TransportError(f"{self.host.name}: the transport is not open; call open() before execute()")
        self.cost.commands += 1
        self.cost.round_trips += 1
        self._running = Program(command, stdin, on_output=self.on_output)
        try:
            ended = self._running.run(deadline)
        except ValueError as error:
            raise TransportError(f"{self.host.name}: {error} in {clean(repr(list(command)), 200)}") from error
        finally:
            self._running = None
        if not self._open.is_set():
            lost = ConnectionLost(f"{self.host.name}: closed while a command ran: {shown(command)}")
            lost.partial = ended.result.stdout
            raise lost
        if ended.cut:
            late = DeadlineExceeded(
                f"{self.host.name}: no end within {deadline.seconds:.3g} s, killed: {shown(command)}; "
                "give it more time with --timeout, or run it by hand to see what it waits for"
            )
            late.partial = ended.result.stdout
            raise late
        return ended.result

    def close(self) -> None:
        """End what still runs (it may be called from another thread)."""
        self._open.clear()
        if self._running is not None:
            self._running.kill()
