"""A proxy before each of the cloud's APIs, for one test: counts what is called, and does to a call what a fault says.

Their addresses stand in keystone's catalogue as a region of their own, so that a client takes this way by its region
and by keystone's address, and by nothing that a user would not have.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from tests.worlds.fault_proxy import Proxy, proxy
from tests.worlds.openstack import settings
from tests.worlds.openstack.api import Api
from tests.worlds.openstack.cloud import Project

SERVICES = ("identity", "image", "compute", "network")
_ID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}")


class Seam:
    """The proxies: `compute`, `network`, `image` and `identity`. Their actions are method and path."""

    def __init__(self, project: Project, proxies: dict[str, Proxy]) -> None:
        self.region = f"seam-{uuid.uuid4().hex[:8]}"
        self.project = replace(project, region=self.region)
        self.proxies = proxies
        self.identity, self.image, self.compute, self.network = (proxies[name] for name in SERVICES)

    def login(self) -> dict[str, str]:
        """Return what a user exports to take this way."""
        return self.project.login() | {"OS_AUTH_URL": self.identity.url + "v3"}

    def calls(self) -> Counter[str]:
        """Return how often each was called, ids replaced: `POST /v2.1/servers/ID/action`."""
        counted: Counter[str] = Counter()
        for each in self.proxies.values():
            for action, number in list(each.calls.items()):
                counted[_ID.sub("ID", action)] += number
        return counted

    def reset(self) -> None:
        """Count from zero, without faults."""
        for each in self.proxies.values():
            each.reset()


@contextmanager
def seam(project: Project) -> Iterator[Seam]:
    """Put proxies before the cloud of a project, for its own region."""
    admin = project.cloud.admin
    with ExitStack() as stack:
        before = {name: stack.enter_context(proxy(admin.urls[name, settings.REGION])) for name in SERVICES}
        made = Seam(project, before)
        stack.enter_context(_region(admin, made))
        yield made


@contextmanager
def _region(admin: Api, made: Seam) -> Iterator[None]:
    """Have keystone's catalogue name the proxies' addresses, in a region of their own."""
    admin.post("identity", "/regions", {"region": {"id": made.region}})
    kinds = {each["type"]: each["id"] for each in admin.get("identity", "/services")["services"]}
    endpoints = []
    for service, each in made.proxies.items():
        path = urlsplit(admin.urls[service, settings.REGION]).path
        endpoint = {"interface": "public", "region_id": made.region, "service_id": kinds[service]}
        body = {"endpoint": {**endpoint, "url": each.url.rstrip("/") + path}}
        endpoints.append(admin.post("identity", "/endpoints", body)["endpoint"]["id"])
    try:
        yield
    finally:
        for endpoint in endpoints:
            admin.call("DELETE", "identity", f"/endpoints/{endpoint}", None)
        admin.call("DELETE", "identity", f"/regions/{made.region}", None)
