"""Components on EC2 by moto: security groups with their rules, elastic addresses, and what befalls them."""

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
from infratest.providers.cloud import Cloud
from infratest.stack import file
from infratest.store.directory import StateDir
from infratest.testing.providers import answers
from tests.worlds import moto_ec2
from tests.worlds.fault_proxy import Fault, Proxy, proxy
from tests.worlds.nodes import SSH_PORT

RULE = {
    "type": "firewall",
    "to": {"group": "web"},
    "allow": [
        {"port": 80},
        {"port": "8000-8010", "from": "192.0.2.0/24"},
        {"protocol": "icmp"},
        {"port": 5432, "from": {"host": "lb"}},
    ],
}
FRONT = {"type": "address", "to": {"host": "lb"}}
EVERYWHERE = ("0.0.0.0/0", "::/0")
NO_ADDRESSES = (
    '<DescribeAddressesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><addressesSet/>'
    "</DescribeAddressesResponse>"
)


@pytest.fixture(scope="module")
def before() -> Iterator[Proxy]:
    with proxy(moto_ec2.cloud().url) as running:
        yield running


@pytest.fixture
def api(before: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The proxy before EC2, without faults and counting from zero."""
    for name, value in moto_ec2.credentials().items():
        monkeypatch.setenv(name, value)
    before.reset()
    yield before
    before.reset()


class Stack:
    """A stack of lb and web-1 on EC2 with components."""

    def __init__(self, folder: Path, url: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "stack.yaml"
        self.url = url
        self.declare({"rule": RULE, "front": FRONT})
        self.state = StateDir(folder / ".infratest")

    def declare(self, beside: dict[str, Any], lb: dict[str, Any] | None = None) -> None:
        declared = {
            "stack": "shop",
            "provider": {"name": "cloud", **moto_ec2.options(self.url)},
            "defaults": {key.replace("_", "-"): value for key, value in moto_ec2.host_options().items()},
            "hosts": {"lb": lb or {}, "web": {"count": 1, "groups": ["web"]}},
            "components": beside,
        }
        self.file.write_text(json.dumps(declared))

    def life(self, seconds: float = 60) -> Lifecycle:
        return Lifecycle(file.load(self.file), self.state, deadline=Deadline(seconds))

    def mine(self) -> list[tuple[str, str]]:
        found = self.life().provider.existing(Deadline(60))
        return sorted((one.kind, one.name) for one in found if one.labels["infratest.state"] == self.state.id)

    def id(self, kind: str, name: str) -> str:
        found = self.life().provider.existing(Deadline(60))
        (one,) = [one for one in found if (one.kind, one.name) == (kind, name)]
        return one.id.partition("/")[2]

    def asked(self, action: str, given: dict[str, str]) -> Any:
        """Return what EC2 itself says, without its namespace."""
        from infratest.providers.cloud.drivers import _ec2_wire

        provider = self.life().provider
        assert isinstance(provider, Cloud)
        answer = provider._account.call("a test", lambda lib: _ec2_wire.asked(lib, action, given), Deadline(30))
        for element in answer.iter():
            element.tag = element.tag.rpartition("}")[2]
        return answer

    def addresses(self) -> int:
        """Return how many elastic addresses of ours EC2 has."""
        given = {"Filter.1.Name": "tag:infratest.state", "Filter.1.Value.1": self.state.id}
        return len(self.asked("DescribeAddresses", given).findall("addressesSet/item"))

    def rules(self, name: str) -> set[tuple[str, str, str, str]]:
        group = self.asked("DescribeSecurityGroups", {"GroupId.1": self.id("firewall", name)})
        found = set()
        for entry in group.iterfind("securityGroupInfo/item/ipPermissions/item"):
            start = tuple(entry.findtext(key) or "" for key in ("ipProtocol", "fromPort", "toPort"))
            for network in (*entry.iterfind("ipRanges/item/cidrIp"), *entry.iterfind("ipv6Ranges/item/cidrIpv6")):
                found.add((*start, network.text))
        return found

    def groups_of(self, host: str) -> list[str]:
        answer = self.asked("DescribeInstances", {"InstanceId.1": self.id("host", host)})
        return sorted(
            one.text for one in answer.iterfind("reservationSet/item/instancesSet/item/groupSet/item/groupId")
        )


@pytest.fixture
def stack(tmp_path: Path, api: Proxy) -> Iterator[Stack]:
    made = Stack(tmp_path / "stack", api.url)
    yield made
    api.reset()
    destroy(made.life())
    reap(made.life())
    assert made.mine() == []


def failure(stack: Stack) -> str:
    with pytest.raises((ProviderError, UserError)) as caught:
        up(stack.life())
    return str(caught.value)


class TestFirewall:
    def test_it_lets_in_what_is_declared_and_hosts_are_made_behind_it(self, stack, api):
        hosts = up(stack.life())
        (inside,) = [host.address for host in hosts if host.name == "lb"]
        assert stack.rules("rule") == {
            *(("tcp", str(SSH_PORT), str(SSH_PORT), network) for network in EVERYWHERE),
            *(("tcp", "80", "80", network) for network in EVERYWHERE),
            ("tcp", "8000", "8010", "192.0.2.0/24"),
            ("icmp", "-1", "-1", "0.0.0.0/0"),
            ("58", "-1", "-1", "::/0"),
            ("tcp", "5432", "5432", f"{inside}/32"),
        }
        assert stack.groups_of("web-1") == [stack.id("firewall", "rule")]
        assert stack.groups_of("lb") != stack.groups_of("web-1")
        assert "ModifyInstanceAttribute" not in api.calls
        assert all(answers(host) for host in hosts)

    def test_a_rule_that_is_declared_no_more_is_taken_away(self, stack):
        up(stack.life())
        stack.declare({"rule": {"type": "firewall", "to": {"group": "web"}, "allow": [{"port": 81}]}})
        up(stack.life())
        assert {rule[1] for rule in stack.rules("rule")} == {str(SSH_PORT), "81"}

    def test_one_in_use_is_asked_for_again_when_it_is_removed(self, stack, api):
        up(stack.life())
        busy = "<Response><Errors><Error><Code>DependencyViolation</Code><Message>resource sg-1 has a dependent object"
        api.have(
            Fault("DeleteSecurityGroup", times=2, status=400, body=busy + "</Message></Error></Errors></Response>")
        )
        destroy(stack.life())
        assert stack.mine() == []


class TestAddress:
    def test_a_second_up_gives_it_to_nobody_else(self, stack, api):
        up(stack.life())
        api.reset()
        up(stack.life())
        assert api.calls["AssociateAddress"] == 0
        assert api.calls["AllocateAddress"] == 0

    def test_one_that_a_listing_forgets_once_is_not_given_back(self, stack, api):
        """Lists of what is no server are kept for a while; tidying up after a verb asks again, and not them."""
        up(stack.life())
        api.reset()
        api.have(Fault("DescribeAddresses", status=200, body=NO_ADDRESSES))
        with stack.life().changing("provision"):
            pass
        assert api.calls["DescribeAddresses"] == 2
        assert api.calls["ReleaseAddress"] == 0

    def test_a_lost_reply_makes_no_second_one(self, stack, api):
        api.have(Fault("AllocateAddress", lost=True))
        up(stack.life())
        assert stack.addresses() == 1

    def test_a_lost_reply_about_what_listings_do_not_show_yet_makes_no_second_one(self, stack, api):
        late = Fault("DescribeAddresses", times=2, status=200, body=NO_ADDRESSES)
        api.have(Fault("AllocateAddress", lost=True, after=lambda: api.have(late)))
        up(stack.life())
        assert api.calls["AllocateAddress"] == 2
        assert stack.addresses() == 1

    def test_a_pool_that_is_empty_is_told_before_any_server_is_made(self, stack, api):
        empty = (
            "<Response><Errors><Error><Code>AddressLimitExceeded</Code><Message>The maximum number of addresses has "
        )
        empty += "been reached.</Message></Error></Errors></Response>"
        api.have(Fault("AllocateAddress", times=100, status=400, body=empty))
        words = failure(stack)
        assert "making address front: ec2 in us-east-1 answered: AddressLimitExceeded: The maximum number" in words
        assert "have the quota raised" in words
        assert api.calls["RunInstances"] == 0
        assert stack.mine() == []

    def test_a_host_that_is_reached_by_one_has_it_by_itself_and_it_goes_with_the_host(self, stack):
        stack.declare({}, lb={"address": "floating"})
        assert ("address", "lb") not in stack.mine()
        life = stack.life()
        with pytest.raises(ProviderError):  # nobody answers at moto's elastic address: that it is asked is all
            up(Lifecycle(life.stack, stack.state, deadline=Deadline(12)))
        reap(stack.life())  # a fifth of that time is short for an undo where this machine is busy
        assert stack.mine() == []
