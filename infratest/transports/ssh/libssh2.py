"""SSH by libssh2: one host without a jump, its key in a file; cheap to import, to connect and to run a command with.

Taken by the `ssh` transport where `choice` says so. A command is asked for and fed in one flight, and the channel
of the next one is opened in the same flight, so that a command on an open connection is one round trip.

libssh2 cannot tell the status 0 from no status at all, nor when it came: the shell that starts a command says its
status at the end of the standard error, behind the marker (`_mark.TELL`).
"""

from __future__ import annotations

from _thread import allocate_lock  # threading.Lock itself, without what else that module imports
from time import monotonic, sleep

from ssh2.channel import Channel
from ssh2.error_codes import LIBSSH2_ERROR_EAGAIN
from ssh2.exceptions import ChannelClosedError, ChannelEOFSentError, SSH2Error

from infratest.deadline import Deadline
from infratest.transports import _mark
from infratest.transports._streams import Kept, MarkedStream
from infratest.transports.base import CommandResult
from infratest.transports.ssh import errors
from infratest.transports.ssh.client import Client
from infratest.transports.ssh.libssh2_login import GONE, Link, Unserved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from infratest.errors import TransportError
    from infratest.model import Cost
    from infratest.transports.ssh.route import Hop

CHUNK = 65536

#: Seconds of silence after the command's status until streams that a daemon of it holds open are let go.
SILENCE = 2.0

#: Seconds in which a server that gives one session at a time is to have freed the last one, and between two askings.
FREED, PAUSE = 5.0, 0.02

#: Seconds that the last words to a channel may take after the deadline, before the whole connection is cut.
LAST_WAIT = 1.0


class Libssh2Client(Client):
    """One connection to one host."""

    begin = _mark.TELL

    def __init__(self, name: str, hops: Sequence[Hop], cost: Cost) -> None:
        super().__init__(name, hops, cost)
        (self._hop,) = hops
        self._link = Link(self._hop, lambda: self._closed)
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
                raise errors.lost_login(self._hop, "closed") from None
            self._link.drop()
            self._link.hop = self._hop.step_by_step()
            self._link.login(deadline)
        except (SSH2Error, OSError) as error:
            raise errors.lost_login(self._hop, str(error)) from error

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
    """The channels of a connection.

    One is in reserve for the next command, some still wait for their end, and some are kept by who uses them again:
    those are let go of where the server gives no other.
    """

    def __init__(self, link: Link) -> None:
        self.link = link
        self.kept: dict[str, Channel] = {}
        self._spare: Channel | None = None
        self._spared = True
        self._asked = self._served = False
        self._leaving: list[Channel] = []

    def taken(self, deadline: Deadline) -> Channel:
        """Return a channel.

        Raises:
            SSH2Error: the server gives none. TimeoutError: it did not answer by the deadline.
        """
        self._left()
        self._waited(self.reserve, deadline)
        if self._spare is None:
            try:
                self._waited(self._ask, deadline)
            except SSH2Error as error:
                if isinstance(error, GONE) or not (self._served or self.kept):
                    raise
                while self.kept:
                    self.leave(self.kept.popitem()[1])
                while self._left():
                    self.link.wait(deadline)
                self._asked_again(deadline.at_most(FREED))
        channel, self._spare, self._served = self._spare, None, True
        return channel

    def _asked_again(self, deadline: Deadline) -> None:
        """Ask until there is one: sshd counts a session until its process has ended, which may be after its channel."""
        while True:
            try:
                return self._waited(self._ask, deadline)
            except SSH2Error as error:
                if isinstance(error, GONE) or deadline.passed:
                    raise
            sleep(PAUSE)

    def _left(self) -> list[Channel]:
        """Return the channels that the server has not closed yet."""
        self._leaving = [channel for channel in self._leaving if channel.close() == LIBSSH2_ERROR_EAGAIN]
        return self._leaving

    def _waited(self, ask: Callable[[], None], deadline: Deadline) -> None:
        ask()
        while self._asked:
            self.link.wait(deadline)
            ask()

    def _ask(self) -> None:
        self._asked = False  # whatever comes now is the answer, but for None
        self._spare = self.link.open_channel()
        self._asked = self._spare is None

    @property
    def spares(self) -> bool:
        """Whether one is to be reserved: beside a command, only of a server that leaves an idle channel alone."""
        return self._spare is None and self._spared and (self.link.idles or not self._served)

    def reserve(self) -> None:
        """Ask for the next command's channel, or look for the answer; a server that gives one at a time is no fault."""
        if self.spares:
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
        self.kept.clear()


