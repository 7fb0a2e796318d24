"""What a test sees: `cloud()` joins the cloud that runs, or starts it; a project is a test's own share of it.

All tests of a machine share one cloud, for it takes 10 s to start and 700 MB. What they make stands in projects of
their own, which see nothing of each other.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from infratest.testing.waiting import wait_until
from tests.worlds.node_network import node_network
from tests.worlds.openstack import environment, settings
from tests.worlds.openstack.api import Api
from tests.worlds.openstack.keeper import START, alone

ROOT = Path(__file__).parent.parent.parent.parent
#: Networks of projects are taken from the addresses of this machine's loopback.
RANGE = IPv4Network("127.9.128.0/17")
ADDRESSES = 28  # the prefix of a project's network: 14 hosts
#: Nobody listens there; who holds it at a network's first address has the network.
CLAIM_PORT = 2020
PASSWORD = "not-a-secret-either"


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project with a user and a network of its own."""

    cloud: Cloud
    name: str
    id: str
    user: str
    network: str
    addresses: IPv4Network
    region: str = settings.REGION

    def login(self) -> dict[str, str]:
        """Return what a user of it exports: OpenStack's own variables."""
        return {
            "OS_AUTH_URL": f"{self.cloud.identity}/v3",
            "OS_USERNAME": self.user,
            "OS_PASSWORD": PASSWORD,
            "OS_PROJECT_NAME": self.name,
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_REGION_NAME": self.region,
            "OS_IDENTITY_API_VERSION": "3",
        }

    def api(self) -> Api:
        return Api(self.cloud.identity, self.user, PASSWORD, self.name)

    def quota(self, **numbers: int) -> None:
        """Set how much of nova's things it may have: instances, cores, ram, key_pairs ..."""
        self.cloud.admin.call("PUT", "compute", f"/os-quota-sets/{self.id}", {"quota_set": numbers})

    def servers(self) -> list[dict[str, object]]:
        """Return its servers as nova tells its owner, user data among it."""
        path = f"/servers/detail?all_tenants=1&project_id={self.id}"
        answer = self.cloud.admin.get("compute", path, X_OpenStack_Nova_API_Version="2.3")
        return list(answer["servers"])


class Cloud:
    """A cloud that runs. `admin` calls as its owner."""

    def __init__(self, identity: str, folder: Path) -> None:
        self.identity = identity
        self.folder = folder
        self.admin = Api(identity)

    @contextmanager
    def project(self) -> Iterator[Project]:
        """Make a project whose servers are sshds of this machine, and remove it with all its servers."""
        with _addresses() as addresses, self._project(addresses) as project:
            yield project

    @contextmanager
    def project_of_machines(self, **others: Any) -> Iterator[Project]:
        """Make a project whose servers are whole machines, and remove it with all its servers.

        Args:
            others: see `node_network`.
        """
        with node_network(**others) as network, ExitStack() as ended:
            file = self.folder / "networks" / f"{network['network']}.json"
            file.parent.mkdir(exist_ok=True)
            written = file.with_suffix(".new")
            written.write_text(json.dumps(network))
            written.rename(file)
            ended.callback(file.unlink)
            yield ended.enter_context(self._project(IPv4Network(network["addresses"])))

    @contextmanager
    def _project(self, addresses: IPv4Network) -> Iterator[Project]:
        project = self._make(f"test-{uuid.uuid4().hex[:8]}", addresses)
        try:
            yield project
        finally:
            self._remove(project)

    def _make(self, name: str, addresses: IPv4Network) -> Project:
        admin = self.admin
        project = admin.post("identity", "/projects", {"project": {"name": name, "domain_id": "default"}})["project"][
            "id"
        ]
        user = {"name": name, "password": PASSWORD, "domain_id": "default"}
        user_id = admin.post("identity", "/users", {"user": user})["user"]["id"]
        role = admin.get("identity", "/roles?name=member")["roles"][0]["id"]
        admin.call("PUT", "identity", f"/projects/{project}/users/{user_id}/roles/{role}", None)
        network = admin.post("network", "/v2.0/networks", {"network": {"name": name, "project_id": project}})
        network_id = network["network"]["id"]
        subnet = {
            "network_id": network_id,
            "project_id": project,
            "ip_version": 4,
            "cidr": str(addresses),
            # A packet that leaves loopback is lost anyway; elsewhere the first address is the container engine's.
            "gateway_ip": None if addresses.is_loopback else str(addresses.network_address + 1),
            "enable_dhcp": False,
        }
        admin.post("network", "/v2.0/subnets", {"subnet": subnet})
        return Project(cloud=self, name=name, id=project, user=name, network=network_id, addresses=addresses)

    def _remove(self, project: Project) -> None:
        api = project.api()
        for server in project.servers():
            api.call("DELETE", "compute", f"/servers/{server['id']}", None)
        wait_until(lambda: not project.servers(), 60)
        self.admin.call("DELETE", "identity", f"/projects/{project.id}", None)


@contextmanager
def _addresses() -> Iterator[IPv4Network]:
    """Take a network of addresses that no other test has, in whatever session on this machine."""
    networks = list(RANGE.subnets(new_prefix=ADDRESSES))
    start = os.getpid() % len(networks)
    for network in networks[start:] + networks[:start]:
        with socket.socket() as claim:
            try:
                claim.bind((str(network.network_address), CLAIM_PORT))
            except OSError:
                continue
            yield network
            return
    raise AssertionError(f"every network of {RANGE} is taken")


#: Those that this process started, which may outlive it; Python warns of one that is forgotten while it runs.
_keepers: list[subprocess.Popen[bytes]] = []


@cache
def cloud() -> Cloud:
    """Join the cloud of this machine until this process ends; the first starts it, and it ends after the last."""
    place = environment.build()
    users = os.open(place.folder / "users", os.O_RDWR | os.O_CREAT, 0o600)
    with (place.folder / "start.lock").open("a") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)  # waits for a keeper that is about to end its cloud
        ready = place.folder / "ready.json"
        with (place.folder / "keeper").open("a") as keeper:
            if alone(keeper):
                ready.unlink(missing_ok=True)  # of a keeper that was killed
        if not ready.exists():
            _start(place.folder, ready)
    where = json.loads(ready.read_text())
    return Cloud(where["identity"], Path(where["folder"]))


def _start(folder: Path, ready: Path) -> None:
    """Have a keeper; one that finds another at work ends at once."""
    out = folder / "keeper.log"
    with out.open("wb") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.worlds.openstack.keeper", str(folder)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it outlives this session where another uses the cloud too
        )
    _keepers.append(keeper)
    wait_until(lambda: ready.exists() or keeper.poll() not in (None, 0), START)
    assert ready.exists(), f"OpenStack did not start: {out.read_text('utf-8', 'replace')[-4000:]}"
