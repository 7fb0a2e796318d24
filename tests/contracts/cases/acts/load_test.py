"""A load on a server of this machine, and on none."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.testing.acts import Case


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        return


SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
URL = f"http://127.0.0.1:{SERVER.server_port}/"


@contextmanager
def with_server(folder: Path) -> Iterator[None]:
    thread = threading.Thread(target=SERVER.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        SERVER.shutdown()
        thread.join()


GOOD = {"url": URL, "rate": 10, "duration": 1.0}
CASE = Case(
    works=GOOD,
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
