"""Firewalls on a simulated CloudStack: the rules of security groups, the jobs that change them, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.lifecycle import components
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import reap
from infratest.lifecycle.up import up
from infratest.stack import file
from infratest.store.directory import StateDir
from infratest.testing.providers import answers
from tests.worlds import cloudstack_simulator
from tests.worlds.cloudstack_simulator import furniture, simulator
from tests.worlds.nodes import SSH_PORT

RULE = {
    "type": "firewall",
    "to": {"group": "web"},
    "allow": [
        {"port": 80},
        {"port": "8000-8010", "from": "192.0.2.0/24"},
        {"protocol": "icmp"},
        {"port": 5432, "from": {"host": "lb"}},
        {"protocol": "any", "from": "2001:db8::/32"},
    ],
}
EVERYWHERE = ("0.0.0.0/0", "::/0")


class Stack:
    """A stack of lb and web-1 on the simulator, with a firewall."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "stack.yaml"
        self.declare({"rule": RULE})
        self.state = StateDir(folder / ".infratest")

    def declare(self, beside: dict[str, Any], **options: Any) -> None:
        declared = {
            "stack": "shop",
            "provider": {"name": "cloud", **cloudstack_simulator.options(**options)},
            "defaults": {key.replace("_", "-"): value for key, value in cloudstack_simulator.host_options().items()},
            "hosts": {"lb": {}, "web": {"count": 1, "groups": ["web"]}},
            "components": beside,
        }
        self.file.write_text(json.dumps(declared))

    def life(self, seconds: float = 100) -> Lifecycle:
        return Lifecycle(file.load(self.file), self.state, deadline=Deadline(seconds))

    def rules(self) -> set[tuple[Any, ...]]:
        (group,) = [one for one in simulator().account.groups.values() if "-rule-" in one["name"]]
        keys = ("protocol", "startport", "endport", "icmptype", "icmpcode", "cidr")
        return {tuple(rule.get(key) for key in keys) for rule in group["ingressrule"]}


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in cloudstack_simulator.credentials().items():
        monkeypatch.setenv(name, value)
    yield
    simulator().account.wish()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path / "stack")
    yield made
    simulator().account.wish()
    made.declare({})
    destroy(made.life())
    reap(made.life())
    assert [one["name"] for one in simulator().account.groups.values()] == []


def test_it_lets_in_what_is_declared_and_no_more_when_that_is_less(stack):
    simulator().account.wish(pending=1)
    hosts = up(stack.life())
    (inside,) = [host.address for host in hosts if host.name == "lb"]
    assert stack.rules() == {
        *(("tcp", SSH_PORT, SSH_PORT, None, None, network) for network in EVERYWHERE),
        *(("tcp", 80, 80, None, None, network) for network in EVERYWHERE),
        ("tcp", 8000, 8010, None, None, "192.0.2.0/24"),
        *(("icmp", None, None, -1, -1, network) for network in EVERYWHERE),
        ("tcp", 5432, 5432, None, None, f"{inside}/32"),
        ("all", None, None, None, None, "2001:db8::/32"),
    }
    assert all(answers(host) for host in hosts)
    stack.declare({"rule": {"type": "firewall", "to": {"group": "web"}, "allow": [{"port": 81}]}})
    up(stack.life())
    assert {rule[1] for rule in stack.rules()} == {SSH_PORT, 81}


@pytest.mark.parametrize("beside", [{"rule": RULE}, {}], ids=["a firewall of the stack file", "the stack's own"])
def test_a_rule_whose_job_fails_is_told_with_the_cloud_s_own_reason_and_all_is_undone(stack, beside):
    stack.declare(beside)
    simulator().account.wish(stuck=["AuthorizeSecurityGroupIngress"], pending=1)
    with pytest.raises(ProviderError) as caught:
        up(stack.life())
    assert "driver cloudstack: letting in " in str(caught.value)
    assert ": its job failed: Resource [Host:1] is unreachable: Host 1: the agent did not answer" in str(caught.value)
    assert "undone: " in str(caught.value)
    assert simulator().account.groups == {}


def test_a_rule_that_cannot_be_taken_out_is_told(stack):
    up(stack.life())
    stack.declare({"rule": {"type": "firewall", "to": {"group": "web"}, "allow": [{"port": 80}]}})
    simulator().account.wish(stuck=["RevokeSecurityGroupIngress"])
    with pytest.raises(ProviderError, match=r"taking \w+.* out of security group .*: its job failed: Resource"):
        up(stack.life())


def test_jobs_that_never_end_are_given_up_in_time(stack):
    simulator().account.wish(pending=10_000)
    with pytest.raises(ProviderError, match="was not done with it in time; try again later"):
        up(stack.life(12))


def test_a_zone_without_security_groups_is_told_before_any_server_is_made(stack):
    there = furniture.template(7, "Debian 12 there", "2026-01-01T00:00:00+0000", zoneid=furniture.OTHER_ZONE_ID)
    simulator().account.zones.append(furniture.OTHER_ZONE)
    simulator().account.templates.append(there)
    try:
        stack.declare({"rule": RULE}, region="zone-2")
        with pytest.raises(UserError, match="firewall rule: zone zone-2 has no security groups: say `on: hosts`"):
            up(stack.life())
    finally:
        simulator().account.templates.remove(there)
        simulator().account.zones.remove(furniture.OTHER_ZONE)


def test_an_address_is_refused_before_anything_is_made(stack):
    stack.declare({"front": {"type": "address", "to": {"host": "lb"}}})
    with pytest.raises(UserError) as caught:
        up(stack.life())
    assert "address front: driver cloudstack makes one in a network of the stack's own alone: say " in str(caught.value)
    assert "`own-network: true` behind `provider:`" in str(caught.value)


def test_one_that_is_wanted_on_the_hosts_is_no_group(stack):
    """Nor does it ask the zone for one; the rules are loaded on the hosts, which has tests of its own."""
    stack.declare({"rule": RULE | {"on": "hosts"}})
    assert [one.way for one in components.shown(stack.life())] == ["rules of nftables"]
    life = stack.life()
    components.foresee(life)
    assert components.requests(life, life.stack.hosts) == []
