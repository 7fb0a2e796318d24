"""Components on OpenStack: security groups and floating addresses by neutron itself, behind which real hosts answer.

No router of neutron's runs here: what it would do with a packet to a floating address is done by a listener of this
test, which hands each connection on to the server that neutron says the address leads to.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import reap
from infratest.lifecycle.up import up
from infratest.stack import file
from infratest.store.directory import StateDir
from infratest.testing.providers import answers
from tests.worlds.nodes import SSH_PORT
from tests.worlds.openstack.account import OPTIONS, host_options, logged_in
from tests.worlds.openstack.cloud import Project, _addresses, cloud

RULE = {
    "type": "firewall",
    "to": {"group": "web"},
    "allow": [{"port": 80}, {"port": "8000-8010", "from": "192.0.2.0/24"}, {"protocol": "icmp"},
              {"port": 5432, "from": {"host": "lb"}}, {"protocol": "any", "from": "2001:db8::/32"}],
}  # fmt: skip
FRONT = {"type": "address", "to": {"host": "lb"}}
EVERYWHERE = (("IPv4", "0.0.0.0/0"), ("IPv6", "::/0"))


class Outside:
    """An external network that has one address to give away, and what a router would do with that one."""

    def __init__(self, project: Project, network: str, address: str) -> None:
        self.project, self.network, self.address = project, network, address

    def given(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.project.api().get("network", "/v2.0/floatingips")["floatingips"]
        return found

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            leads = [one["fixed_ip_address"] for one in self.given() if one["fixed_ip_address"]]
            if not leads:
                near.close()
                continue
            far = socket.create_connection((leads[0], SSH_PORT), timeout=30)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=handed_on, args=(one, other), daemon=True).start()


def handed_on(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass
    finally:
        for each in (one, other):
            with_end(each)


def with_end(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    one.close()


@contextmanager
def outside_of(project: Project) -> Iterator[Outside]:
    """Make an external network with two addresses, of which the router to it has one."""
    admin = project.cloud.admin
    with _addresses() as addresses:
        hosts = [str(each) for each in addresses.hosts()]
        given = {"name": f"outside-{project.name}", "router:external": True}
        network = admin.post("network", "/v2.0/networks", {"network": given})["network"]["id"]
        pools = [{"start": hosts[1], "end": hosts[2]}]
        subnet = {"network_id": network, "ip_version": 4, "cidr": str(addresses), "gateway_ip": None,
                  "enable_dhcp": False, "allocation_pools": pools}  # fmt: skip
        admin.post("network", "/v2.0/subnets", {"subnet": subnet})
        router = {"name": project.name, "project_id": project.id, "external_gateway_info": {"network_id": network}}
        made = admin.post("network", "/v2.0/routers", {"router": router})["router"]
        (taken,) = [one["ip_address"] for one in made["external_gateway_info"]["external_fixed_ips"]]
        port = {"network_id": project.network, "project_id": project.id}
        port_id = admin.post("network", "/v2.0/ports", {"port": port})["port"]["id"]
        where = f"/v2.0/routers/{made['id']}"
        admin.call("PUT", "network", f"{where}/add_router_interface", {"port_id": port_id})
        (free,) = [each for each in hosts[1:3] if each != taken]
        outside = Outside(project, network, free)
        with socket.create_server((free, SSH_PORT)) as listener:
            thread = threading.Thread(target=outside.serve, args=(listener,), daemon=True)
            thread.start()
            try:
                yield outside
            finally:
                with_end(listener)
                thread.join(10)
                admin.call("PUT", "network", f"{where}/remove_router_interface", {"port_id": port_id})
                admin.call("DELETE", "network", where, None)
                admin.call("DELETE", "network", f"/v2.0/networks/{network}", None)


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    with cloud().project() as project, logged_in(project.login()), outside_of(project) as made:
        yield made


class Stack:
    """A stack of lb and web-1 on OpenStack with components."""

    def __init__(self, folder: Path, outside: Outside) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file, self.outside = folder / "stack.yaml", outside
        self.declare({"rule": RULE})
        self.state = StateDir(folder / ".infratest")

    def declare(self, beside: dict[str, Any], lb: dict[str, Any] | None = None) -> None:
        defaults = {key.replace("_", "-"): value for key, value in host_options().items()}
        defaults["network"] = self.outside.project.network
        declared = {
            "stack": "shop",
            "provider": {"name": "cloud", **OPTIONS},
            "defaults": defaults,
            "hosts": {"lb": lb or {}, "web": {"count": 1, "groups": ["web"]}},
            "components": beside,
        }
        self.file.write_text(json.dumps(declared))

    def life(self, seconds: float = 100) -> Lifecycle:
        return Lifecycle(file.load(self.file), self.state, deadline=Deadline(seconds))

    def mine(self) -> list[tuple[str, str]]:
        found = self.life().provider.existing(Deadline(60))
        return sorted((one.kind, one.name) for one in found if one.labels["infratest.state"] == self.state.id)

    def rules(self) -> set[tuple[Any, ...]]:
        groups = self.outside.project.api().get("network", "/v2.0/security-groups")["security_groups"]
        (group,) = [one for one in groups if "-rule-" in one["name"]]
        keys = ("protocol", "port_range_min", "port_range_max", "ethertype", "remote_ip_prefix")
        return {tuple(one[key] for key in keys) for one in group["security_group_rules"]
                if one["direction"] == "ingress"}  # fmt: skip

    def groups_of(self, host: str) -> list[str]:
        servers = self.outside.project.servers()
        (server,) = [one for one in servers if one["metadata"]["infratest.name"] == host]
        return sorted(one["name"] for one in server["security_groups"])


@pytest.fixture
def stack(tmp_path: Path, outside: Outside) -> Iterator[Stack]:
    made = Stack(tmp_path / "stack", outside)
    yield made
    destroy(made.life())
    reap(made.life())
    assert made.mine() == []
    assert outside.given() == []


def test_a_firewall_lets_in_what_is_declared_and_hosts_are_behind_it(stack):
    hosts = up(stack.life())
    (inside,) = [host.address for host in hosts if host.name == "lb"]
    assert stack.rules() == {
        *(("tcp", SSH_PORT, SSH_PORT, *network) for network in EVERYWHERE),
        *(("tcp", 80, 80, *network) for network in EVERYWHERE),
        ("tcp", 8000, 8010, "IPv4", "192.0.2.0/24"),
        ("icmp", None, None, "IPv4", "0.0.0.0/0"),
        ("ipv6-icmp", None, None, "IPv6", "::/0"),
        ("tcp", 5432, 5432, "IPv4", f"{inside}/32"),
        (None, None, None, "IPv6", "2001:db8::/32"),
    }
    assert stack.groups_of("web-1") == [f"infratest-shop-rule-{stack.state.id[:8]}"]
    assert stack.groups_of("lb") == [f"infratest-shop-{stack.state.id[:8]}"]
    assert all(answers(host) for host in hosts)
    stack.declare({"rule": {"type": "firewall", "to": {"group": "web"}, "allow": [{"port": 81}]}})
    up(stack.life())
    assert {rule[1] for rule in stack.rules()} == {SSH_PORT, 81}


def test_a_host_that_runs_is_put_behind_one_that_is_declared_later(stack):
    stack.declare({})
    up(stack.life())
    stack.declare({"rule": RULE})
    up(stack.life())
    assert stack.groups_of("web-1") == [f"infratest-shop-rule-{stack.state.id[:8]}"]


def test_a_host_is_reached_by_a_floating_address_and_keeps_it_when_it_is_made_anew(stack, outside):
    stack.declare({"front": FRONT}, lb={"address": "floating"})
    host = up(stack.life())[0]
    assert host.options["address"] == outside.address
    assert host.address != outside.address
    assert answers(host)
    assert ("address", "front") in stack.mine()
    destroy(stack.life(), ["lb"])
    assert [one["floating_ip_address"] for one in outside.given()] == [outside.address]
    (host,) = up(stack.life(), ["lb"])
    assert answers(host)


def test_one_that_nobody_declared_goes_with_its_host(stack, outside):
    stack.declare({}, lb={"address": "floating"})
    up(stack.life())
    assert ("address", "lb") in stack.mine()
    destroy(stack.life(), ["lb"])
    assert outside.given() == []


def test_a_pool_that_is_empty_is_told_before_any_server_is_made(stack, outside):
    stack.declare({"front": FRONT, "back": {"type": "address", "to": {"host": "web-1"}}})
    with pytest.raises(ProviderError, match=r"making address (front|back): openstack in \w+ answered: .*No more IP"):
        up(stack.life(60))
    assert outside.project.servers() == []
    assert outside.given() == []


def test_a_pool_that_is_not_there_is_answered_with_the_nearest(stack, outside):
    stack.declare({"front": FRONT | {"pool": "outsid"}})
    with pytest.raises(UserError, match="address front: unknown pool 'outsid'"):
        up(stack.life(60))
