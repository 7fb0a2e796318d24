"""Public addresses on a simulated CloudStack, in a network of the stack's own: who has one, what it lets in, what ends.

Hosts are logged in to by the address itself: a listener stands there that hands on what static NAT and rules let in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError, UserError
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import reap
from infratest.lifecycle.up import up
from infratest.stack import file
from infratest.store.directory import StateDir
from infratest.testing.providers import answers
from tests.worlds import cloudstack_simulator
from tests.worlds.cloudstack_simulator import isolated, simulator
from tests.worlds.nodes import SSH_PORT


class Stack:
    """A stack of lb and web on the simulator, in a network of its own, with an address for lb."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file, self.state = folder / "stack.yaml", StateDir(folder / ".infratest")
        self.declare({"front": {"type": "address", "to": {"host": "lb"}}})

    def declare(self, beside: dict[str, Any], url: str = "", own: bool = True, **lb: Any) -> None:
        options = cloudstack_simulator.options(url or isolated().url) | ({"own-network": True} if own else {})
        declared = {
            "stack": "shop",
            "provider": {"name": "cloud", **options},
            "defaults": {key.replace("_", "-"): value for key, value in cloudstack_simulator.host_options().items()},
            "hosts": {"lb": {"ports": [80], **lb}, "web": {}},
            "components": beside,
        }
        self.file.write_text(json.dumps(declared))

    def life(self, seconds: float = 100) -> Lifecycle:
        return Lifecycle(file.load(self.file), self.state, deadline=Deadline(seconds))

    def kinds(self) -> list[str]:
        return sorted(f"{one.kind} {one.name}" for one in self.life().provider.existing(Deadline(30)))


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in cloudstack_simulator.credentials().items():
        monkeypatch.setenv(name, value)
    yield
    isolated().account.wish()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path / "stack")
    yield made
    isolated().account.wish()
    made.declare({})
    destroy(made.life())
    reap(made.life())
    assert (isolated().account.networks, isolated().account.addresses) == ({}, {})


def test_a_host_is_reached_by_its_address_which_moves_to_another_and_lets_in_its_ports(stack):
    lb, web = up(stack.life())
    (front,) = [one for one in isolated().account.addresses.values() if not one.source_nat]
    assert lb.options["address"] == front.address
    assert web.options["address"] == web.address
    assert answers(lb)
    assert {(one["startport"], one["cidrlist"]) for one in front.rules.values()} == {
        (SSH_PORT, "0.0.0.0/0"), (80, "0.0.0.0/0")
    }  # fmt: skip
    (network,) = isolated().account.networks.values()
    assert [one["protocol"] for one in network["egress"]] == ["all"]
    assert network["networkofferingid"].startswith("00000004")
    stack.declare({"front": {"type": "address", "to": {"host": "web"}}})
    lb, web = up(stack.life())
    assert web.options["address"] == front.address
    assert lb.options["address"] == lb.address
    assert answers(web)
    assert {one["startport"] for one in front.rules.values()} == {SSH_PORT}


def test_a_floating_address_of_a_host_by_itself_goes_with_it(stack):
    stack.declare({}, address="floating")
    lb, _ = up(stack.life())
    assert lb.options["address"] in {one.address for one in isolated().account.addresses.values()}
    assert "address lb" in stack.kinds()
    destroy(stack.life(), ["lb"])
    assert [one for one in stack.kinds() if one.startswith("address")] == []


@pytest.mark.parametrize(
    "wishes, words",
    [
        ({"addresses": 0}, "Unable to get a public IP address from the zone"),
        ({"stuck": ["AssociateIPAddr"]}, "taking address front: its job failed: Resource"),
        ({"stuck": ["CreateTags"]}, "naming address front: its job failed: Resource"),
        ({"stuck": ["CreateFirewallRule"]}, r"letting in port \d+ at address .*: its job failed: Resource"),
        ({"stuck": ["CreateEgressFirewallRule"]}, "letting out what is in network .*: its job failed: Resource"),
    ],
)
def test_what_fails_is_told_with_the_cloud_s_own_reason_and_all_is_undone(stack, wishes, words):
    isolated().account.wish(**wishes)
    with pytest.raises(InfratestError, match=words) as caught:
        up(stack.life())
    assert "undone: " in str(caught.value)
    assert stack.kinds() == []


def test_a_network_that_cannot_be_removed_is_told_and_goes_when_that_is_possible(stack):
    up(stack.life())
    isolated().account.wish(expunges=False)
    with pytest.raises(ProviderError) as caught:
        destroy(stack.life())
    assert "removing network infratest-shop-" in str(caught.value)
    assert "`infratest reap` removes it later" in str(caught.value)
    isolated().account.expunge()
    destroy(stack.life())
    assert stack.kinds() == []


def test_an_account_s_own_network_and_addresses_are_left_alone(stack):
    account = isolated().account
    about = {"zoneid": account.zones[0]["id"], "networkofferingid": "00000003-5d0e-4c7b-8a55-000000000000"}
    theirs = account.answer("createNetwork", about | {"command": "createNetwork", "name": "theirs"})["network"]["id"]
    taken = account.answer("associateIpAddress", {"command": "associateIpAddress", "networkid": theirs})["id"]
    try:
        up(stack.life())
        destroy(stack.life())
        reap(stack.life())
        assert stack.kinds() == []
        assert list(account.networks) == [theirs]
        assert list(account.addresses) == [taken]
    finally:
        account.answer("deleteNetwork", {"command": "deleteNetwork", "id": theirs})
        for job in account.jobs.values():
            job.look()


def test_what_cannot_be_is_refused_before_anything_is_made(stack):
    front = {"front": {"type": "address", "to": {"host": "lb"}}}
    stack.declare(front, network="shared")
    with pytest.raises(UserError, match=r"hosts.lb.network: its stack has a network of its own .*; remove one of both"):
        up(stack.life())
    stack.declare({"front": front["front"] | {"pool": "blue"}})
    with pytest.raises(UserError, match="address front: CloudStack has no pools of addresses to choose from: remove"):
        up(stack.life())
    stack.declare(front, url=simulator().url)
    with pytest.raises(UserError, match="own-network: the zone offers no isolated network with Dhcp, UserData"):
        up(stack.life())
    stack.declare(front)
    assert stack.kinds() == []


def test_a_host_that_was_made_before_the_network_is_told_how_it_comes_into_it(stack):
    stack.declare({}, own=False)
    up(stack.life())
    stack.declare({"front": {"type": "address", "to": {"host": "lb"}}})
    with pytest.raises(ProviderError, match="is not in the stack's network, where its address is: it was made before"):
        up(stack.life())