class Libssh2Execution:
    """One command on one channel.

    Args:
        line: what the login shell gets. mark: what both streams begin with. command: for messages.
    """

    #: Whether the next command's channel is asked for in the same flight.
    _spares = True

    def __init__(
        self, client: Libssh2Client, line: bytes, stdin: bytes, deadline: Deadline, mark: str, command: Sequence[str]
    ) -> None:
        self._client = client
        self._where = str(client.hops[-1])
        self._line = line
        self._stdin = stdin
        self._deadline = deadline
        self._command = command
        self._out = Kept(mark.encode("ascii") + b"\n", on_data=client.on_output)
        self._err = MarkedStream(mark)
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
            self._channel = self._opened(channels)
            self._talk(self._channel, channels)
            return self._result(self._channel)
        except TimeoutError:
            raise errors.late(self._where, self._command, self._deadline, self._out) from None
        except (SSH2Error, OSError) as error:
            raise self._failed(error, channels) from None
        finally:
            self._leave(channels)

    def _opened(self, channels: Channels) -> Channel:
        return channels.taken(self._deadline)

    def _talk(self, channel: Channel, channels: Channels) -> None:
        """Go round until the command has ended.

        Raises:
            TimeoutError: the deadline came first.
        """

        while True:
            self._round(self._acts(channel, channels), channels)
            if self._over(channel):
                return
            if self._deadline.passed:
                raise TimeoutError
            if self._stuck is None and channel.poll_channel_read(1):
                continue
            self._wait(channels)

    def _acts(self, channel: Channel, channels: Channels) -> Iterator[Callable[[], None]]:
        """Yield what is still to be done; an act that leaves half a packet unsent is repeated before any other."""
        if self._stuck is not None:
            yield self._stuck
        if not self._answered:
            yield lambda: self._ask(channel)
        if self._spares and channels.spares:
            yield channels.reserve
        yield lambda: self._take(channel)
        if self._sent and not self._fed:
            # Last: any other may read that the server takes more, and nothing would tell us again.
            yield lambda: self._feed(channel)

    def _round(self, acts: Iterable[Callable[[], None]], channels: Channels) -> None:
        for act in acts:
            act()
            self._stuck = act if channels.link.blocked else None
            if self._stuck is not None:
                return

    def _ask(self, channel: Channel) -> None:
        self._answered = channel.execute(self._line) != LIBSSH2_ERROR_EAGAIN
        self._sent = True

    def _wait(self, channels: Channels) -> None:
        told = self._err.status is not None
        try:
            channels.link.wait(self._deadline.at_most(SILENCE / 4) if told else self._deadline)
        except TimeoutError:
            if not told:
                raise

    def _feed(self, channel: Channel) -> None:
        try:
            while self._at < len(self._stdin):
                code, written = channel.write(self._stdin[self._at : self._at + CHUNK])
                self._at += written
                if code == LIBSSH2_ERROR_EAGAIN:
                    return
            self._fed = self._end_input(channel)
        except (ChannelClosedError, ChannelEOFSentError):
            self._fed = True  # the command ended without reading all: its right

    def _end_input(self, channel: Channel) -> bool:
        """Tell the command that no more comes; return whether that is said."""
        return bool(channel.send_eof() != LIBSSH2_ERROR_EAGAIN)

    def _take(self, channel: Channel) -> None:
        for kept, read in ((self._out, channel.read), (self._err, channel.read_stderr)):
            size = CHUNK
            while size == CHUNK:  # a read that gives less has given all: each looks at the socket first
                size, data = read(CHUNK)
                if size > 0:
                    kept.feed(data)
                    self._heard = monotonic()
                elif size < 0 and size != LIBSSH2_ERROR_EAGAIN:
                    raise SSH2Error(size)

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
            raise errors.shell_refused(self._where, status or 0, self._out, self._err)
        if status is None:
            raise errors.lost(self._where, self._command, self._out, "its channel was closed without a status")
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
            return errors.late(self._where, self._command, self._deadline, self._out)
        words = str(error)
        if isinstance(error, SSH2Error) and not isinstance(error, GONE) and not channels.link.gone():
            return errors.no_command(self._where, words or type(error).__name__)
        return errors.lost(self._where, self._command, self._out, words)

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
