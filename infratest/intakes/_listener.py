"""A TCP socket that is listened on, each connection served by a thread of its own, at most so many at once.

Who is one too many is closed at once, and counted by whoever listens. A connection has an end whatever it sends.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from errno import EBADF, EINVAL
from threading import Lock, Thread
from time import sleep

#: Connections that are served at once.
MOST = 256
#: Seconds in which nothing came after which a connection is closed.
IDLE = 60.0
#: What accept(2) says of a socket that was closed meanwhile.
_CLOSED = (EBADF, EINVAL)


class Listener:
    """Listens from `open` to `close`.

    Args:
        serve: handles one connection until it ends; called in a thread of its own. full: called for each that is one
        too many. idle: seconds in which nothing came.
    """

    def __init__(
        self, serve: Callable[[socket.socket], None], full: Callable[[], None], most: int = MOST, idle: float = IDLE
    ) -> None:
        self._serve, self._full, self._most, self._idle = serve, full, most, idle
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self._listening: socket.socket | None = None

    def open(self, host: str, port: int, name: str) -> int:
        """Listen, and return the port. Raises OSError."""
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.create_server((host, port), family=family, backlog=128)
        self._listening = made
        Thread(target=self._accept, args=(made, name), name=name, daemon=True).start()
        return int(made.getsockname()[1])

    def close(self) -> None:
        """Listen no more, and end all connections."""
        if self._listening is not None:
            with suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)  # closing alone leaves the thread that accepts where it is
            self._listening.close()
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _accept(self, listening: socket.socket, name: str) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except ConnectionError:
                continue  # it was gone before it was looked at
            except OSError as error:
                if listening.fileno() < 0 or error.errno in _CLOSED:
                    return
                sleep(0.1)  # no descriptor is left: some connection will end
                continue
            with self._lock:
                room = len(self._open) < self._most
                if room:
                    self._open.add(connection)
            if not room:
                self._full()
                connection.close()
                continue
            connection.settimeout(self._idle)
            Thread(target=self._served, args=(connection,), name=f"{name} connection", daemon=True).start()

    def _served(self, connection: socket.socket) -> None:
        try:
            with suppress(OSError):  # it is over, however that came
                self._serve(connection)
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()
