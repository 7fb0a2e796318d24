"""Servers on the loopback that notices are sent to: HTTP with or without TLS, SMTP by aiosmtpd, and SMTP by a script.

Each keeps what it was sent, and misbehaves as it is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.worlds.tls_servers import free_port

#: What a server does instead of answering.
HANG, TEAR, DRIP = "hang", "tear", "drip"

Answers = Callable[[str], str | bytes | tuple[str, ...]]


@dataclass
class Request:
    """What was asked of an HTTP server."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Reply:
    """What an HTTP server answers; `how` is what it does instead."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    how: str = ""
    raw: bytes = b""


class Endpoint:
    """An HTTP server at `url`: `replies` are for the next requests, `reply` for all others."""

    def __init__(self, certificate: Path | None) -> None:
        self.requests: list[Request] = []
        self.given: list[Reply] = []
        self.replies: list[Reply] = []
        self.reply = Reply()
        self.stopping = threading.Event()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                reply = endpoint.replies.pop(0) if endpoint.replies else endpoint.reply
                endpoint.given.append(reply)
                endpoint.requests.append(Request(self.command, self.path, dict(self.headers), body))
                endpoint.answer(self, reply)

            do_GET = do_POST

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that does not trust us, or has gone

        self.server = Server(("127.0.0.1", 0), Handler)
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # Shaken hands in the request's own thread: who does not get there holds nobody else up.
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
            scheme = "https"
        self.port = int(self.server.server_address[1])
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def forget(self) -> None:
        """Begin anew: what was sent so far is not kept."""
        self.requests.clear()
        self.given.clear()
        self.replies.clear()

    def answer(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.how == HANG:
            self.stopping.wait(60)
        if reply.how in (HANG, TEAR):
            return
        if reply.how == DRIP:
            for letter in "HTTP/1.1 200 OK\r\nX: " + "x" * 10_000:
                handler.wfile.write(letter.encode())
                if self.stopping.wait(0.05):
                    return
        if reply.raw:
            handler.wfile.write(reply.raw)
            return
        handler.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body)


@contextmanager
def endpoint(certificate: Path | None = None) -> Iterator[Endpoint]:
    """Have an HTTP server, by TLS where it has a certificate."""
    made = Endpoint(certificate)
    thread = threading.Thread(target=made.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.stopping.set()
        made.server.shutdown()
        made.server.server_close()
        thread.join()


@dataclass
class Letter:
    """What an SMTP server took."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


class Mailbox:
    """A handler of aiosmtpd: `refusals` by recipient, `verdict` on a whole message, `how` what it does instead."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.refusals: dict[str, str] = {}
        self.verdict = "250 OK"
        self.how = ""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.how == HANG:
            await asyncio.Event().wait()
        if self.how == TEAR:
            server.transport.abort()
            return "421 gone"
        if self.verdict.startswith("2"):
            content = envelope.original_content or b""
            self.letters.append(Letter(str(envelope.mail_from), tuple(envelope.rcpt_tos), content))
        return self.verdict


@dataclass
class Post:
    """A running SMTP server."""

    port: int
    box: Mailbox

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextmanager
def smtp_server(
    certificate: Path | None = None, *, tls: str = "none", login: tuple[str, str] | None = None, wide: bool = True
) -> Iterator[Post]:
    """Have aiosmtpd.

    Args:
        tls: none, starttls or tls. login: who may send; everybody without. wide: SMTPUTF8 is offered.
    """
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    def authenticated(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        right = isinstance(given, LoginPassword) and login is not None
        return AuthResult(handled=False, success=right and (given.login.decode(), given.password.decode()) == login)

    more: dict[str, Any] = {"enable_SMTPUTF8": wide, "ident": "ESMTP of the tests"}
    if tls == "starttls":
        more |= {"tls_context": context, "require_starttls": True}
    if tls == "tls":
        more |= {"ssl_context": context}
    if login is not None:
        more |= {"authenticator": authenticated, "auth_required": True, "auth_require_tls": tls == "starttls"}
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), ready_timeout=60, **more)
    controller.start()
    try:
        yield Post(controller.port, box)
    finally:
        controller.stop()


class _Script(socketserver.StreamRequestHandler):
    """One conversation by a script."""

    server: _Scripted

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            line, body = "", False
            while self.answered(self.server.answers(line) if not body or line == "." else None):
                body = line.upper() == "DATA" or (body and line != ".")
                line = self.next(body)
                if not line:
                    return

    def next(self, body: bool) -> str:
        """Return the next line; of a message its end alone."""
        while True:
            line = self.rfile.readline()
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if not line or not body or text == ".":
                return text

    def answered(self, answer: str | bytes | tuple[str, ...] | None) -> bool:
        if isinstance(answer, tuple):
            return all(self.answered(each) for each in answer)
        if answer == HANG:
            self.server.stopping.wait(60)
        if answer in (HANG, TEAR):
            return False
        if answer is not None:
            self.wfile.write(answer if isinstance(answer, bytes) else f"{answer}\r\n".encode())
        return True


class _Scripted(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, answers: Answers) -> None:
        self.answers, self.stopping = answers, threading.Event()
        super().__init__(("127.0.0.1", 0), _Script)


@contextmanager
def scripted(answers: Answers) -> Iterator[int]:
    """Have an SMTP server by a script, and its port.

    Args:
        answers: the answer to a line, to `` before the first, to `.` at the end of a message; without its line's end,
        where it is no bytes; several in turn. HANG and TEAR are done.
    """
    with _Scripted(answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()
