"""testinfra's host object over our transports: its modules, our login, deadlines and host key checks.

Used by the pytest fixtures. Imports testinfra, which is an extra: whoever imports this says what to install.
"""

from __future__ import annotations

from typing import Any

import testinfra.host
from testinfra.backend.base import BaseBackend, CommandResult

from infratest.deadline import Deadline
from infratest.errors import Unreachable
from infratest.hosts import GONE, STOPPED, Host
from infratest.stack.open import opened as logged_in
from infratest.transports.base import Transport

#: Seconds that one command of a test may take.
COMMAND_SECONDS = 300.0


class TransportBackend(BaseBackend):  # type: ignore[misc]  # testinfra has no types that mypy follows here
    """Runs testinfra's commands over one open transport."""

    NAME = "infratest"

    def __init__(self, transport: Transport, sudo: bool) -> None:
        super().__init__(transport.host.name, sudo)
        self._transport = transport

    @property
    def encoding(self) -> str:
        """UTF-8: testinfra would run a command to ask the host."""
        return "utf-8"

    def decode(self, data: bytes) -> str:
        return data.decode("utf-8", "replace")

    def get_pytest_id(self) -> str:
        return str(self.hostname)

    def run(self, command: str, *args: str, **kwargs: Any) -> CommandResult:
        """Run a shell command, as testinfra writes it, with its arguments quoted. Raises TransportError."""
        as_root = self.sudo and self.sudo_user is None
        words = self.quote(command, *args) if as_root else self.get_command(command, *args)
        answer = self._transport.run(["/bin/sh", "-c", words], Deadline(COMMAND_SECONDS), sudo=as_root)
        return self.result(answer.exit, self.encode(words), answer.stdout, answer.stderr)

    def close(self) -> None:
        self._transport.close()


def opened(host: Host, deadline: Deadline) -> testinfra.host.Host:
    """Return testinfra's object for a host, logged in.

    Raises:
        TransportError: it cannot be reached or logged in to.
    """
    if host.state in (STOPPED, GONE):
        raise Unreachable(f"{host.name} is {host.state}, by its provider's word; `infratest up` first")
    return testinfra.host.Host(TransportBackend(logged_in(host, deadline), host.sudo))
