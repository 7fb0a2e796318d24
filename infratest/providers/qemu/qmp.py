"""QEMU's monitor, by its protocol QMP: one JSON object a line, over a unix socket. Called for each verb of a machine.

Source: QEMU's docs/interop/qmp-spec. A socket serves one at a time; whoever comes second waits for its greeting.
"""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infratest.cleaning import cited, clean
from infratest.deadline import Deadline
from infratest.errors import ProviderError

TICK = 0.1  # seconds between two looks at a deadline, which somebody may bring forward


class Gone(ProviderError):
    """QEMU ended, or has never been there."""


class Monitor:
    """A connection to one machine's monitor."""

    def __init__(self, connection: socket.socket, name: str) -> None:
        self._connection = connection
        self._name = name
        self._held = b""

    def run(self, command: str, deadline: Deadline, **arguments: Any) -> Any:
        """Run a command and return what it answers.

        Raises:
            ProviderError: it was refused, with QEMU's words, or did not answer in time. Gone: QEMU ended.
        """
        # An answer to somebody before us, who ended before it came, comes to us: it has another id.
        identity = secrets.token_hex(8)
        asked = {"execute": command, "id": identity} | ({"arguments": arguments} if arguments else {})
        try:
            self._connection.sendall(json.dumps(asked).encode() + b"\n")
        except OSError as error:
            raise Gone(f"{self._name}: QEMU has ended: {error.strerror}") from error
        while True:
            answer = self.read(deadline)
            if answer.get("id") != identity:
                continue
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                words = clean(str(answer["error"].get("desc", answer["error"])), 300)
                raise ProviderError(f"{self._name}: QEMU could not do {command}: {words}")

    def human(self, line: str, deadline: Deadline) -> str:
        """Run a line of the monitor for people, and return what it prints; for what QMP has no command for.

        Raises:
            ProviderError: it printed an error; and as `run`.
        """
        said = str(self.run("human-monitor-command", deadline, **{"command-line": line}))
        if said.strip().startswith("Error"):
            raise ProviderError(f"{self._name}: QEMU could not do `{line}`: {clean(said.strip(), 300)}")
        return said

    def status(self, deadline: Deadline) -> str:
        """Return QEMU's word for how the machine is: running, paused, io-error ..."""
        return str(self.run("query-status", deadline)["status"])

    def read(self, deadline: Deadline) -> dict[str, Any]:
        """Return the next object: a greeting, an answer or an event."""
        while b"\n" not in self._held:
            if deadline.passed:
                raise ProviderError(f"{self._name}: QEMU's monitor did not answer in time; is the machine overloaded?")
            self._connection.settimeout(max(0.001, min(TICK, deadline.left)))
            try:
                more = self._connection.recv(65536)
            except TimeoutError:
                continue
            except OSError as error:
                raise Gone(f"{self._name}: QEMU has ended: {error.strerror}") from error
            if not more:
                raise Gone(f"{self._name}: QEMU has ended")
            self._held += more
        line, _, self._held = self._held.partition(b"\n")
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError as error:
            raise ProviderError(f"{self._name}: QEMU's monitor answered what is no JSON: {cited(line, 80)}") from error
        return answer


@contextmanager
def monitor(path: Path, name: str, deadline: Deadline) -> Iterator[Monitor]:
    """Connect to a machine's monitor.

    Args:
        path: of its socket. name: of the machine, for messages.
    Raises:
        Gone: nobody listens. ProviderError: it does not answer in time.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(str(path))
        except OSError as error:
            raise Gone(f"{name}: nobody listens at {path}: {error.strerror}; its QEMU has ended") from error
        found = Monitor(connection, name)
        while "QMP" not in found.read(deadline):
            pass  # before the greeting there may be an answer that somebody before us has not waited for
        found.run("qmp_capabilities", deadline)
        yield found
