"""SSH by libssh2: one host without a jump, its key in a file; cheap to import, to connect and to run a command with.

Taken by the `ssh` transport where `_ssh_choice` says so. A command is asked for and fed in one flight, and the channel
of the next one is opened in the same flight, so that a command on an open connection is one round trip.

libssh2 cannot tell the status 0 from no status at all, nor when it came: the shell that starts a command says its
status at the end of the standard error, behind the marker (`_mark.TELL`).
"""

from __future__ import annotations

from _thread import allocate_lock  # threading.Lock itself, without what else that module imports
from time import monotonic

from ssh2.channel import Channel
from ssh2.error_codes import LIBSSH2_ERROR_EAGAIN
from ssh2.exceptions import ChannelClosedError, ChannelEOFSentError, SSH2Error

from infratest.deadline import Deadline
from infratest.transports import _mark, _ssh_errors
from infratest.transports._ssh_client import Client
from infratest.transports._ssh_libssh2_login import GONE, Link, Unserved
from infratest.transports._streams import Kept, Told
from infratest.transports.base import CommandResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infratest.errors import TransportError
    from infratest.model import Cost
    from infratest.transports._ssh_route import Hop

CHUNK = 65536

#: Seconds of silence after the command's status until streams that a daemon of it holds open are let go.
SILENCE = 2.0

#: Seconds that the last words to a channel may take after the deadline, before the whole connection is cut.
LAST_WAIT = 1.0


class Libssh2Client(Client):
    """One connection to one host."""

    begin = _mark.TELL

    def __init__(self, name: str, hops: Sequence[Hop], cost: Cost) -> None:
        super().__init__(name, hops, cost)
        (self._hop,) = hops
        self._link = Link(self._hop)
        self._channels = Channels(self._link)
        self._busy = allocate_lock()
        self._closed = False

    def open(self, deadline: Deadline) -> None:
        """Connect, verify the host key, log in."""
        with self._busy:
            try:
                self._login(deadline)
                self._channels.reserve()  # asked for now, heard of at the first command
            except BaseException:
                self._channels.clear()
                self._link.drop()
                raise
            self.cost.logins += 1

    def _login(self, deadline: Deadline) -> None:
        try:
            self._link.login(deadline)
        except Unserved:
            if self._closed:
                raise _ssh_errors.lost_login(self._hop, "closed") from None
            self._link.drop()
            self._link.hop = self._hop.step_by_step()
            self._link.login(deadline)
        except (SSH2Error, OSError) as error:
            raise _ssh_errors.lost_login(self._hop, str(error)) from error

    def execution(
        self, line: bytes, stdin: bytes, deadline: Deadline, mark: str, command: Sequence[str]
    ) -> Libssh2Execution:
        """Return a command that is ready to be run."""
        return Libssh2Execution(self, line, stdin, deadline, mark, command)

    def run(self, work: Callable[[Channels], CommandResult]) -> CommandResult:
        """Do the work of a command while nobody else uses or drops the connection."""
        with self._busy:
            try:
                return work(self._channels)
            finally:
                if self._closed:
                    self._channels.clear()
                    self._link.drop()

    def close(self) -> None:
        """End the connection; a command that runs in another thread ends with it, and lets go of what is left."""
        self._closed = True
        self._link.cut()
        if self._busy.acquire(blocking=False):
            try:
                self._channels.clear()
                self._link.drop()
            finally:
                self._busy.release()


