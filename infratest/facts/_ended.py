"""The end of a conversation that a client library has: such a library's time begins anew with each byte that comes."""

from __future__ import annotations

from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

#: Seconds behind those that a statement may take, in which the server says itself that it took longer.
AFTER = 0.5


class Ended:
    """Hangs up when the time of a connection is over, whatever the library then waits for.

    Attributes:
        passed: whether it was over.
    """

    def __init__(self, one: socket.socket, seconds: float) -> None:
        import os
        import socket
        import threading

        self.passed = False
        self._end_at = monotonic() + seconds
        # TLS takes the connection's descriptor over; this one stays ours.
        self._connection = socket.socket(fileno=os.dup(one.fileno()))
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def left(self) -> float:
        """Return the seconds that a server has for a statement from now on: the login took some of them."""
        return max(0.05, self._end_at - AFTER - monotonic())

    def _end(self) -> None:
        import contextlib
        import socket

        self.passed = True
        with contextlib.suppress(OSError):  # it is over already
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._timer.cancel()
        self._timer.join()
        self._connection.close()
