"""SSH by libssh2, with a shell that stays: scripts after the first cost the host no new session and us no upload.

Taken by the transport `ssh`. The first script starts the shell in the round trip that it takes anyway; the next are
a line each on its standard input, and the same script again is not sent again. A shell that ends, is closed by the
server, or speaks when it was not asked is let go of; what did not begin has not run, and is run by a new one.
When the connection ends, the shell reads the end of its input and ends too.
"""

from __future__ import annotations

from infratest.errors import DeadlineExceeded
from infratest.transports._streams import MarkedStream
from infratest.transports.base import SUDO
from infratest.transports.ssh import script
from infratest.transports.ssh.client import marker
from infratest.transports.ssh.libssh2 import Libssh2Client, Libssh2Execution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssh2.channel import Channel

    from infratest.deadline import Deadline
    from infratest.model import Cost
    from infratest.transports.base import CommandResult
    from infratest.transports.ssh.libssh2 import Channels
    from infratest.transports.ssh.route import Hop

#: Bytes of an answer that are waited for at most before any is read: far less than a connection may hold unread.
GATHERED = 32_768


class ScriptClient(Libssh2Client):
    """One connection to one host, and its shells: one as who we log in, one as root by sudo."""

    def __init__(self, name: str, hops: Sequence[Hop], cost: Cost) -> None:
        super().__init__(name, hops, cost)
        self._shells = {sudo: Shell(sudo) for sudo in (False, True)}

    def script(self, text: bytes, arguments: Sequence[str], deadline: Deadline, sudo: bool) -> CommandResult | None:
        """Run a script; None: it is too long for a command line, and is to be run as a command that reads it."""
        function = script.escaped(text, function=True)
        if function is None:
            return None
        self.cost.commands += 1
        self.cost.round_trips += 1
        try:
            return self._script(function, arguments, deadline, self._shells[sudo])
        except NotBegun:
            self.cost.round_trips += 1
            return self._script(function, arguments, deadline, self._shells[sudo])

    def _script(self, function: str, arguments: Sequence[str], deadline: Deadline, shell: Shell) -> CommandResult:
        run = Run(self, shell, function, arguments, deadline)
        try:
            return run.run()
        except DeadlineExceeded:
            if run.begun:
                self.kill(shell.mark, shell.by)
            raise


class NotBegun(Exception):
    """A shell that was there has ended, and the script was not seen to begin."""


class Shell:
    """A shell that stays.

    `by` is what it is started by; `mark` is what all that it has started is found by, what its streams are marked with,
    and under which its channel is kept; `function` is the script it has. `answered` and `took` are the fewest
    bytes and seconds of an answer to that script: one that was waited for too long must not make the next wait longer.
    """

    def __init__(self, sudo: bool) -> None:
        self.by = SUDO if sudo else ()
        self.mark = ""
        self.function = ""
        self.answered, self.took = 0, 0.0

    def remember(self, size: int, seconds: float) -> None:
        """Keep the size in bytes of an answer to the script, and the time it took, where none was as small so far."""
        self.answered, self.took = min(self.answered or size, size), min(self.took or seconds, seconds)

    def changes(self, function: str) -> None:
        """Have another script, of which nothing is known."""
        self.function, self.answered, self.took = function, 0, 0.0


class Run(Libssh2Execution):
    """One run of a script, by a shell that is there or by one that it starts."""

    _spares = False

    def __init__(
        self, client: ScriptClient, shell: Shell, function: str, arguments: Sequence[str], deadline: Deadline
    ) -> None:
        super().__init__(client, b"", b"", deadline, shell.mark, ["sh", "-s", *arguments])
        self._shell = shell
        self._function = function
        self._arguments = arguments
        self._starts = self._gathers = False

    def _opened(self, channels: Channels) -> Channel:
        self._listen()
        channel = channels.kept.pop(self._shell.mark, None)
        if channel is not None and not self._fit(channel):
            channels.leave(channel)
            channel = None
        if channel is None:
            self._starts = True
            self._shell.mark = marker()
            self._listen()
            self._line = self._start()
            channel = channels.taken(self._deadline)
        else:
            function = "" if self._function == self._shell.function else self._function
            self._gathers = not function
            self._stdin = script.request(function, self._arguments)
            self._sent = self._answered = True
        if self._shell.function != self._function:
            self._shell.changes(self._function)
        return channel

    def _listen(self) -> None:
        self._out, self._err = self._streams = MarkedStream(self._shell.mark), MarkedStream(self._shell.mark)

    def _start(self) -> bytes:
        shell, environment = self._shell, [f"{script.SCRIPT}={self._function}"]
        if shell.by:  # sudo takes none of our environment
            command = script.staying(shell.mark, self._arguments, environment)
            return self._client.line(shell.mark, [*shell.by, *command])
        return self._client.line(shell.mark, script.staying(shell.mark, self._arguments), environment)

    def _fit(self, channel: Channel) -> bool:
        """Tell whether a shell still listens, and has said nothing since its last run."""
        self._take(channel)
        return not (channel.eof() or self._out.noise or self._err.noise)

    def _end_input(self, channel: Channel) -> bool:
        return True

    def _wait(self, channels: Channels) -> None:
        """Wait; at first, where the same was asked before, until most of what was answered then is there.

        An answer comes in a piece or two for each fact, and waking up for each costs more than reading it all at once.
        One that is shorter than any before is looked at after twice the time that the quickest took.
        """
        gathers, self._gathers = self._gathers, False
        if gathers and self._fed and self._stuck is None and not self._out.data:
            size = min(self._shell.answered * 3 // 4, GATHERED)
            channels.link.wire.gather(size, self._deadline.at_most(2 * self._shell.took))
        else:
            super()._wait(channels)

    @property
    def _told(self) -> bool:
        return all(stream.status is not None for stream in self._streams)

    def _over(self, channel: Channel) -> bool:
        return self._told or super()._over(channel)

    def _result(self, channel: Channel) -> CommandResult:
        if not (self._out.begun or self._starts):
            raise NotBegun
        result = super()._result(channel)
        self._shell.remember(len(result.stdout), result.seconds)
        return result

    def _leave(self, channels: Channels) -> None:
        if self._told and self._channel is not None and self._stuck is None:
            channels.kept[self._shell.mark] = self._channel
        else:
            super()._leave(channels)
