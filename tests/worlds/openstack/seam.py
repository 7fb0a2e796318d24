"""A seam in front of the cloud's APIs, for one test: counts what is called, and does to a call what a fault says.

Its addresses stand in keystone's catalogue as a region of their own, so that a client takes this way by its region and
by keystone's address, and by nothing that a user would not have.
"""

from __future__ import annotations

import http.client
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.worlds.openstack import settings
from tests.worlds.openstack.api import Api
from tests.worlds.openstack.cloud import Project

SERVICES = ("identity", "image", "compute", "network")
_ID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call as the services saw it, ids replaced by `ID`: `POST /v2.1/servers`."""

    service: str
    method: str
    path: str
    status: int


@dataclass(kw_only=True)
class Fault:
    """What happens to the calls that it is about.

    Args:
        service, method: of the call. path: a regular expression that its path matches, ids in it. times: how many
        calls, then it is over. status: answered instead of the service, 0 to let the call through. headers, body: of
        that answer. delay: seconds before anything. cut: so many bytes of the true answer are sent, then the end.
        lost: the service does it, and its answer never comes.
    """

    service: str
    method: str
    path: str
    times: int = 1
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    delay: float = 0.0
    cut: int | None = None
    lost: bool = False


class Seam:
    """One for each service, in this process. `calls` grows; `faults` may be added at any time."""

    def __init__(self, project: Project) -> None:
        self.region = f"seam-{uuid.uuid4().hex[:8]}"
        self.project = replace(project, region=self.region)
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.before: Callable[[str, str, str], None] | None = None
        self.urls: dict[str, str] = {}
        self._lock = threading.Lock()

    def login(self) -> dict[str, str]:
        """Return what a user exports to take this way."""
        return self.project.login() | {"OS_AUTH_URL": self.urls["identity"] + "/v3"}

    def counts(self, service: str = "") -> Counter[str]:
        """Return how often each was called: `POST /v2.1/servers`."""
        return Counter(f"{call.method} {call.path}" for call in self.calls if service in ("", call.service))

    def take(self, service: str, method: str, path: str) -> Fault | None:
        """Return the fault that a call meets, counted."""
        with self._lock:
            for fault in self.faults:
                about = (fault.service, fault.method) == (service, method)
                if about and fault.times > 0 and re.search(fault.path, path):
                    fault.times -= 1
                    return fault
        return None

    def saw(self, service: str, method: str, path: str, status: int) -> None:
        plain = _ID.sub("ID", urlsplit(path).path)
        with self._lock:
            self.calls.append(Call(service=service, method=method, path=plain, status=status))


@contextmanager
def seam(project: Project) -> Iterator[Seam]:
    """Put a seam before the cloud of a project, for its own region."""
    made = Seam(project)
    admin = project.cloud.admin
    with ExitStack() as stack:
        for service in SERVICES:
            behind = urlsplit(admin.urls[service, settings.REGION])
            server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made, service, behind.netloc))
            server.daemon_threads = True
            stack.callback(server.server_close)
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            stack.callback(server.shutdown)
            made.urls[service] = f"http://127.0.0.1:{server.server_address[1]}"
        stack.enter_context(_region(admin, made))
        yield made


@contextmanager
def _region(admin: Api, made: Seam) -> Iterator[None]:
    """Have keystone's catalogue name the seam's addresses, in a region of their own."""
    admin.post("identity", "/regions", {"region": {"id": made.region}})
    kinds = {each["type"]: each["id"] for each in admin.get("identity", "/services")["services"]}
    endpoints = []
    for service in SERVICES:
        path = urlsplit(admin.urls[service, settings.REGION]).path
        endpoint = {"interface": "public", "region_id": made.region, "service_id": kinds[service]}
        body = {"endpoint": {**endpoint, "url": made.urls[service] + path}}
        endpoints.append(admin.post("identity", "/endpoints", body)["endpoint"]["id"])
    try:
        yield
    finally:
        for endpoint in endpoints:
            admin.call("DELETE", "identity", f"/endpoints/{endpoint}", None)
        admin.call("DELETE", "identity", f"/regions/{made.region}", None)


def _handler(made: Seam, service: str, behind: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def handle_call(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if made.before:
                made.before(service, self.command, self.path)
            fault = made.take(service, self.command, self.path)
            if fault and fault.delay:
                time.sleep(fault.delay)
            if fault and fault.status:
                made.saw(service, self.command, self.path, fault.status)
                return self._answer(fault.status, fault.headers, fault.body.encode())
            status, headers, answer = _forward(behind, self.command, self.path, dict(self.headers), body)
            made.saw(service, self.command, self.path, status)
            if fault and fault.lost:
                return None
            return self._answer(status, headers, answer, fault.cut if fault else None)

        def _answer(self, status: int, headers: dict[str, str], body: bytes, cut: int | None = None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "connection", "server", "date"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if cut is None else body[:cut])

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = handle_call

    return Handler


def _forward(
    behind: str, method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(behind, timeout=120)
    try:
        kept = {name: value for name, value in headers.items() if name.lower() != "connection"}
        connection.request(method, path, body or None, kept)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()
