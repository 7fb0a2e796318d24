"""Hosts on a simulated CloudStack, each with a real sshd, and what befalls those who use a cloud: by a proxy before it.

No real CloudStack was ever asked here; what the simulator answers is held against recorded answers in
test_cloudstack_simulator.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.hosts import GONE, RUNNING, STOPPED
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import reap
from infratest.lifecycle.up import up
from infratest.providers.base import Reboots
from infratest.providers.cloud import Cloud
from infratest.providers.cloud.drivers import cloudstack
from infratest.providers.cloud.poller import SHORTEST
from infratest.stack import file
from infratest.store.directory import StateDir
from infratest.testing.providers import Case, MakingContract, answers, case_of
from tests.contracts.case_files import with_hosts
from tests.worlds import cloudstack_simulator
from tests.worlds.cloudstack_simulator import furniture, simulator
from tests.worlds.fault_proxy import Fault, Proxy, proxy

DEPLOY, LIST = "deployVirtualMachine", "listVirtualMachines"
#: Rules of a stack's own group, each of which is added by a job that is asked how it ended.
RULES = 2
#: Looks that `up` has at a stack beside its waiting: before, between its rounds, and after.
LOOKS = 6


@pytest.fixture(scope="module", autouse=True)
def _account() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloudstack_simulator.credentials().items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def name() -> str:
    return "cloud"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    folder = tmp_path_factory.mktemp("cloudstack")
    host = cloudstack_simulator.host_options()
    with with_hosts(case_of("cloud", folder, cloudstack_simulator.options(), **host)) as case:
        yield case


class TestContract(MakingContract):
    """What every provider must do."""


class Stack:
    """A stack on the simulator in a folder of its own."""

    def __init__(self, folder: Path, url: str, hosts: dict[str, Any] | None = None, **options: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "stack.yaml"
        host = {key.replace("_", "-"): value for key, value in cloudstack_simulator.host_options().items()}
        declared = {
            "stack": "shop",
            "provider": {"name": "cloud", **cloudstack_simulator.options(url, **options)},
            "defaults": host,
            "hosts": hosts if hosts is not None else {"web": {}},
        }
        self.file.write_text(json.dumps(declared))
        self.state = StateDir(folder / ".infratest")

    def life(self, seconds: float = 60) -> Lifecycle:
        return Lifecycle(file.load(self.file), self.state, deadline=Deadline(seconds))

    def mine(self) -> list[tuple[str, str]]:
        found = self.life().provider.existing(Deadline(60))
        return sorted((one.kind, one.name) for one in found if one.labels["infratest.state"] == self.state.id)

    @property
    def whole(self) -> list[tuple[str, str]]:
        return [("firewall", f"infratest-shop-{self.state.id[:8]}"), ("host", "web")]


@pytest.fixture(scope="module")
def before() -> Iterator[Proxy]:
    with proxy(simulator().url) as running:
        yield running


@pytest.fixture
def api(before: Proxy) -> Iterator[Proxy]:
    """The proxy before the simulator, without faults and counting from zero; wishes end with the test."""
    before.reset()
    yield before
    before.reset()
    as_usual()


def as_usual() -> None:
    account = simulator().account
    account.wish()
    account.zones[:] = furniture.ZONES
    account.templates[:] = furniture.TEMPLATES


def wish(**wishes: Any) -> None:
    simulator().account.wish(**wishes)


@pytest.fixture
def stack(tmp_path: Path, api: Proxy) -> Iterator[Stack]:
    """A stack with one host; whatever a test makes of it is removed."""
    made = Stack(tmp_path / "stack", f"{api.url}client/api")
    yield made
    api.reset()
    as_usual()
    destroy(made.life())
    reap(made.life())
    assert made.mine() == []


def url(api: Proxy) -> str:
    return f"{api.url}client/api"


def failure(stack: Stack, seconds: float = 60) -> str:
    with pytest.raises((ProviderError, UserError)) as caught:
        up(stack.life(seconds))
    return str(caught.value)


def machine(host: str = "web") -> Any:
    """Return the newest instance of a host that there is."""
    found = [one for one in simulator().account.machines.values() if one.details.get("infratest.name") == host]
    return found[-1]


class TestItsLife:
    def test_up_is_logged_in_to_and_verified_and_destroy_leaves_nothing(self, stack):
        (host,) = up(stack.life())
        assert host.state == RUNNING
        assert host.address.startswith("127.9.0.")
        assert answers(host)
        assert stack.mine() == stack.whole
        made = machine()
        assert made.details["infratest.state"] == stack.state.id
        assert made.details["infratest.directory"] == str(stack.state.path)
        assert made.about["displayname"] == f"infratest-shop-web-{stack.state.id[:8]}"
        assert made.about["templatename"] == "Debian 12 20260101"
        assert made.about["serviceofferingname"] == "small"
        assert len(destroy(stack.life())) == 2
        assert stack.mine() == []
        assert made.state == "Expunged"

    def test_its_firewall_lets_in_its_own_hosts_and_the_ports_alone(self, api, tmp_path):
        made = Stack(tmp_path / "ports", url(api), {"web": {"ports": [80]}})
        try:
            up(made.life())
            (group,) = [one for one in simulator().account.groups.values() if one["name"] == made.whole[0][1]]
            assert machine().groups == [group["id"]]
            rules = sorted(
                (one["protocol"], one.get("startport", 0), one.get("cidr") or one["securitygroupname"])
                for one in group["ingressrule"]
            )
            assert rules == [
                ("all", 0, group["name"]),
                ("tcp", 80, "0.0.0.0/0"),
                ("tcp", 80, "::/0"),
                ("tcp", 2022, "0.0.0.0/0"),
                ("tcp", 2022, "::/0"),
            ]
        finally:
            destroy(made.life())

    def test_it_is_halted_started_and_booted_anew(self, stack):
        up(stack.life())
        life = stack.life()
        (resource,) = life.made(Deadline(30))
        provider = life.provider
        assert isinstance(provider, Cloud)
        assert isinstance(provider, Reboots)
        wish(pending=1)
        provider.halt(resource, Deadline(30))
        assert [host.state for host in stack.life().hosts()] == [STOPPED]
        provider.start(resource, Deadline(30))
        assert answers(stack.life().hosts()[0])
        wish()
        provider.reboot(resource, Deadline(30))
        assert answers(stack.life().hosts()[0])

    def test_a_slow_job_is_waited_for_by_one_listing_a_tick(self, stack, api):
        wish(pending=3)
        (host,) = up(stack.life())
        assert host.state == RUNNING
        assert api.calls["queryAsyncJobResult"] == RULES + 3  # nobody asks about the server's own

    def test_the_user_data_and_secrets_stand_in_no_url_and_no_journal(self, stack):
        up(stack.life())
        assert {path for _, path in simulator().requests} == {"/client/api"}
        assert {method for method, _ in simulator().requests} == {"POST"}
        journal = (stack.state.path / "journal.jsonl").read_text()
        assert cloudstack_simulator.SECRET not in journal
        assert "PRIVATE KEY" not in journal

    def test_two_stacks_in_one_account_do_not_touch_each_other(self, stack, tmp_path, api):
        other = Stack(tmp_path / "other", url(api))
        up(stack.life())
        up(other.life())
        destroy(other.life())
        assert other.mine() == []
        assert answers(stack.life().hosts()[0])

    def test_an_own_template_a_size_that_fits_and_a_network_by_name(self, api, tmp_path):
        host = {"image": "golden", "size": {"cpus": 3, "memory": "4GiB"}, "network": "shared"}
        made = Stack(tmp_path / "own", url(api), {"web": host})
        try:
            up(made.life())
            assert machine().about["templatename"] == "golden"
            assert machine().about["serviceofferingname"] == "large"
        finally:
            destroy(made.life())

    def test_a_newer_template_of_anybody_s_is_taken_only_where_its_owner_is_named(self, api, tmp_path):
        made = Stack(tmp_path / "anybody", url(api), {"web": {"owner": "mallory"}})
        try:
            up(made.life())
            assert machine().about["templatename"] == "Debian 12 20260401"
        finally:
            destroy(made.life())

    def test_a_zone_without_security_groups_attaches_none(self, api, tmp_path):
        simulator().account.zones.append(furniture.OTHER_ZONE)
        simulator().account.templates.append(
            furniture.template(7, "Debian 12 there", "2026-01-01T00:00:00+0000", zoneid=furniture.OTHER_ZONE_ID)
        )
        assert "which zone? say `region:`: zone-1, zone-2" in failure(Stack(tmp_path / "which", url(api)))
        made = Stack(tmp_path / "other", url(api), region="zone-2")
        try:
            assert answers(up(made.life())[0])
            assert machine().groups == []
            assert machine().about["zonename"] == "zone-2"
        finally:
            destroy(made.life())
        assert made.mine() == []

    def test_a_list_is_read_to_its_end(self, api, tmp_path):
        """A template on the second page of a list."""
        many = [furniture.template(number, f"other-{number}", "2026-01-01T00:00:00+0000") for number in range(100, 600)]
        simulator().account.templates[:] = [*many, *furniture.TEMPLATES]
        made = Stack(tmp_path / "many", url(api), {"web": {"image": "Debian 11*"}})
        try:
            up(made.life())
            assert machine().about["templatename"] == "Debian 11 20260201"
        finally:
            destroy(made.life())


class TestBadDays:
    @pytest.mark.parametrize("way", [{"lost": True}, {"cut": True}])
    def test_a_lost_reply_after_create_makes_no_second_server(self, stack, api, way):
        api.have(Fault(DEPLOY, **way))
        up(stack.life())
        assert api.calls[DEPLOY] == 1
        assert stack.mine() == stack.whole

    def test_a_request_that_never_came_is_made_again(self, stack, api):
        api.have(Fault(DEPLOY, status=500, body="<html>oops</html>"))
        up(stack.life())
        assert api.calls[DEPLOY] == 2
        assert stack.mine() == stack.whole

    def test_a_lost_reply_of_a_security_group_makes_no_second_one(self, stack, api):
        api.have(Fault("createSecurityGroup", lost=True), Fault("authorizeSecurityGroupIngress", lost=True))
        up(stack.life())
        assert stack.mine() == stack.whole

    @pytest.mark.parametrize("status", [429, 503])
    def test_too_many_requests_are_asked_again_later(self, stack, api, status):
        body = json.dumps({"errorresponse": {"uuidList": [], "errorcode": status, "errortext": "too much, wait"}})
        api.have(Fault(DEPLOY, times=2, status=status, body=body), Fault(LIST, status=status, body=body))
        up(stack.life())
        assert api.calls[DEPLOY] == 3

    def test_a_torn_answer_and_a_500_are_asked_again(self, stack, api):
        api.have(Fault(LIST, cut=True), Fault("listTemplates", status=500), Fault("listServiceOfferings", cut=True))
        up(stack.life())
        assert stack.mine() == stack.whole

    def test_an_api_that_only_fails_is_told_of_in_time(self, stack, api):
        api.have(Fault(times=1000, status=500, body="<html>oops</html>"))
        words = failure(stack, 10)
        assert "listing sizes: cloudstack answered" in words
        assert "HTTP 500" in words

    def test_an_answer_of_something_else_is_no_empty_list(self, stack, api):
        api.have(Fault("list.*", times=1000, change=lambda _: b'{"listsomethingelseresponse": {}}'))
        assert "an answer that cannot be read" in failure(stack, 10)

    def test_a_list_that_lacks_what_it_counts_is_no_empty_list(self, stack, api):
        body = '{"listvirtualmachinesresponse": {"count": 2}}'
        api.have(Fault(LIST, times=1000, status=200, headers=(("Content-Type", "application/json"),), body=body))
        assert "an answer to listVirtualMachines that counts 2 and has no virtualmachine" in failure(stack, 10)

    def test_a_job_that_fails_is_told_with_the_cloud_s_own_reason_and_undone(self, stack, api):
        wish(broken=["web"])
        words = failure(stack)
        assert "web: its provider gave it up: Unable to create a deployment for VM instance infratest-shop-web" in words
        assert "undone: " in words
        assert stack.mine() == []
        assert api.calls["queryAsyncJobResult"] == RULES + 1

    def test_a_start_that_fails_is_told_of_at_once(self, stack):
        up(stack.life())
        life = stack.life()
        (resource,) = life.made(Deadline(30))
        assert isinstance(life.provider, Cloud)
        life.provider.halt(resource, Deadline(30))
        wish(stuck=["StartVM"])
        with pytest.raises(ProviderError, match=r"Resource \[Host:1\] is unreachable: Host 1: the agent did not"):
            life.provider.start(resource, Deadline(30))
        wish()
        life.provider.start(resource, Deadline(30))
        assert answers(stack.life().hosts()[0])

    def test_a_limit_is_told_of_in_the_cloud_s_words_with_what_to_do(self, stack, api):
        wish(limit=0)
        words = failure(stack)
        assert "making server web: cloudstack answered: Maximum amount of resources of Type = 'user_vm'" in words
        assert "have the limit raised" in words
        assert api.calls[DEPLOY] == 1

    def test_a_server_that_somebody_else_removed_is_gone_and_made_anew(self, stack):
        up(stack.life())
        simulator().account.remove(machine())
        assert [host.state for host in stack.life().hosts()] == [GONE]
        up(stack.life())
        assert answers(stack.life().hosts()[0])

    def test_a_group_that_is_in_use_is_asked_for_again_in_order(self, stack, api):
        up(stack.life())
        busy = json.dumps({"deletesecuritygroupresponse": {"errorcode": 536, "errortext": "Cannot delete group"}})
        api.have(Fault("deleteSecurityGroup", times=2, status=536, body=busy))
        destroy(stack.life())
        assert api.calls["deleteSecurityGroup"] == 3

    def test_an_account_that_may_not_expunge_leaves_its_firewall_until_the_cloud_has(self, stack):
        wish(expunges=False)
        up(stack.life())
        with pytest.raises(ProviderError, match="keep it until CloudStack expunges them"):
            destroy(stack.life())
        assert stack.mine() == stack.whole[:1]
        assert machine().state == "Destroyed"
        simulator().account.expunge()
        reap(stack.life())
        assert stack.mine() == []

    def test_a_cloud_whose_listings_show_no_details_is_given_up(self, stack, api):
        wish(shows_details=False)
        words = failure(stack, 20)
        assert "a listing does not show the details of server" in words
        assert "CloudStack 4.13 or later is needed" in words
        assert api.calls[DEPLOY] == 1
        assert machine().state == "Expunged" or machine().job.left < 0


class TestCounts:
    @pytest.mark.parametrize("many", [1, 10])
    def test_an_api_is_asked_little(self, api, tmp_path, many):
        """One request a server, 12 others a stack, and one listing a tick: hosts that wait share it."""
        wish(pending=2)
        made = Stack(tmp_path / "many", url(api), {"web": {"count": many}})
        try:
            assert [host.state for host in up(made.life())] == [RUNNING] * many
            listings = [when for when, action in api.log if action == LIST]
            assert api.calls[DEPLOY] == many
            ticks = api.calls["queryAsyncJobResult"] - RULES  # for the firewall, before the first server is made
            assert ticks == 2
            assert sum(api.calls.values()) - len(listings) - ticks - many <= 12, api.calls
            assert len(listings) <= (listings[-1] - listings[0]) / SHORTEST + LOOKS, api.calls
        finally:
            destroy(made.life())


class TestWrongUse:
    def test_names_that_are_not_there_are_answered_with_the_nearest(self, api, tmp_path):
        words = failure(Stack(tmp_path / "a", url(api), {"web": {"image": "Debain 12"}}))
        assert "hosts.web.image: image 'Debain 12': the cloud has no such image; the nearest are Debian 12" in words
        assert "mallory" not in words
        words = failure(Stack(tmp_path / "b", url(api), {"web": {"size": "smal"}}))
        assert "size 'smal': the cloud has no such size; the nearest are small" in words
        words = failure(Stack(tmp_path / "c", url(api), {"web": {"network": "shard"}}))
        assert "did you mean 'shared'?" in words
        words = failure(Stack(tmp_path / "d", url(api), {"web": {"network": "twin"}}))
        assert "network 'twin': several have this name, say one's id: 00000002-" in words
        words = failure(Stack(tmp_path / "e", url(api), region="zone-l"))
        assert "unknown region (zone) 'zone-l': did you mean 'zone-1'?" in words
        words = failure(Stack(tmp_path / "f", url(api), {"web": {"image": "00000000-0000-0000-0000-000000000000"}}))
        assert "the cloud has no such image" in words
        assert api.calls[DEPLOY] == 0

    def test_wrong_credentials(self, stack, monkeypatch):
        with monkeypatch.context() as wrong:
            wrong.setenv("CLOUDSTACK_SECRET", "another-secret")
            words = failure(stack)
            assert "unable to verify user credentials and/or request signature" in words
            assert "look at the key, the secret, and this machine's clock" in words
            assert "another-secret" not in words
            wrong.setenv("CLOUDSTACK_SECRET", "")
            assert "no credentials: no secret; set CLOUDSTACK_ENDPOINT" in failure(stack)

    def test_an_api_that_is_down(self, tmp_path):
        """Nothing is shown of the URL, in which key and signature stand."""
        words = failure(Stack(tmp_path / "down", "http://127.0.0.1:9/client/api"), 3)
        assert "no connection at 127.0.0.1:9: Connection refused; is the API up, and `endpoint:` its URL?" in words
        assert "ignature" not in words

    def test_a_certificate_that_nobody_vouches_for(self, api, tmp_path):
        assert "SSL" in failure(Stack(tmp_path / "other", url(api).replace("http:", "https:")), 5)

    def test_what_the_driver_cannot_is_refused_before_anything_is_made(self, api, tmp_path):
        words = failure(Stack(tmp_path / "a", url(api), {"web": {"address": "floating"}}))
        assert "hosts.web.address: driver cloudstack has no floating addresses" in words
        words = failure(Stack(tmp_path / "b", url(api), regions=["zone-2"]))
        assert "driver cloudstack has no regions" in words
        assert not api.calls

    def test_names_and_labels_fit(self):
        """What the driver cuts names to is what CloudStack takes: a host name of RFC 1123."""
        assert cloudstack.LONGEST_NAME == 63
