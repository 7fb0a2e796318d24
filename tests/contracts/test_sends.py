"""An output that sends, as an outsider would write one, asked what every such output must do: lines over TCP."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from infratest.deadline import Deadline
from infratest.errors import SendError
from infratest.model import Report
from infratest.outputs.base import Sends
from infratest.store.events import Event
from infratest.testing.outputs import OutputContract, SendsContract


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where the lines go."""

    host: str = field(default="127.0.0.1", metadata={"description": "name or address of the receiver"})
    port: int = field(default=9, metadata={"description": "its TCP port"})


class Lines(Sends):
    """Each event as a line of JSON."""

    Options = Options

    def render(self, report: Report) -> str:
        return f"{report.state}\n"

    def send(self, events: Sequence[Event], deadline: Deadline) -> None:
        options: Options = self.options
        if not events:
            return
        if deadline.passed:
            raise SendError(f"{options.host}:{options.port}: no time was left to send")
        try:
            with socket.create_connection((options.host, options.port), deadline.left) as connection:
                connection.sendall("".join(f"{json.dumps(event.as_dict())}\n" for event in events).encode())
        except OSError as error:
            raise SendError(f"{options.host}:{options.port}: {error}; is a receiver there?") from error


class Listener:
    """Reads the lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[float, str, float | str]] = []
        lines = self.lines

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    event = json.loads(line)
                    lines.append((event["time"], event["key"], event["value"]))

        # One connection after the other: what was sent first is read first.
        self._server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread: threading.Thread | None = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def received(self) -> list[tuple[float, str, float | str]]:
        return list(self.lines)

    def stop(self) -> None:
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._thread = None


@pytest.fixture
def receiver() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.stop()


@pytest.fixture
def output(receiver: Listener) -> Lines:
    return Lines(Options(port=receiver.port))


class TestLines(OutputContract, SendsContract):
    """It renders, and it sends."""
