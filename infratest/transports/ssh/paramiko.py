"""SSH by paramiko: everything that ssh_config, agents, certificates and jump hosts ask for.

Taken by the `ssh` transport where `choice` says so; nobody else imports it, because its import costs more than a
whole run by libssh2.
"""

from __future__ import annotations

import select
import threading
from _socket import SHUT_RDWR, socket  # what `socket.socket` is built on
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic

import paramiko

from infratest.deadline import Deadline
from infratest.errors import ConnectionLost, TransportError, Unreachable
from infratest.model import Cost
from infratest.transports import _mark
from infratest.transports._streams import Kept
from infratest.transports.base import CommandResult
from infratest.transports.ssh import errors
from infratest.transports.ssh.client import Client
from infratest.transports.ssh.paramiko_login import Session, login, shut
from infratest.transports.ssh.route import Hop

CHUNK = 65536

#: Seconds of silence after the command's status until streams that a daemon of it holds open are let go.
SILENCE = 2.0

#: Seconds within which paramiko's own clock may call a time-out before ours does.
CLOCKS_APART = 0.1

#: Seconds that the last words to a channel may take after the deadline, before the whole connection is cut.
LAST_WAIT = 1.0


class ParamikoClient(Client):
    """A chain of paramiko's connections, each through the one before it."""

    begin = _mark.BEGIN

    def __init__(self, name: str, hops: Sequence[Hop], cost: Cost) -> None:
        super().__init__(name, hops, cost)
        self._sessions: list[Session] = []
        self._beginning: socket | None = None
        self._closed = False

    def open(self, deadline: Deadline) -> None:
        """Connect hop by hop, verify each host key, log in."""
        try:
            for hop in self.hops:
                through = self._sessions[-1] if self._sessions else None
                last = hop is self.hops[-1]
                self._sessions.append(_jumped(login, hop, last, through, deadline, self._begins))
                self._beginning = None  # from here on the session is what `close` ends
                self.cost.logins += 1
        except BaseException:
            self.close()
            raise

    def execution(
        self, line: bytes, stdin: bytes, deadline: Deadline, mark: str, command: Sequence[str]
    ) -> ParamikoExecution:
        """Return a command that is ready to be run."""
        session = self._sessions[-1]
        where = str(self.hops[-1])
        return ParamikoExecution(
            where, session, line, stdin, deadline, marker=mark, command=command, on_output=self.on_output
        )

    def close(self) -> None:
        """End the connections, the host's first, and a login that is under way in another thread."""
        self._closed = True
        if self._beginning is not None:
            with suppress(OSError):
                self._beginning.shutdown(SHUT_RDWR)
        while self._sessions:
            shut(self._sessions.pop())

    def _begins(self, sock: socket) -> None:
        """Take the socket that a login begins on: `close` in another thread shuts it, or has been there before."""
        self._beginning = sock
        if self._closed:
            raise ConnectionLost(f"{self.hops[-1]}: closed while it logged in")


