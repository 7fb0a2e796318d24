"""HTTP/1.1 as an intake serves it: requests read whole, within limits of size and time, and answered in their order.

The parser is httptools (llhttp), which is here for answers of servers already. Starlette on uvicorn is the choice for
pages that people look at; for five short routes of programs it would bring an event loop and 20 MB into each monitor,
and the standard library's own server is, by its documentation, not for strangers: it has no limits of size and time.
"""

from __future__ import annotations

import socket
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

#: Bytes of a request's head, and of its body.
LARGEST_HEAD, LARGEST_BODY = 32 * 1024, 2**20
#: Bytes of a body that is read before it is known who sends it: more is held for nobody who shows no token.
LARGEST_OF_STRANGERS = 64 * 1024
#: Bytes of all that a request may be, in whatever chunks.
LARGEST_ALL = 4 * LARGEST_BODY
#: Seconds for a whole request to arrive, from its first byte; and between two requests of one connection.
SECONDS, IDLE = 30.0, 60.0

PHRASES = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 413: "Content Too Large", 415: "Unsupported Media Type",
    422: "Unprocessable Content", 431: "Request Header Fields Too Large", 501: "Not Implemented",
    503: "Service Unavailable",
}  # fmt: skip
#: What a 401 names, as HTTP has it.
BEARER = {"WWW-Authenticate": "Bearer"}
JSON, TEXT = "application/json", "text/plain; charset=utf-8"


@dataclass
class Request:
    """What is asked. path: without what stands behind `?`. headers: their names in small letters."""

    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    keeps: bool = True


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    status: int
    body: bytes = b""
    kind: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


#: Answers one request; called by several threads at once.
Answers = Callable[[Request], Reply]


#: Says of a request whose head is there whether it is known who sends it; called by several threads at once.
Admits = Callable[[Request], bool]


class _Reading:
    """What the parser calls: requests as they become whole."""

    def __init__(self, admits: Admits) -> None:
        self._admits, self._known = admits, False
        self.parser = HttpRequestParser(self)
        self.whole: deque[Request] = deque()
        self.begun = self.in_head = False
        self.fed = 0  # bytes since it began, or a little more
        self.refused = 0  # a status, where no more is read
        self.waits = False  # who sends wants to be told to go on
        self._request, self._url, self._head = Request(), b"", 0
        self._body: list[bytes] = []
        self._size = 0

    def on_message_begin(self) -> None:
        self._request, self._url, self._head, self._body, self._size = Request(), b"", 0, [], 0
        self._known = False
        self.begun = self.in_head = True
        self.fed = 0

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._more_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._more_head(len(name) + len(value) + 4)
        if not self.refused:
            self._request.headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace").strip()

    def on_headers_complete(self) -> None:
        request = self._request
        self.in_head = False
        request.method = self.parser.get_method().decode("ascii", "replace")
        request.path = self._url.partition(b"?")[0].decode("utf-8", "replace")
        request.keeps = self.parser.should_keep_alive()
        length = request.headers.get("content-length", "")
        if length.isdigit():
            self._larger(int(length) if len(length) <= 10 else LARGEST_BODY + 1)
        self.waits = request.headers.get("expect", "").lower() == "100-continue" and not self.refused

    def on_body(self, data: bytes) -> None:
        self.waits = False
        self._size += len(data)
        self._larger(self._size)
        if self.refused:
            self._body = []
        else:
            self._body.append(data)

    def on_message_complete(self) -> None:
        self.begun = self.waits = False
        if not self.refused:
            self._request.body = b"".join(self._body)
            self.whole.append(self._request)

    def _larger(self, size: int) -> None:
        """The body has, or will have, so many bytes: refuse it where that is too much for who sends it."""
        if self.refused:
            return
        if size > LARGEST_BODY:
            self.refused = 413
        elif size > LARGEST_OF_STRANGERS and not self._known:
            self._known = self._admits(self._request)
            if not self._known:
                self.refused = 401

    def _more_head(self, size: int) -> None:
        self._head += size
        if self._head > LARGEST_HEAD:
            self.refused = 431


def serve(
    connection: socket.socket,
    answers: Answers,
    refused: Callable[[int], None],
    context: ssl.SSLContext | None,
    admits: Admits = lambda request: True,
) -> None:
    """Answer what comes on a connection until it ends. Raises OSError: it is over.

    Args:
        refused: called with the status of a request that was not read to its end. context: with whose TLS. admits:
        asked before a large body is read.
    """
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if context is None:
        _serve(connection, answers, refused, admits)
        return
    connection.settimeout(SECONDS)
    with context.wrap_socket(connection, server_side=True) as secured:
        _serve(secured, answers, refused, admits)


def _serve(connection: socket.socket, answers: Answers, refused: Callable[[int], None], admits: Admits) -> None:
    reading = _Reading(admits)
    while True:
        status = _read(connection, reading)
        while reading.whole:
            request = reading.whole.popleft()
            last = not request.keeps or (status != 0 and not reading.whole)
            reply = answers(request)
            connection.sendall(_written(reply, last, request.method == "HEAD"))
            if not request.keeps:
                return
        if status:
            if status > 0:
                refused(status)
                connection.sendall(_written(_error(status), last=True, head=False))
                _drain(connection)
            return


def _read(connection: socket.socket, reading: _Reading) -> int:
    """Read until a request is whole; 0 then, else the status of one that cannot be read, or -1: the other side ended.

    Raises OSError.
    """
    end = monotonic() + IDLE
    begun = False
    while not reading.whole:
        if reading.begun and not begun:
            begun, end = True, monotonic() + SECONDS
        connection.settimeout(max(0.001, end - monotonic()))
        try:
            data = connection.recv(16_384)
        except TimeoutError:
            data = None
        if not data:
            return -1 if not reading.begun else 400 if data is not None else 408
        status = _fed(reading, data) or (408 if monotonic() > end else 0)
        if status:
            return status
        if reading.waits:
            reading.waits = False
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return 0


def _fed(reading: _Reading, data: bytes) -> int:
    """Hand data to the parser, and return the status of what cannot be read; else 0."""
    try:
        reading.parser.feed_data(data)
    except HttpParserUpgrade:
        return 400  # what follows is no HTTP/1.1
    except HttpParserError:
        return reading.refused or 400
    # The parser keeps what has no end to itself: a long header, a trailer, words behind a chunk's size.
    reading.fed += len(data)
    if reading.begun and reading.fed > (LARGEST_HEAD if reading.in_head else LARGEST_ALL):
        return 431 if reading.in_head else 413
    return reading.refused


def _error(status: int) -> Reply:
    headers = BEARER if status == 401 else {}
    return Reply(status, b'{"error": "%s"}\n' % PHRASES[status].lower().encode(), headers=headers)


def _written(reply: Reply, last: bool, head: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {reply.status} {PHRASES[reply.status]}", f"Content-Type: {reply.kind}",
        f"Content-Length: {len(reply.body)}", "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
        f"Connection: {'close' if last else 'keep-alive'}",
        *(f"{name}: {value}" for name, value in reply.headers.items()),
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode("ascii") + (b"" if head else reply.body)


def _drain(connection: socket.socket) -> None:
    """Read some of what still comes: closed before, the answer would be lost with it (RFC 9112, 9.6)."""
    if isinstance(connection, ssl.SSLSocket):
        return
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(2.0)
    end, left = monotonic() + 2.0, 8 * LARGEST_BODY
    while left > 0 and monotonic() < end and (data := connection.recv(65_536)):
        left -= len(data)
