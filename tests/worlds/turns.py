"""Counts round trips from outside: a TCP relay that delays both ways and knows what each side had heard when it spoke.

What the client sends belongs to the turn after the last one that it had heard an answer of. So the number of turns
answered is the number of times that it has waited for the server, which is what a long way costs.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic, sleep

#: One way. Longer than either side takes to think, so that what is sent without waiting is seen to be.
DELAY = 0.05

Line = queue.Queue[tuple[float, int, bytes]]


@dataclass
class Turns:
    """A relay to a server: connect to `port` instead. `sent` are the bytes that clients have sent."""

    port: int
    connections: int = 0
    sent: int = 0
    heard: dict[str, int] = field(default_factory=lambda: {"client": 0, "server": 0})

    @property
    def answered(self) -> int:
        """How many turns of the newest connection the client has heard an answer of."""
        return self.heard["client"]


class Relay:
    """Hands bytes on between clients of a listener and a server, each after the delay."""

    def __init__(self, listener: socket.socket, port: int, delay: float) -> None:
        self.turns = Turns(listener.getsockname()[1])
        self._listener = listener
        self._port = port
        self._delay = delay
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, work: object, *arguments: object) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))  # type: ignore[arg-type]
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                self.turns.connections += 1
                heard = self.turns.heard = {"client": 0, "server": 0}
                for sock in (client, server):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._sockets.append(sock)
                for name, source, target in (("client", client, server), ("server", server, client)):
                    line: Line = queue.Queue()
                    self._start(self._read, heard, name, source, line)
                    self._start(self._write, heard, name, target, line)

    def _read(self, heard: dict[str, int], name: str, source: socket.socket, line: Line) -> None:
        data = b"-"
        while data:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            self.turns.sent += len(data) if name == "client" else 0
            line.put((monotonic() + self._delay, heard[name] + (1 if name == "client" and data else 0), data))

    def _write(self, heard: dict[str, int], name: str, target: socket.socket, line: Line) -> None:
        other = "server" if name == "client" else "client"
        data = b"-"
        while data:
            due, turn, data = line.get()
            sleep(max(0.0, due - monotonic()))
            heard[other] = max(heard[other], turn)
            with contextlib.suppress(OSError):
                target.sendall(data) if data else target.shutdown(socket.SHUT_WR)

    def stop(self) -> None:
        """End all connections."""
        for sock in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for sock in (self._listener, *self._sockets):
            sock.close()


@contextlib.contextmanager
def counting(port: int, delay: float = DELAY) -> Iterator[Turns]:
    """Relay connections to a port of 127.0.0.1 for a `with` block."""
    relay = Relay(socket.create_server(("127.0.0.1", 0)), port, delay)
    try:
        yield relay.turns
    finally:
        relay.stop()