class ParamikoExecution:
    """One command on one channel.

    Args:
        where, command: for messages. line: what the login shell gets. marker: what both streams begin with.
    """

    def __init__(
        self,
        where: str,
        session: paramiko.Transport,
        line: bytes,
        stdin: bytes,
        deadline: Deadline,
        *,
        marker: str,
        command: Sequence[str],
        on_output: Callable[[bytes], None] | None,
    ) -> None:
        self._where = where
        self._command = command
        self._session = session
        self._line = line
        self._stdin = stdin
        self._deadline = deadline
        self._out = Kept(marker.encode("ascii") + b"\n", on_data=on_output)
        self._err = Kept(marker.encode("ascii") + b"\n")
        self._started = monotonic()

    @property
    def begun(self) -> bool:
        """Whether the command itself was seen to run."""
        return self._out.begun

    def run(self) -> CommandResult:
        """Ask for the command, feed and read it, and return how it ended."""
        # paramiko waits without end for the answer to a request; only closing the connection wakes it.
        watch = threading.Timer(self._deadline.left + LAST_WAIT, self._session.close)
        watch.daemon = True
        watch.start()
        channel: paramiko.Channel | None = None
        try:
            channel = self._session.open_session(timeout=max(self._deadline.left, 0.001))
            channel.settimeout(None)
            asked = threading.Timer(self._deadline.left, channel.close)
            asked.daemon = True
            asked.start()
            try:
                channel.exec_command(self._line)
            finally:
                asked.cancel()
            return self._talk(channel)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._failed(error) from error
        finally:
            if channel is not None:
                channel.close()
            watch.cancel()

    def _talk(self, channel: paramiko.Channel) -> CommandResult:
        feeder = threading.Thread(target=self._feed, args=(channel,), daemon=True)
        if self._stdin:
            feeder.start()
        else:
            channel.shutdown_write()
        if not self._read(channel):
            raise self._late()
        if self._stdin:
            channel.close()  # a command that ended without reading all we fed
            feeder.join(LAST_WAIT)
        if channel.exit_status < 0:
            raise self._failed(None)
        if not self._out.begun:
            raise errors.shell_refused(self._where, channel.exit_status, self._out, self._err)
        return CommandResult(
            exit=channel.exit_status,
            stdout=self._out.data,
            stderr=self._err.data,
            seconds=monotonic() - self._started,
            truncated=self._out.truncated or self._err.truncated,
        )

    def _feed(self, channel: paramiko.Channel) -> None:
        try:
            channel.sendall(self._stdin)
            channel.shutdown_write()
        except OSError:
            pass  # the command ended, or the connection did: the reader knows which

    def _read(self, channel: paramiko.Channel) -> bool:
        """Read until the end of both streams and a status; return False when the deadline came first."""
        readable = select.poll()
        readable.register(channel.fileno(), select.POLLIN)
        heard = monotonic()
        while not self._deadline.passed:
            # Looked at before reading: what was sent before an end is there to be read once the end is seen.
            over, ended = channel.eof_received or channel.closed, channel.exit_status_ready()
            patience = min(self._deadline.left, SILENCE / 4)  # nothing wakes us for the status alone
            readable.poll(patience * 1000)
            if self._take(channel):
                heard = monotonic()
            if over:
                return channel.status_event.wait(self._deadline.left)
            if ended and monotonic() - heard >= SILENCE:
                self._out.truncated = True  # a daemon holds the streams: there may be more that we do not wait for
                return True
        return False

    def _take(self, channel: paramiko.Channel) -> bool:
        taken = False
        while channel.recv_ready():
            self._out.feed(channel.recv(CHUNK))
            taken = True
        while channel.recv_stderr_ready():
            self._err.feed(channel.recv_stderr(CHUNK))
            taken = True
        return taken

    def _late(self) -> TransportError:
        return errors.late(self._where, self._command, self._deadline, self._out)

    def _failed(self, error: BaseException | None) -> TransportError:
        if self._deadline.left < CLOCKS_APART:
            return self._late()
        self._session.join(CLOCKS_APART)  # a lost connection wakes us a moment before its thread has ended
        if self._session.is_alive() and error is not None:
            return errors.no_command(self._where, str(error))
        return errors.lost(self._where, self._command, self._out, "" if error is None else str(error))


def _jumped(
    login: Callable[[Hop, paramiko.Transport | None, Deadline, Callable[[socket], None]], Session],
    hop: Hop,
    last: bool,
    through: paramiko.Transport | None,
    deadline: Deadline,
    begins: Callable[[socket], None],
) -> Session:
    """Log in to a hop; a jump host that is down says nothing about the host behind it."""
    try:
        return login(hop, through, deadline, begins)
    except Unreachable as error:
        if last:
            raise
        raise TransportError(f"{error} (a jump host: whether the host behind it is up is not known)") from error
