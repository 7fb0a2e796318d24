"""prometheus and alertmanager, on this machine: a rule that must hold for one interval, and a webhook that heals.

What prometheus scrapes is an exporter here, which looks at the shop when it is asked; the webhook restarts nginx.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import shutil
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.drills.faults import CERTIFICATE, PAGE, ROOM
from benchmarks.drills.host import Host
from benchmarks.drills.ours import INTERVAL
from benchmarks.drills.peers.base import HANDLER, Watching
from benchmarks.problem import BenchError
from benchmarks.processes import ended, staying

TITLE = "prometheus, alertmanager, webhook"
PACKAGES = ""
PROMETHEUS = """\
global: {{scrape_interval: {interval:.0f}s, evaluation_interval: {interval:.0f}s, scrape_timeout: 4s}}
rule_files: ['{folder}/rules.yml']
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alerts}']}}]}}]}}
scrape_configs: [{{job_name: shop, static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}]
"""
RULES = """\
groups:
- name: shop
  rules: [{{alert: ShopBroken, expr: 'shop_holds == 0', for: {interval:.0f}s}}]
"""
ALERTMANAGER = """\
route: {{receiver: heal, group_by: [what], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: heal, webhook_configs: [{{url: 'http://127.0.0.1:{webhook}/'}}]}}]
"""


@contextlib.contextmanager
def watching(host: Host, folder: Path) -> Iterator[Watching]:
    """Have all of them at work until the block ends. Raises BenchError: they do not start."""
    programs = [shutil.which(name) for name in ("prometheus", "prometheus-alertmanager")]
    if not all(programs):
        raise BenchError("prometheus and prometheus-alertmanager are not installed")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    heard: list[tuple[float, str]] = []

    def metrics(body: bytes) -> str:
        return "".join(f'shop_holds{{what="{one}"}} {int(host.works(one))}\n' for one in (PAGE, CERTIFICATE, ROOM))

    def heal(body: bytes) -> str:
        status = json.loads(body)["status"]
        heard.append((time.time(), status))
        if status == "firing":
            with contextlib.suppress(BenchError):
                host.run(HANDLER)
        return ""

    with _served(metrics) as exporter, _served(heal) as webhook, ended([]) as processes:
        web, alerts = _free(), _free()
        named: dict[str, Any] = {"folder": folder, "interval": INTERVAL, "alerts": alerts, "exporter": exporter,
                                 "webhook": webhook}  # fmt: skip
        for name, text in (("prometheus", PROMETHEUS), ("rules", RULES), ("alertmanager", ALERTMANAGER)):
            (folder / f"{name}.yml").write_text(text.format(**named))
        processes.append(
            staying([str(programs[0]), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                     f"--web.listen-address=127.0.0.1:{web}"])
        )  # fmt: skip
        processes.append(
            staying([str(programs[1]), f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/alerts",
                     f"--web.listen-address=127.0.0.1:{alerts}", "--cluster.listen-address="])
        )  # fmt: skip
        for port in (web, alerts):
            _ready(port)

        def told(after: float) -> float | None:
            return next((at for at, status in heard if at >= after and status == "firing"), None)

        yield Watching(told=told, calm=lambda: _quiet(web))


def _quiet(port: int) -> bool:
    """Whether prometheus has no alert, firing or pending."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/alerts", timeout=5) as answer:
        return not json.load(answer)["data"]["alerts"]


def _ready(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5):
                return
        except OSError as error:
            if time.monotonic() > end:
                raise BenchError(f"nothing answers on port {port}: {error}") from error
        time.sleep(0.1)


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def _served(answer: Callable[[bytes], str]) -> Iterator[int]:
    """Serve on the loopback what this returns of each request's body; yields the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = answer(self.rfile.read(int(self.headers.get("Content-Length") or 0))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
