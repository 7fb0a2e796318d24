"""The bytes between libssh2 and a server: relayed by us at first, then the TCP connection in libssh2's own hands.

Called by `libssh2_login`. libssh2 gets one end of a pair of sockets. So what a server says before the protocol
begins is read by us, for the messages, without holding up what we say; and we know what libssh2 has written before the
server sees it. `Wire.join` then puts the TCP connection where libssh2 has its end.
"""

from __future__ import annotations

import _socket as socket  # what `socket` is built on; the rest of that module is not needed, and costs 2 ms
import os
import select
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.deadline import Deadline

CHUNK = 65536

#: Linux: what comes is acknowledged at once, until we send again (tcp(7)); elsewhere this sets TCP_NODELAY once more.
#: sshd leaves Nagle's algorithm on where there is no terminal: the last of several small packets waits for the
#: acknowledgement of the first, which would be delayed by 40 ms.
QUICKACK = getattr(socket, "TCP_QUICKACK", socket.TCP_NODELAY)

#: Bytes that a server may say before its version.
GREETING_LIMIT = 8192


class End(socket.socket):
    """A socket that lives as long as libssh2's session: closed earlier, its number could be another connection's."""

    def __del__(self) -> None:
        self.close()


class Wire:
    """The bytes between libssh2 and the server: relayed by us at first, then the TCP connection itself."""

    def __init__(self, tcp: socket.socket) -> None:
        tcp.setblocking(False)
        end, self._far = socket.socketpair()
        self._end: End | None = End(fileno=end.detach())
        self._tcp: socket.socket | None = tcp
        self._poll, self._events = select.poll(), 0
        self.end.setblocking(False)
        self._far.setblocking(False)

    @property
    def end(self) -> End:
        """libssh2's end.

        Raises:
            OSError: we have let go of it.
        """
        if self._end is None:
            raise OSError("the connection is closed")
        return self._end

    def join(self) -> None:
        """Put the TCP connection where libssh2 has its end of the pair."""
        if self._tcp is not None:
            self._poll, self._events = select.poll(), 0
            os.dup2(self._tcp.fileno(), self.end.fileno(), inheritable=False)
            self._tcp.close()
            self._far.close()
            self._tcp = None

    def written(self) -> bytes:
        """Return what libssh2 has written since we last asked."""
        with suppress(BlockingIOError):
            return self._far.recv(CHUNK) if self._tcp is not None else b""
        return b""

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send bytes to the server."""
        if data and self._tcp is not None:
            self._tcp.settimeout(max(deadline.left, 0.001))
            try:
                self._tcp.sendall(data)
            finally:
                self._tcp.setblocking(False)

    def line(self, deadline: Deadline) -> bytes:
        """Return what the server says up to a line's end, or to its own: nothing where it has hung up.

        Raises:
            TimeoutError: it said nothing by the deadline.
        """
        text = b""
        while not text.endswith(b"\n") and len(text) < GREETING_LIMIT:
            self.wait(deadline)
            peeked = self._received(GREETING_LIMIT - len(text), socket.MSG_PEEK)
            if not peeked:
                break
            text += self._received(peeked.find(b"\n") + 1 or len(peeked), 0)
        return text

    def _received(self, size: int, flags: int) -> bytes:
        tcp = self._tcp if self._tcp is not None else self.end
        try:
            return tcp.recv(size, flags)
        except BlockingIOError:
            raise
        except OSError:
            return b""  # a reset is an end too

    def feed(self, data: bytes) -> None:
        """Give libssh2 bytes to read; none: the end."""
        with suppress(OSError):
            self._far.sendall(data) if data else self._far.shutdown(socket.SHUT_WR)

    def wait(self, deadline: Deadline, events: int = select.POLLIN) -> None:
        """Wait until the server's side can be read (or written).

        Raises:
            TimeoutError: it could not by the deadline.
        """
        if self._events != events:
            self._poll.register(self._tcp if self._tcp is not None else self.end, events)
            self._events = events
        self._acknowledge()
        if not self._poll.poll(deadline.left * 1000):
            raise TimeoutError

    def _acknowledge(self) -> None:
        # Not in `wait`: the frame of an error keeps its variables, and with them the socket, open.
        tcp = self._tcp if self._tcp is not None else self.end
        with suppress(OSError):  # closed meanwhile: whoever reads finds out
            tcp.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)

    def gather(self, size: int, deadline: Deadline) -> None:
        """Wait until so many bytes can be read, or the other side has ended, or the deadline passes."""
        self.end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, max(size, 1))
        try:
            with suppress(TimeoutError):
                self.wait(deadline)
        finally:
            with suppress(OSError):  # closed meanwhile
                self.end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)

    def pump(self, deadline: Deadline, events: int = select.POLLIN) -> None:
        """Wait for the server and, while we relay, hand on what it says."""
        self.wait(deadline, events)
        if self._tcp is not None:
            self.feed(self._received(CHUNK, 0))

    def ended(self) -> bool:
        """Tell whether the other side has hung up."""
        try:
            return not self._received(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False

    def cut(self) -> None:
        """End the connection; any thread may."""
        for sock in (self._tcp, self._end):
            with suppress(OSError):
                if sock is not None:
                    sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of all sockets; libssh2's closes when its session has gone."""
        self._end = None
        self._far.close()
        if self._tcp is not None:
            self._tcp.close()
