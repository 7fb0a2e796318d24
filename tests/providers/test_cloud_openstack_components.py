"""Components on OpenStack: security groups and floating addresses by neutron itself, behind which real hosts answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
from tests.worlds.openstack.cloud import cloud
from tests.worlds.openstack.outside import Outside, outside_of

#: Most of the time is OpenStack's own.
pytestmark = pytest.mark.machines

RULE = {
    "type": "firewall",
    "to": {"group": "web"},
    "allow": [{"port": 80}, {"port": "8000-8010", "from": "192.0.2.0/24"}, {"protocol": "icmp"},
              {"port": 5432, "from": {"host": "lb"}}, {"protocol": "any", "from": "2001:db8::/32"}],
}  # fmt: skip
FRONT = {"type": "address", "to": {"host": "lb"}}
EVERYWHERE = (("IPv4", "0.0.0.0/0"), ("IPv6", "::/0"))


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