class Channels:
    """The channels of a connection: one in reserve for the next command, those that still wait for their end."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._spare: Channel | None = None
        self._spared = True
        self._asked = self._served = False
        self._leaving: list[Channel] = []

    def taken(self, deadline: Deadline) -> Channel:
        """Return a channel.

        Raises:
            SSH2Error: the server gives none. TimeoutError: it did not answer by the deadline.
        """
        self._leaving = [channel for channel in self._leaving if channel.close() == LIBSSH2_ERROR_EAGAIN]
        self._waited(self.reserve, deadline)
        if self._spare is None:
            try:
                self._waited(self._ask, deadline)
            except SSH2Error as error:
                if isinstance(error, GONE) or not self._served:
                    raise
                # A server that gives one at a time counted the last one still; it has closed it by now.
                self._waited(self._ask, deadline)
        channel, self._spare, self._served = self._spare, None, True
        return channel

    def _waited(self, ask: Callable[[], None], deadline: Deadline) -> None:
        ask()
        while self._asked:
            self.link.wait(deadline)
            ask()

    def _ask(self) -> None:
        self._asked = False  # whatever comes now is the answer, but for None
        self._spare = self.link.open_channel()
        self._asked = self._spare is None

    def reserve(self) -> None:
        """Ask for the next command's channel, or look for the answer; a server that gives one at a time is no fault.

        Beside a command, only of a server that leaves an idle channel alone.
        """
        if self._spare is None and self._spared and (self.link.idles or not self._served):
            try:
                self._ask()
            except GONE:
                raise
            except SSH2Error:
                self._spared = False

    def leave(self, channel: Channel) -> None:
        """Close a channel, now or once the server has closed it."""
        if channel.close() == LIBSSH2_ERROR_EAGAIN:
            self._leaving.append(channel)

    def clear(self) -> None:
        """Forget all channels, before the session goes."""
        self._spare = None
        self._leaving.clear()


class Libssh2Execution:
    """One command on one channel.

    Args:
        line: what the login shell gets. mark: what both streams begin with. command: for messages.
    """

    def __init__(
        self, client: Libssh2Client, line: bytes, stdin: bytes, deadline: Deadline, mark: str, command: Sequence[str]
    ) -> None:
        self._client = client
        self._where = str(client.hops[-1])
        self._line = line
        self._stdin = stdin
        self._deadline = deadline
        self._command = command
        self._out = Kept(mark.encode("ascii") + b"\n")
        self._err = Told(mark)
        self._channel: Channel | None = None
        self._stuck: Callable[[], None] | None = None
        self._sent = self._answered = self._fed = False
        self._at = 0
        self._started = self._heard = monotonic()

    @property
    def begun(self) -> bool:
        """Whether the command itself was seen to run."""
        return self._out.begun

    def run(self) -> CommandResult:
        """Ask for the command, feed and read it, and return how it ended."""
        return self._client.run(self._run)

    def _run(self, channels: Channels) -> CommandResult:
        try:
            self._channel = channels.taken(self._deadline)
            self._talk(self._channel, channels)
            return self._result(self._channel)
        except TimeoutError:
            raise _ssh_errors.late(self._where, self._command, self._deadline, self._out) from None
        except (SSH2Error, OSError) as error:
            raise self._failed(error, channels) from None
        finally:
            self._leave(channels)

    def _talk(self, channel: Channel, channels: Channels) -> None:
        """Go round until the command has ended.

        Raises:
            TimeoutError: the deadline came first.
        """

        def ask() -> None:
            if not self._answered:
                self._answered = channel.execute(self._line) != LIBSSH2_ERROR_EAGAIN
                self._sent = True

        # Feeding comes last: any other may read that the server takes more, and nothing would tell us again.
        acts = (ask, channels.reserve, lambda: self._take(channel), lambda: self._feed(channel))
        while True:
            self._round(acts, channels)
            if self._over(channel):
                return
            if self._deadline.passed:
                raise TimeoutError
            if self._stuck is None and channel.poll_channel_read(1):
                continue
            self._wait(channels)

    def _round(self, acts: Sequence[Callable[[], None]], channels: Channels) -> None:
        """Do what can be done; an act that leaves half a packet unsent is repeated before any other."""
        for act in (self._stuck, *acts):
            if act is not None:
                act()
                self._stuck = act if channels.link.blocked else None
                if self._stuck is not None:
                    return

    def _wait(self, channels: Channels) -> None:
        told = self._err.status is not None
        patience = Deadline(min(self._deadline.left, SILENCE / 4) if told else self._deadline.left)
        try:
            channels.link.wait(patience)
        except TimeoutError:
            if not told:
                raise

    def _feed(self, channel: Channel) -> None:
        if self._fed or not self._sent:
            return
        try:
            while self._at < len(self._stdin):
                code, written = channel.write(self._stdin[self._at : self._at + CHUNK])
                self._at += written
                if code == LIBSSH2_ERROR_EAGAIN:
                    return
            self._fed = channel.send_eof() != LIBSSH2_ERROR_EAGAIN
        except (ChannelClosedError, ChannelEOFSentError):
            self._fed = True  # the command ended without reading all: its right

    def _take(self, channel: Channel) -> None:
        for kept, read in ((self._out, channel.read), (self._err, channel.read_stderr)):
            while True:
                size, data = read(CHUNK)
                if size < 0 and size != LIBSSH2_ERROR_EAGAIN:
                    raise SSH2Error(size)
                if size <= 0:
                    break
                kept.feed(data)
                self._heard = monotonic()

    def _over(self, channel: Channel) -> bool:
        told = self._err.status is not None
        if self._stuck is None and channel.eof() and channel.wait_closed() != LIBSSH2_ERROR_EAGAIN:
            return True
        if told and monotonic() - self._heard >= SILENCE:
            # A daemon holds the streams: there may be more that we do not wait for.
            self._out.truncated = self._out.truncated or not channel.eof()
            return True
        return False

    def _result(self, channel: Channel) -> CommandResult:
        status = self._status(channel)
        if not self._out.begun:
            raise _ssh_errors.shell_refused(self._where, status or 0, self._out, self._err)
        if status is None:
            raise _ssh_errors.lost(self._where, self._command, self._out, "its channel was closed without a status")
        return CommandResult(
            exit=status,
            stdout=self._out.data,
            stderr=self._err.data,
            seconds=monotonic() - self._started,
            truncated=self._out.truncated or self._err.truncated,
        )

    def _status(self, channel: Channel) -> int | None:
        """Return the status that the shell told; where it could not, what the server says, if that is no mere 0."""
        told = self._err.status
        return told if told is not None else int(channel.get_exit_status()) or None

    def _failed(self, error: Exception, channels: Channels) -> TransportError:
        if self._deadline.passed:
            return _ssh_errors.late(self._where, self._command, self._deadline, self._out)
        words = str(error)
        if isinstance(error, SSH2Error) and not isinstance(error, GONE) and not channels.link.gone():
            return _ssh_errors.no_command(self._where, words or type(error).__name__)
        return _ssh_errors.lost(self._where, self._command, self._out, words)

    def _leave(self, channels: Channels) -> None:
        """Close the channel; a connection that does not take the rest of a packet is of no use any more."""
        channel, self._channel = self._channel, None
        try:
            end = Deadline(LAST_WAIT)
            while self._stuck is not None:
                self._stuck()
                if not channels.link.blocked:
                    break
                channels.link.wait(end)
            if channel is not None:
                channels.leave(channel)
        except (SSH2Error, OSError):
            channels.link.cut()
        finally:
            self._stuck = None
