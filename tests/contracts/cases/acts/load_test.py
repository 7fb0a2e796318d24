"""A load on a server of this machine, and on none."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.testing.acts import Case
from tests.worlds.locust import programs
from tests.worlds.servers import free_port


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        return


PORT = free_port()


@contextmanager
def with_server(folder: Path) -> Iterator[None]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", PORT), _Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield
        server.shutdown()
        thread.join()


GOOD = {"url": f"http://127.0.0.1:{PORT}/", "rate": 10, "duration": 1.0}
CASE = Case(
    works=GOOD,
    programs={"locust": f'#!/bin/sh\nexec {programs()}/locust "$@"\n'},
    slow={**GOOD, "duration": 60.0},
    refused=[
        {**GOOD, "url": "ftp://a/"},
        {**GOOD, "rate": 0},
        {**GOOD, "rate": -1},
        {**GOOD, "rate": 501},
        {**GOOD, "duration": 0.0},
        {**GOOD, "duration": 301.0},
    ],
    world=with_server,
)
