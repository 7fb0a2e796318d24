"""The transport over SSH: one login a run, one channel a command, by paramiko.

Loaded by name for every host that is reached by SSH. Options complete themselves from ssh_config (`_ssh_route`),
connecting and logging in stands in `_ssh_login`, host keys in `_known_hosts`.

What a host sees is `sh -c '...' sh MARKER command arguments`, quoted for a POSIX shell, given to the user's login
shell. The marker, printed on both streams before the command begins, separates the command's output from what a
profile prints, and proves that the command ran at all: a login shell such as /bin/false answers without it, which is
AccessRefused. Login shells that are no POSIX shells: fish and csh read these quotes alike except for a backslash
(fish) and a line break (csh) inside an argument; scripts go by standard input and are not touched by that.

`cost`: a login for each hop that let us in; one round trip a command, the request and its answer (the opening of its
channel before it, one more on the wire, is not counted).
"""

from __future__ import annotations

import secrets
import select
import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import AccessRefused, ConnectionLost, DeadlineExceeded, TransportError, Unreachable
from infratest.hosts import Host
from infratest.options import build
from infratest.quoting import command_line
from infratest.transports import _mark
from infratest.transports._ssh_route import Hop, Options, route
from infratest.transports._streams import Kept, shown
from infratest.transports.base import CommandResult, Transport

if TYPE_CHECKING:
    import paramiko

    from infratest.transports import _ssh_login

CHUNK = 65536

#: Prints the marker on both streams, carries it in the environment, then becomes the command.
BEGIN = f'export {_mark.NAME}="$1"; shift; echo "${_mark.NAME}"; echo "${_mark.NAME}" >&2; {_mark.RUN}'

#: Seconds of silence after the command's status until streams that a daemon of it holds open are let go.
SILENCE = 2.0

#: Seconds within which paramiko's own clock may call a time-out before ours does.
CLOCKS_APART = 0.1

#: Seconds that the last words to a channel may take after the deadline, before the whole connection is cut.
LAST_WAIT = 1.0


class Ssh(Transport):
    """Runs commands on a host by SSH."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._options = build(Options, host.options, f"transport ssh of host {host.name}")
        self._sessions: list[_ssh_login.Session] = []
        self._hop: Hop | None = None

    def open(self, deadline: Deadline) -> None:
        """Connect hop by hop, verify each host key, log in."""
        try:
            from infratest.transports._ssh_login import login
        except ImportError as error:
            raise TransportError(
                f"{self.host.name}: SSH needs paramiko, which cannot be imported ({error}); "
                "install it with: pip install 'infratest[ssh]'"
            ) from error
        try:
            for hop in (hops := route(self.host, self._options)):
                through = self._sessions[-1] if self._sessions else None
                self._sessions.append(_jumped(login, hop, hop is hops[-1], through, deadline))
                self.cost.logins += 1
                self._hop = hop
        except BaseException:
            self.close()
            raise

    def execute(self, command: Sequence[str], stdin: bytes, deadline: Deadline) -> CommandResult:
        """Run an argument list on a channel of its own; at the deadline what it has started is killed."""
        if not self._sessions:
            raise TransportError(f"{self.host.name}: the transport is not open; call open() before execute()")
        marker = secrets.token_hex(8)
        execution = self._execution(marker, command, stdin, deadline)
        try:
            return execution.run()
        except DeadlineExceeded:
            if execution.begun:
                self._kill(marker, command)
            raise

    def _execution(self, marker: str, command: Sequence[str], stdin: bytes, deadline: Deadline) -> Execution:
        try:
            line = command_line(["sh", "-c", BEGIN, "sh", marker, *command]).encode("utf-8", "surrogateescape")
        except ValueError as error:
            raise TransportError(f"{self.host.name}: {error}") from error
        self.cost.commands += 1
        self.cost.round_trips += 1
        where, what = str(self._hop), shown(command)
        return Execution(where, self._sessions[-1], line, stdin, deadline, marker=marker, what=what)

    def _kill(self, marker: str, command: Sequence[str]) -> None:
        killing = _mark.kill_command(marker, command)
        try:
            self._execution(secrets.token_hex(8), killing, b"", Deadline(_mark.LAST_WAIT)).run()
        except TransportError:
            pass  # the host does not answer any more; that the deadline passed is what the caller must hear

    def close(self) -> None:
        """End the connections, the host's first."""
        while self._sessions:
            from infratest.transports import _ssh_login

            _ssh_login.shut(self._sessions.pop())


class Execution:
    """One command on one channel.

    Args:
        where, what: for messages. line: what the login shell gets. marker: what both streams begin with.
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
        what: str,
    ) -> None:
        self._where = where
        self._what = what
        self._session = session
        self._line = line
        self._stdin = stdin
        self._deadline = deadline
        self._out = Kept(marker.encode("ascii") + b"\n")
        self._err = Kept(marker.encode("ascii") + b"\n")
        self._started = monotonic()

    @property
    def begun(self) -> bool:
        """Whether the command itself was seen to run."""
        return self._out.begun

    def run(self) -> CommandResult:
        """Ask for the command, feed and read it, and return how it ended."""
        import paramiko

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
            raise self._refused(channel.exit_status)
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
        begun = "the command ran and did not end" if self._out.begun else "logged in, and the command did not begin"
        late = DeadlineExceeded(
            f"{self._where}: {begun} within {self._deadline.seconds:.3g} s: {self._what}; give it more time with "
            "--timeout, or run it by hand to see what it waits for"
        )
        late.partial = self._out.data
        return late

    def _failed(self, error: BaseException | None) -> TransportError:
        if self._deadline.left < CLOCKS_APART:
            return self._late()
        self._session.join(CLOCKS_APART)  # a lost connection wakes us a moment before its thread has ended
        if self._session.is_alive() and error is not None:
            return AccessRefused(
                f"{self._where}: logged in, and no command may be run: {clean(str(error), 200)}; see MaxSessions in "
                "sshd_config, and the user's authorized_keys"
            )
        words = f" ({clean(str(error), 200)})" if error is not None and str(error) else ""
        lost = ConnectionLost(f"{self._where}: the connection ended in the middle of: {self._what}{words}")
        lost.partial = self._out.data
        return lost

    def _refused(self, status: int) -> TransportError:
        said = clean(decoded(self._err.noise or self._out.noise), 300)
        return AccessRefused(
            f"{self._where}: logged in, and the login shell did not run the command: it ended with {status}"
            f"{f', saying: {said}' if said else ''}. Is the shell a restricted one (nologin, false, a forced command)?"
        )


def _jumped(
    login: Callable[[Hop, paramiko.Transport | None, Deadline], _ssh_login.Session],
    hop: Hop,
    last: bool,
    through: paramiko.Transport | None,
    deadline: Deadline,
) -> _ssh_login.Session:
    """Log in to a hop; a jump host that is down says nothing about the host behind it."""
    try:
        return login(hop, through, deadline)
    except Unreachable as error:
        if last:
            raise
        raise TransportError(f"{error} (a jump host: whether the host behind it is up is not known)") from error
