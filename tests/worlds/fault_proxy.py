"""An HTTP proxy that stands before a cloud's API and does what clouds do on bad days, once or as often as it is told.

It passes on what it is asked and counts it by action: EC2's `Action`, CloudStack's `command`, else method and path. A
fault answers without asking (`status`), or asks and then keeps the answer back (`lost`), cuts it (`cut`) or changes it
(`change`).
"""

from __future__ import annotations

import contextlib
import http.client
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Fault:
    """What befalls a request.

    Args:
        action: a regular expression that the whole action matches. times: requests that it befalls. status, headers,
        body: answered without asking. lost: asked, and the connection closed without an answer. cut: the answer's
        second half does not come. change: makes another answer of it. delay: seconds before anything. before, after:
        called when it is asked, and when upstream has done it and nobody knows.
    """

    action: str = ".*"
    times: int = 1
    status: int = 0
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/xml"),)
    body: str = ""
    lost: bool = False
    cut: bool = False
    change: Callable[[bytes], bytes] | None = None
    delay: float = 0.0
    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None


class Proxy:
    """A running proxy at `url`; `calls` counts what was asked of it."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self.calls: Counter[str] = Counter()
        self.log: list[tuple[float, str]] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                proxy._serve(self)

            do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET

            def log_message(self, *words: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                if not isinstance(sys.exception(), ConnectionError):  # whoever asked may have been killed
                    super().handle_error(request, client_address)  # type: ignore[arg-type]

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def have(self, *faults: Fault) -> None:
        """Let these befall what comes from now on; what was there before and did not come is forgotten."""
        with self._lock:
            self._faults = list(faults)

    def reset(self) -> None:
        """Count from zero, without faults."""
        with self._lock:
            self.calls.clear()
            self.log.clear()
            self._faults = []

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _fault(self, action: str) -> Fault:
        with self._lock:
            self.calls[action] += 1
            self.log.append((time.monotonic(), action))
            for fault in self._faults:
                if fault.times > 0 and re.fullmatch(fault.action, action):
                    fault.times -= 1
                    return fault
        return Fault()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length)
        asked = parse_qs(urlsplit(handler.path).query) | parse_qs(body.decode("latin-1"))
        fault = self._fault(_action(handler, asked))
        time.sleep(fault.delay)
        if fault.before is not None:
            fault.before()
        if fault.status:
            _answer(handler, fault.status, list(fault.headers), fault.body.encode())
            return
        upstream = http.client.HTTPConnection(self._host, self._port, timeout=60)
        try:
            upstream.request(handler.command, handler.path, body, dict(handler.headers.items()))
            reply = upstream.getresponse()
            data, kept = reply.read(), ("connection", "content-length", "transfer-encoding", "keep-alive")
            headers = [(name, value) for name, value in reply.getheaders() if name.lower() not in kept]
        finally:
            upstream.close()
        if fault.after is not None:
            fault.after()
        if fault.lost:
            handler.close_connection = True
            return
        if fault.change is not None:
            data = fault.change(data)
        _answer(handler, reply.status, headers, data, cut=fault.cut)


def _action(handler: BaseHTTPRequestHandler, asked: dict[str, list[str]]) -> str:
    for name in ("Action", "command"):
        if name in asked:
            return asked[name][0]
    return f"{handler.command} {urlsplit(handler.path).path}"


def _answer(
    handler: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], data: bytes, cut: bool = False
) -> None:
    handler.send_response(status)
    for name, value in headers:
        handler.send_header(name, value)
    sent = data[: len(data) // 2] if cut else data
    handler.send_header("Content-Length", str(len(sent)))  # whole by HTTP, torn as XML or JSON
    with contextlib.suppress(OSError):  # whoever asked may have gone
        handler.end_headers()
        handler.wfile.write(sent)


@contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    """Have a proxy for a `with` block."""
    running = Proxy(upstream)
    try:
        yield running
    finally:
        running.close()
