"""What a server stands on, forgotten by EC2's listings: it is made with that, a little later, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.lifecycle import components
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import reap
from infratest.lifecycle.up import up
from infratest.providers.base import Request
from infratest.providers.cloud import Cloud
from infratest.providers.cloud.drivers import _ec2_wire
from infratest.stack import file
from infratest.store.directory import StateDir
from tests.worlds import moto_ec2
from tests.worlds.fault_proxy import Fault, Proxy, proxy

NO_GROUPS = (
    '<DescribeSecurityGroupsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><securityGroupInfo/>'
    "</DescribeSecurityGroupsResponse>"
)
RULE = {"type": "firewall", "to": {"host": "web"}, "allow": [{"port": 80}]}


class Stack:
    """Two hosts on EC2, one of them behind a firewall of its own, which are up; `api` stands before their cloud."""

    def __init__(self, folder: Path, api: Proxy) -> None:
        self.api, self.file = api, folder / "stack.yaml"
        declared = {
            "stack": "shop",
            "provider": {"name": "cloud", **moto_ec2.options(api.url)},
            "defaults": {key.replace("_", "-"): value for key, value in moto_ec2.host_options().items()},
            "hosts": {"web": {}, "lb": {}},
            "components": {"rule": RULE},
        }
        self.file.write_text(json.dumps(declared))
        self.state = StateDir(folder / ".infratest")

    def life(self) -> Lifecycle:
        return Lifecycle(file.load(self.file), self.state, deadline=Deadline(60))

    def cloud(self) -> tuple[Cloud, Lifecycle]:
        """Return a provider that has listed nothing yet, as that of a new process, with the components declared."""
        life = self.life()
        provider = life.provider
        assert isinstance(provider, Cloud)
        provider.declare(components.declared(life), life.stack.hosts)
        provider.requests(life.stack.hosts, life.lease())
        return provider, life

    def make_again(self, host: str, seconds: float) -> None:
        """Have one more server asked for under a host's name."""
        provider, life = self.cloud()
        (spec,) = [one for one in life.stack.hosts if one.name == host]
        provider.create(Request(kind="host", name=host, lease=life.lease(), spec=spec), Deadline(seconds))

    def forget(self, times: int) -> None:
        self.api.reset()
        self.api.have(Fault("DescribeSecurityGroups", times=times, status=200, body=NO_GROUPS))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as environment, proxy(moto_ec2.cloud().url) as api:
        for name, value in moto_ec2.credentials().items():
            environment.setenv(name, value)
        made = Stack(tmp_path_factory.mktemp("forgotten"), api)
        up(made.life())
        yield made
        api.reset()
        destroy(made.life())
        reap(made.life())
        there = made.life().provider.existing(Deadline(60))
        assert [one for one in there if one.labels["infratest.state"] == made.state.id] == []


def groups_of(provider: Cloud, id: str) -> list[str]:
    """Return the security groups of a server, as EC2 itself says."""
    given = {"InstanceId.1": id.rpartition("/")[2]}
    answer = provider._account.call(
        "a test", lambda lib: _ec2_wire.asked(lib, "DescribeInstances", given), Deadline(30)
    )
    place = "reservationSet/item/instancesSet/item/groupSet/item/groupId"
    there = sorted(str(one.text) for one in answer.iterfind("/".join(map(_ec2_wire.tag, place.split("/")))))
    assert there
    return there


@pytest.mark.parametrize("host, group", [("lb", "firewall infratest-shop-"), ("web", "firewall rule")])
def test_a_server_is_not_made_without_its_firewall(stack, host, group):
    stack.forget(1000)
    with pytest.raises(ProviderError, match=f"{group}.* is not there at ec2 in us-east-1: .*run `infratest up` once"):
        stack.make_again(host, 20)
    assert stack.api.calls["RunInstances"] == 0


@pytest.mark.parametrize("host", ["lb", "web"])
def test_one_that_listings_have_again_is_taken(stack, host):
    stack.forget(2)
    stack.make_again(host, 30)
    assert stack.api.calls["RunInstances"] == 1
    provider, _ = stack.cloud()
    stack.api.reset()
    live = stack.life().journal.live()
    made = [one for one in provider.existing(Deadline(30)) if (one.kind, one.name) == ("host", host)]
    (extra,), (first,) = ([one for one in made if (one.id in live) is known] for known in (False, True))
    assert groups_of(provider, extra.id) == groups_of(provider, first.id)
    provider.destroy(extra, Deadline(60))


def test_what_was_made_here_is_known_though_no_listing_has_it(stack):
    stack.api.reset()
    provider, life = stack.cloud()
    (keypair,) = [one for one in provider.requests(life.stack.hosts, life.lease())[0] if one.kind == "keypair"]
    (former,) = [one for one in provider.existing(Deadline(30)) if (one.kind, one.name) == ("keypair", keypair.name)]
    provider.destroy(former, Deadline(30))
    assert provider._fleet.below("keypair", keypair.name) is None
    made = provider.create(keypair, Deadline(30))
    nothing = '<DescribeKeyPairsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><keySet/>'
    stack.api.have(Fault("DescribeKeyPairs", times=1000, status=200, body=f"{nothing}</DescribeKeyPairsResponse>"))
    provider.look_anew()
    assert made.id not in {one.id for one in provider.existing(Deadline(30))}
    known = provider._fleet.below("keypair", keypair.name)
    assert known is not None
    assert made.id.endswith(known.id)
