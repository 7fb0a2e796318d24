"""The transport over SSH: one login a run, one channel a command and one for all scripts, by libssh2 or by paramiko.

Loaded by name for every host that is reached by SSH. Options complete themselves from ssh_config (`route`), which
client serves the route says `choice`; the clients are `libssh2` and `paramiko`.

What a host sees is `sh -c '...' sh MARKER command arguments`, quoted for a POSIX shell, given to the user's login
shell. The marker, printed on both streams before the command begins, separates the command's output from what a
profile prints, and proves that the command ran at all: a login shell such as /bin/false answers without it, which is
AccessRefused. Login shells that are no POSIX shells: fish and csh read these quotes alike except for a backslash
(fish) and a line break (csh) inside an argument; scripts go by standard input and are not touched by that.

`cost`: a login for each hop that let us in; one round trip a command, the request and its answer (the opening of its
channel before it, one more on the wire where no channel stands ready, is not counted).
"""

from __future__ import annotations

from infratest.errors import TransportError
from infratest.options import build
from infratest.transports.base import Chooses, Transport, environment
from infratest.transports.ssh.choice import CLIENTS, LIBSSH2, PARAMIKO, choose, clients
from infratest.transports.ssh.route import Options, route
from infratest.transports.ssh.script import escaped, once, typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.diagnosis import Finding
    from infratest.hosts import Host
    from infratest.transports.base import Choice, CommandResult
    from infratest.transports.ssh.client import Client
    from infratest.transports.ssh.route import Hop


class Ssh(Transport, Chooses):
    """Runs commands on a host by SSH."""

    keeps = True

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._options = build(Options, host.options, f"transport ssh of host {host.name}")
        self._client: Client | None = None

    @classmethod
    def elsewhere(cls, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return them without what is this machine's: its cache, and that a key may be pinned at first use.

        A key that every machine pins for itself is one that none of them has verified.
        """
        return {name: value for name, value in options.items() if name != "answers"} | {"pin": False}

    def choice(self) -> Choice:
        """Return which client serves this host, and why.

        Raises:
            TransportError: the route cannot be known, or the client that is asked for, or is left, cannot serve.
        """
        hops = route(self.host, self._options.changed(answers=""))  # looking writes nothing
        chosen = choose(hops, self._options.client)
        self._made(chosen, hops)
        return chosen

    @classmethod
    def doctor(cls) -> list[Finding]:
        """Say which clients can be imported, and what each is for."""
        return clients()

    def open(self, deadline: Deadline) -> None:
        """Connect hop by hop, verify each host key, log in."""
        hops = route(self.host, self._options, deadline)
        client = self._made(choose(hops, self._options.client), hops)
        self._client = client  # from here on `close` in another thread ends what waits
        try:
            client.open(deadline)
        except BaseException:
            self.close()
            raise

    def _made(self, choice: Choice, hops: list[Hop]) -> Client:
        if choice.client == LIBSSH2:
            from infratest.transports.ssh.libssh2_shell import ScriptClient

            return ScriptClient(self.host.name, hops, self.cost)
        try:
            from infratest.transports.ssh.paramiko import ParamikoClient
        except ImportError as error:
            install = f"install it with: {CLIENTS[PARAMIKO][2]}"
            hint = "" if choice.why.endswith(install) else f"; {install}"  # one extra brings both clients
            raise TransportError(
                f"{self.host.name}: SSH needs paramiko, which cannot be imported ({error}), and libssh2 "
                f"cannot serve: {choice.why}{hint}"
            ) from error
        return ParamikoClient(self.host.name, hops, self.cost)

    def execute(self, command: Sequence[str], stdin: bytes, deadline: Deadline) -> CommandResult:
        """Run an argument list on a channel of its own; at the deadline what it has started is killed."""
        if self._client is None:
            raise TransportError(f"{self.host.name}: the transport is not open; call open() before execute()")
        self._client.on_output = self.on_output
        return self._client.execute(command, stdin, deadline)

    def run_script(
        self,
        text: bytes,
        deadline: Deadline,
        sudo: bool = False,
        arguments: Sequence[str] = (),
        as_login: bool = False,
    ) -> CommandResult:
        """Run a script that holds nothing secret, in one round trip less where it fits into the command line.

        OpenSSH's server takes no input before it has started the command, so what is fed waits for that. Where the
        client keeps a shell, that runs it.
        """
        kept = None if as_login else self._client  # a shell that stays has an environment of its own
        result = kept.script(text, arguments, deadline, sudo) if kept is not None else None
        if result is not None:
            return self.let_in(result, sudo)
        script = escaped(text)
        if script is None:
            return super().run_script(text, deadline, sudo, arguments, as_login)
        return self.run(once(script, arguments, environment(as_login)), deadline, b"", sudo)

    def run_typed(self, line: str, deadline: Deadline, sudo: bool = False) -> CommandResult:
        """Run a line by the user's login shell, as `ssh HOST LINE` does."""
        if sudo:
            return super().run_typed(line, deadline, sudo)
        return self.run(typed(line), deadline)

    def close(self) -> None:
        """End the connections; from another thread it ends a command that runs."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
