"""Drivers of libcloud by their name there: hosts on simulated DigitalOcean and Linode, and what others are refused."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from libcloud.compute.base import NodeDriver

from infratest.cleaning import Secret
from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.hosts import RUNNING, STOPPED
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import reap
from infratest.lifecycle.up import up
from infratest.providers.cloud import Cloud, drivers
from infratest.providers.cloud.drivers._carriers import CARRIERS, labels_in, tag
from infratest.stack import file
from infratest.store.directory import StateDir
from infratest.testing.providers import Case, MakingContract, answers, case_of
from tests.contracts.case_files import with_hosts
from tests.worlds.cloudstack_simulator import host_options
from tests.worlds.fault_proxy import Fault, Proxy, proxy
from tests.worlds.small_clouds_simulator import TOKEN, SmallClouds, small_clouds

CREATE = {"digitalocean": "POST /v2/droplets", "linode": "POST /v4/linode/instances"}


@pytest.fixture(scope="module")
def clouds() -> Iterator[SmallClouds]:
    with small_clouds() as running:
        yield running


@pytest.fixture(scope="module")
def before(clouds: SmallClouds) -> Iterator[Proxy]:
    with proxy(clouds.url) as running:
        yield running


@pytest.fixture(scope="module")
def name() -> str:
    return "cloud"


@pytest.fixture(scope="module", params=["digitalocean", "linode"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    """Hosts in an account of its own: they stand until all tests of this file are done."""
    # A tag of Linode's is short: a longer state directory would be left out of it.
    with small_clouds() as own, tempfile.TemporaryDirectory(prefix="i", dir="/tmp") as folder:
        options = {"driver": request.param, "region": "nyc3", "endpoint": own.url, "key": Secret(TOKEN)}
        with with_hosts(case_of("cloud", Path(folder), options, **host_options())) as case:
            yield case


class TestContract(MakingContract):
    """What every provider must do; libcloud halts no server of DigitalOcean, which is told."""

    def test_halted_and_started_it_is_the_same_host(self, case: Case) -> None:
        if case.options["driver"] == "linode":
            super().test_halted_and_started_it_is_the_same_host(case)
            return
        provider, hosts = case.provider, [one for one in case.made if one.kind == "host"]
        assert isinstance(provider, Cloud)
        with pytest.raises(UserError, match="driver digitalocean has no halt and start"):
            provider.halt(hosts[0], case.deadline())


@pytest.fixture
def api(before: Proxy, clouds: SmallClouds, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    monkeypatch.setenv("SMALL_CLOUD", TOKEN)
    before.reset()
    yield before
    before.reset()
    clouds.hides_tags = False


class Stack:
    """A stack of one host in a folder of its own."""

    def __init__(self, folder: Path, url: str, driver: str, **others: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "stack.yaml"
        options = {"driver": driver, "region": "nyc3", "endpoint": url, "key": "{param.token}"}
        options |= others.pop("options", {})
        host = {key.replace("_", "-"): value for key, value in host_options().items()}
        declared = {
            "stack": "shop",
            "parameters": {"token": {"type": "string", "secret": True, "from": {"env": "SMALL_CLOUD"}}},
            "provider": {"name": "cloud", **{name: value for name, value in options.items() if value}},
            "hosts": {"web": {**host, **others}},
        }
        self.file.write_text(json.dumps(declared))
        self.state = StateDir(folder / ".infratest")

    def life(self, seconds: float = 60) -> Lifecycle:
        return Lifecycle(file.load(self.file), self.state, deadline=Deadline(seconds))

    def mine(self) -> list[str]:
        found = self.life().provider.existing(Deadline(60))
        return [one.name for one in found if one.labels["infratest.state"] == self.state.id]


@pytest.fixture(params=["digitalocean", "linode"])
def stack(tmp_path: Path, api: Proxy, request: pytest.FixtureRequest) -> Iterator[Stack]:
    made = Stack(tmp_path / "stack", api.url, request.param)
    made.driver = request.param  # type: ignore[attr-defined]
    yield made
    api.reset()
    destroy(made.life())
    reap(made.life())
    assert made.mine() == []


def test_a_driver_that_can_carry_a_lease_makes_hosts(stack, clouds, tmp_path):
    (host,) = up(stack.life())
    assert host.state == RUNNING
    assert answers(host)
    assert stack.mine() == ["web"]
    (machine,) = clouds.machines.values()
    assert f"infratest:state:{stack.state.id}" in machine.tags
    assert TOKEN not in (stack.state.path / "journal.jsonl").read_text()
    provider, (resource,) = stack.life().provider, stack.life().made(Deadline(30))
    assert isinstance(provider, Cloud)
    provider.reboot(resource, Deadline(30))
    assert answers(stack.life().hosts()[0])
    destroy(stack.life())
    assert clouds.machines == {}


def test_a_lost_reply_after_create_makes_no_second_server(stack, api, clouds):
    api.have(Fault(CREATE[stack.driver], lost=True))
    up(stack.life())
    assert api.calls[CREATE[stack.driver]] == 1
    assert len(clouds.machines) == 1


def test_a_cloud_that_does_not_show_tags_is_given_up(stack, clouds):
    clouds.hides_tags = True
    with pytest.raises(ProviderError, match="a listing does not show the labels of server"):
        up(stack.life())
    assert clouds.machines == {}
    clouds.hides_tags = False


def test_halt_and_start_where_libcloud_has_them(api, tmp_path):
    made = Stack(tmp_path / "halts", api.url, "linode")
    try:
        up(made.life())
        provider, (resource,) = made.life().provider, made.life().made(Deadline(30))
        assert isinstance(provider, Cloud)
        provider.halt(resource, Deadline(30))
        assert [host.state for host in made.life().hosts()] == [STOPPED]
        provider.start(resource, Deadline(30))
        assert answers(made.life().hosts()[0])
    finally:
        destroy(made.life())


def test_where_libcloud_has_none_halt_is_refused(api, tmp_path):
    made = Stack(tmp_path / "none", api.url, "digitalocean")
    try:
        up(made.life())
        provider, (resource,) = made.life().provider, made.life().made(Deadline(30))
        assert isinstance(provider, Cloud)
        with pytest.raises(UserError, match="driver digitalocean has no halt and start"):
            provider.halt(resource, Deadline(30))
    finally:
        destroy(made.life())


def failure(stack: Stack) -> str:
    with pytest.raises((ProviderError, UserError)) as caught:
        up(stack.life())
    return str(caught.value)


def test_what_is_wrong_is_told_before_anything_is_made(api, clouds, tmp_path, monkeypatch):
    url = api.url
    words = failure(Stack(tmp_path / "a", url, "digitalocean", options={"region": ""}))
    assert "which region? say `region:`: ams3, nyc3" in words
    words = failure(Stack(tmp_path / "b", url, "digitalocean", options={"region": "nyc"}))
    assert "unknown region 'nyc': did you mean 'nyc3'?" in words
    words = failure(Stack(tmp_path / "c", url, "digitalocean", image="debian-12-arm64"))
    assert "the cloud has no such image; the nearest are debian-12-x64" in words
    words = failure(Stack(tmp_path / "d", url, "digitalocean", size="small"))
    assert "the cloud has no such size; the nearest are" in words, "it is had in ams3 alone"
    monkeypatch.setenv("SMALL_CLOUD", "another-token")
    words = failure(Stack(tmp_path / "e", url, "digitalocean"))
    assert "Unable to authenticate you" in words
    assert "another-token" not in words
    assert clouds.machines == {}


@pytest.mark.parametrize("driver", ["gce", "vultr", "dummy", "rackspace"])
def test_a_driver_that_cannot_carry_a_lease_makes_nothing(api, tmp_path, driver):
    words = failure(Stack(tmp_path / "stack", api.url, driver))
    assert f"driver {driver} has no labels from the first moment" in words
    assert "its hosts can be listed, not made" in words
    assert not api.calls


def test_a_name_that_libcloud_has_not_is_answered_with_the_nearest(api, tmp_path):
    assert "unknown driver 'digitalocaen': did you mean 'digitalocean'?" in failure(
        Stack(tmp_path / "stack", api.url, "digitalocaen")
    )


@pytest.mark.parametrize("name", CARRIERS)
def test_libcloud_takes_the_arguments_that_a_lease_goes_by(name):
    """Should it not, the driver can make no hosts from then on; this says why."""
    assert CARRIERS[name].fits()


def test_every_driver_is_in_one_of_the_lists():
    making, listing = drivers.others()
    assert making == ["digitalocean", "linode"]
    assert {"gce", "azure_arm", "vultr"} <= set(listing)
    assert not {"ec2", "openstack", "cloudstack"} & {*making, *listing}
    assert drivers.kind_of("digitalocean").can == {"labels", "user-data", "prices", "reboot"}
    assert drivers.kind_of("linode").can == {"labels", "user-data", "prices", "halt", "reboot"}
    assert issubclass(CARRIERS["linode"].kind(), NodeDriver)


class TestTags:
    @pytest.mark.parametrize(
        "value", ["root@vm", "Jane.Doe@web-1", "/srv/Übung/.infratest", "0123456789abcdef", "a_b", "x" * 60, "ß€😀"]
    )
    def test_a_label_comes_back_as_it_was(self, value):
        one = tag("infratest.owner", value)
        assert labels_in([one]) == {"infratest.owner": value}
        assert set(one) <= set("abcdefghijklmnopqrstuvwxyz0123456789:_-")

    def test_two_that_differ_in_their_case_alone_stay_two(self):
        assert tag("infratest.stack", "Shop").lower() != tag("infratest.stack", "shop").lower()

    def test_what_others_have_tagged_is_a_label_without_a_value(self):
        assert labels_in(["web", "env:prod"]) == {"web": "", "env:prod": ""}
        assert labels_in(None) == {}

    def test_a_state_directory_may_be_left_out_and_nothing_else(self):
        labels = {"infratest.directory": "/" * 60, "infratest.state": "0123"}
        assert CARRIERS["linode"].given(labels, "")["ex_tags"] == ["infratest:state:0123"]
        with pytest.raises(ProviderError, match=r"label infratest\.name does not fit into a tag of 50 characters"):
            CARRIERS["linode"].given(labels | {"infratest.name": "w" * 40}, "")
