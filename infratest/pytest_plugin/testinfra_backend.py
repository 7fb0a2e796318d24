"""testinfra's host object over our transports: its modules, our login, deadlines and host key checks.

Used by the pytest fixtures. Imports testinfra, which is an extra: whoever imports this says what to install.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any, Protocol

import testinfra.host
from testinfra.backend.base import BaseBackend, CommandResult

from infratest.deadline import Deadline
from infratest.errors import Unreachable
from infratest.hosts import DOWN, Host
from infratest.stack.open import opened as logged_in
from infratest.transports import base
from infratest.transports.base import Transport

#: Seconds that one command of a test, and a login, may take.
COMMAND_SECONDS, LOGIN_SECONDS = 300.0, 30.0


class Ahead(Protocol):
    """What may know the answer to a command already."""

    def answer(
        self, backend: TransportBackend, words: str, command: str, arguments: Sequence[Any], frame: FrameType | None
    ) -> base.CommandResult:
        """Return the answer, by `backend.live(words)` where it is not known."""


class TransportBackend(BaseBackend):  # type: ignore[misc]  # testinfra has no types that mypy follows here
    """Runs testinfra's commands over one open transport.

    Args:
        spec: the host. transport: to it, open. ahead: what may know answers already, or None.
        sudo, sudo_user: run as root, or as that user, by sudo; beside what the host itself says.
    """

    NAME = "infratest"

    def __init__(
        self,
        spec: Host,
        transport: Transport,
        ahead: Ahead | None = None,
        sudo: bool = False,
        sudo_user: str | None = None,
    ) -> None:
        # As root by the transport; as another user by testinfra's own words for it.
        super().__init__(spec.name, spec.sudo or (sudo and sudo_user is None), sudo_user if sudo else None)
        self.transport = transport
        self._spec = spec
        self._ahead = ahead

    @property
    def is_here(self) -> bool:
        """Whether the host is this machine, where a command costs no trip."""
        return self._spec.transport == "local"

    @property
    def identity(self) -> str:
        """The host, and as whom it is asked: what is so for one user need not be so for another."""
        who = self.sudo_user or ("root" if self.sudo and not self._spec.sudo else "")
        return f"{self.hostname}?{who}" if who else str(self.hostname)

    def get_pytest_id(self) -> str:
        return str(self.hostname)

    def get_command(self, command: str, *args: str) -> str:
        """Return the words for the shell; `host.sudo()` puts its own in the place of this. Ours runs as root itself."""
        words = str(self.quote(command, *args))
        return str(self.get_sudo_command(words, self.sudo_user)) if self.sudo_user else words

    def run(self, command: str, *args: str, **kwargs: Any) -> CommandResult:
        """Run a shell command, as testinfra writes it, with its arguments quoted. Raises TransportError."""
        words = self.get_command(command, *args)
        data = self.encode(words)  # what is not ASCII in the host's own encoding, which testinfra asks it for
        if self._ahead is None:
            answer = self.live(words)
        else:
            answer = self._ahead.answer(self, words, command, args, sys._getframe(1))
        return self.result(answer.exit, data, answer.stdout, answer.stderr)

    def live(self, words: str, typed: bool = True) -> base.CommandResult:
        """Run words on the host now.

        Args:
            typed: a test's own, by the shell that plain testinfra has: the login's over SSH. Else testinfra's own,
                which are written for a POSIX shell.
        Raises:
            TransportError: no answer came.
        """
        # Each byte that is not ASCII as what every transport sends as that byte.
        line = self.encode(words).decode("ascii", "surrogateescape")
        deadline, sudo = Deadline(COMMAND_SECONDS), bool(self.sudo)
        if typed:
            return self.transport.run_typed(line, deadline, sudo)
        return self.transport.run(["/bin/sh", "-c", line], deadline, sudo=sudo)

    def reconnect(self) -> None:
        """Log in anew. Raises TransportError."""
        self.transport.close()
        self.transport = logged_in(self._spec, Deadline(LOGIN_SECONDS))

    def close(self) -> None:
        self.transport.close()


def opened(
    host: Host, ahead: Ahead | None = None, sudo: bool = False, sudo_user: str | None = None
) -> testinfra.host.Host:
    """Return testinfra's object for a host, logged in.

    Args:
        ahead: what may know answers already. sudo, sudo_user: run as root, or as that user, by sudo.
    Raises:
        TransportError: it cannot be reached or logged in to.
    """
    if host.state in DOWN:
        raise Unreachable(f"{host.name} is {host.state}, by its provider's word; `infratest up` first")
    transport = logged_in(host, Deadline(LOGIN_SECONDS))
    return testinfra.host.Host(TransportBackend(host, transport, ahead, sudo, sudo_user))
