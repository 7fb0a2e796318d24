"""An HTTP answer as a receiver of notices gives it: its status, once its head is whole. Called by `_http`.

The parser is httptools (llhttp). The standard library's takes a head that breaks off for a whole one.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

#: Bytes of an answer's head, and of its body, that are read.
LARGEST_HEAD, LARGEST_BODY = 64 * 1024, 64 * 1024


class NoAnswer(Exception):
    """What came is no HTTP, or broke off before its head was whole."""


@dataclass
class Answer:
    """What a server answered; the names of its headers in small letters."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Reading:
    """What the parser calls."""

    def __init__(self) -> None:
        self.parser = HttpResponseParser(self)
        self.answer = Answer()
        #: The answer that counts, once it is whole; what comes behind it is nothing to us.
        self.whole: Answer | None = None

    def on_message_begin(self) -> None:
        self.answer = Answer()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.answer.headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")

    def on_headers_complete(self) -> None:
        self.answer.status = self.parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        self.answer.body = (self.answer.body + data)[:LARGEST_BODY]

    def on_message_complete(self) -> None:
        if self.known and self.whole is None:
            self.whole = self.answer

    @property
    def known(self) -> bool:
        """Whether the head of what counts is whole: 1xx come before it (RFC 9110, 15.2)."""
        return self.answer.status >= 200


def read(connected: socket.socket) -> Answer:
    """Return what is answered on a connection. Raises NoAnswer, and OSError where it breaks before its head is whole.

    What breaks off behind the head is as much as came: its status says already what became of the request.
    """
    reading, size = _Reading(), 0
    try:
        while reading.whole is None and size < LARGEST_HEAD + LARGEST_BODY:
            data = connected.recv(16384)
            if not data:
                break
            size += len(data)
            reading.parser.feed_data(data)
    except OSError:
        if not reading.known:
            raise
    except (HttpParserError, HttpParserUpgrade) as error:
        if reading.whole is None and not reading.known:
            raise NoAnswer("its answer is no HTTP") from error
    if reading.whole is not None:
        return reading.whole
    if not reading.known:
        raise NoAnswer("the connection ended before its answer" if size < LARGEST_HEAD else "its answer has no end")
    return reading.answer
