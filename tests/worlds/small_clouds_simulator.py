"""A simulator of DigitalOcean's and of Linode's API for tests, as far as libcloud's drivers ask them.

Both have the same servers here, under /v2 as droplets and under /v4 as linodes, each with an sshd behind it that has
the user data which the API was given. A server runs at its second listing. What answers look like is what libcloud's
own tests have recorded of them (libcloud/test/compute/fixtures/digitalocean_v2 and linode_v4), read and not copied.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.worlds.nodes import Nodes

TOKEN, OTHER_TOKEN = "tests-token-of-a-small-cloud", "another-accounts-token-of-a-small-cloud"
#: Whose a token is.
ACCOUNTS = {TOKEN: "4be6d1f2-8d0c-4c5d-9c5b-a1f0e7b3d601", OTHER_TOKEN: "7a1c93e0-52b4-4b0a-8b3e-f2d4c6a8e902"}
CREATED = "2026-01-01T00:00:00Z"
REGIONS = ("nyc3", "ams3")
#: Name, CPUs, MiB, price of an hour, and where it is had.
SIZES = (("tiny", 1, 512, 0.005, REGIONS), ("small", 1, 1024, 0.009, ("ams3",)), ("medium", 2, 4096, 0.036, REGIONS))
IMAGES = ((1, "11 x64", "debian-11-x64"), (2, "12 x64", "debian-12-x64"))

Answer = tuple[int, dict[str, Any] | None]


@dataclass
class Machine:
    """One server. `owner`: whose it is. `looks`: listings that have it so far."""

    id: int
    owner: str
    name: str
    tags: list[str]
    user_data: str
    region: str
    address: str = ""
    state: str = "new"
    looks: int = field(default=0)


class SmallClouds:
    """A running one at `url`. `hides_tags`: a listing does not show them."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="infratest-small-clouds-"))
        self.nodes = Nodes(self._folder)
        self.machines: dict[int, Machine] = {}
        self.hides_tags = False
        self._last, self._lock = 1000, threading.RLock()
        clouds = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                clouds._serve(self)

            do_POST = do_DELETE = do_GET

            def log_message(self, *words: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                if not isinstance(sys.exception(), ConnectionError):
                    super().handle_error(request, client_address)  # type: ignore[arg-type]

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.nodes.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        path = urlsplit(handler.path).path.strip("/").split("/")
        account = ACCOUNTS.get(handler.headers.get("Authorization", "").removeprefix("Bearer "))
        if account is None:
            status, answer = refused(path[0], 401, "Unable to authenticate you")
        else:
            with self._lock:
                status, answer = self._answered(account, handler.command, path, json.loads(body) if body else {})
        data = b"" if answer is None else json.dumps(answer).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        with contextlib.suppress(OSError):
            handler.end_headers()
            handler.wfile.write(data)

    def _answered(self, account: str, method: str, path: list[str], asked: dict[str, Any]) -> Answer:
        match (method, *path):
            case ("GET", "v2", "droplets"):
                return 200, {"droplets": [self._droplet(one) for one in self._look(account)], "links": {}, "meta": {}}
            case ("GET", "v4", "linode", "instances"):
                return 200, page([self._linode(one) for one in self._look(account)])
            case ("POST", "v2", "droplets"):
                return 202, {"droplet": self._droplet(self._make(account, asked["name"], asked["user_data"], asked))}
            case ("POST", "v4", "linode", "instances"):
                assert asked["root_pass"]
                return 200, self._linode(self._make(account, asked["label"], asked["metadata"]["user_data"], asked))
            case ("DELETE", "v2", "droplets", id) | ("DELETE", "v4", "linode", "instances", id):
                return self._remove(path[0], int(id))
            case ("POST", "v2", "droplets", id, "actions"):
                return self._act("v2", int(id), asked["type"])
            case ("POST", "v4", "linode", "instances", id, what):
                return self._act("v4", int(id), what)
            case ("GET", version, "account"):
                return 200, about(version, account)
            case ("GET", version, *rest):
                return 200, listed(version, rest[-1])
        return refused(path[0], 404, "The resource you were accessing could not be found.")

    def _make(self, account: str, name: str, user_data: str, asked: dict[str, Any]) -> Machine:
        self._last += 1
        made = Machine(self._last, account, name, list(asked["tags"]), user_data, asked["region"])
        self.machines[made.id] = made
        return made

    def _look(self, account: str) -> list[Machine]:
        mine = [one for one in self.machines.values() if one.owner == account]
        for one in mine:
            one.looks += 1
            if one.state == "new" and one.looks > 1:
                one.address, one.state = self.nodes.start(str(one.id), one.user_data), "active"
        return mine

    def _remove(self, version: str, id: int) -> Answer:
        if self.machines.pop(id, None) is None:
            return refused(version, 404, "The resource you were accessing could not be found.")
        self.nodes.remove(str(id))
        return (204, None) if version == "v2" else (200, {})

    def _act(self, version: str, id: int, what: str) -> Answer:
        machine = self.machines[id]
        if what == "reboot":
            self.nodes.reboot(str(id))
        elif what == "shutdown":
            self.nodes.stop(str(id))
            machine.state = "off"
        else:
            self.nodes.start(str(id), "")
            machine.state = "active"
        return (201, {"action": {"status": "in-progress", "type": what}}) if version == "v2" else (200, {})

    def _droplet(self, one: Machine) -> dict[str, Any]:
        public = [{"ip_address": one.address, "type": "public", "netmask": "", "gateway": ""}] if one.address else []
        return {
            "id": one.id, "name": one.name, "status": one.state, "created_at": CREATED, "locked": False,
            "networks": {"v4": public, "v6": []}, "tags": [] if self.hides_tags else one.tags,
            "region": {"slug": one.region, "name": one.region}, "size_slug": "tiny", "memory": 512, "vcpus": 1,
            "disk": 10, "features": [], "backup_ids": [], "snapshot_ids": [], "kernel": None,
        }  # fmt: skip

    def _linode(self, one: Machine) -> dict[str, Any]:
        states = {"new": "provisioning", "active": "running", "off": "offline"}
        return {
            "id": one.id, "label": one.name, "status": states[one.state], "created": CREATED.rstrip("Z"),
            "ipv4": [one.address] if one.address else [], "ipv6": None, "tags": [] if self.hides_tags else one.tags,
            "region": one.region, "type": "tiny", "image": "linode/debian12", "hypervisor": "kvm", "specs": {},
            "alerts": {}, "backups": {}, "watchdog_enabled": True,
        }  # fmt: skip


def page(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"data": found, "page": 1, "pages": 1, "results": len(found)}


def refused(version: str, status: int, words: str) -> Answer:
    v2 = {"id": "refused", "message": words}
    return status, (v2 if version == "v2" else {"errors": [{"reason": words}]})


def about(version: str, account: str) -> dict[str, Any]:
    """Return an account as its API shows it."""
    if version == "v4":
        return {"euuid": account, "email": "tests@example.org", "company": "tests"}
    team = {"uuid": f"team-{account}", "name": "tests"}
    return {"account": {"uuid": account, "email": "tests@example.org", "status": "active", "team": team}}


def listed(version: str, what: str) -> dict[str, Any]:
    """Return a list of what is offered."""
    if version == "v2":
        lists: dict[str, list[dict[str, Any]]] = {
            "regions": [{"slug": one, "name": f"{one} there", "available": True} for one in REGIONS],
            "sizes": [
                {"slug": name, "memory": memory, "vcpus": cpus, "disk": 10, "transfer": 1, "price_monthly": 1.0,
                 "price_hourly": price, "regions": list(regions)}
                for name, cpus, memory, price, regions in SIZES
            ],
            "images": [
                {"id": id, "name": name, "distribution": "Debian", "slug": slug, "public": True,
                 "regions": list(REGIONS), "min_disk_size": 10, "created_at": CREATED}
                for id, name, slug in IMAGES
            ],
        }  # fmt: skip
        return {what: lists[what], "links": {}, "meta": {}}
    data: dict[str, list[dict[str, Any]]] = {
        "regions": [{"id": one, "country": "us", "status": "ok", "capabilities": [], "resolvers": {}}
                    for one in REGIONS],
        "types": [
            {"id": name, "label": name, "memory": memory, "vcpus": cpus, "disk": 10, "transfer": 1, "gpus": 0,
             "network_out": 1000, "class": "nanode", "addons": {}, "successor": None,
             "price": {"monthly": 1.0, "hourly": price}}
            for name, cpus, memory, price, _ in SIZES
        ],
        "images": [
            {"id": f"linode/debian{number}", "label": f"Debian {number}", "created": CREATED.rstrip("Z"),
             "type": "manual", "description": "", "created_by": "linode", "deprecated": False, "is_public": True,
             "size": 1500, "eol": None, "expiry": None, "vendor": "Debian"}
            for number in (11, 12)
        ],
    }  # fmt: skip
    return page(data[what])


@contextmanager
def small_clouds() -> Iterator[SmallClouds]:
    """Have a simulator for a `with` block."""
    running = SmallClouds()
    try:
        yield running
    finally:
        running.close()
