"""Hosts on OpenStack: its own services behind, real logins to every server, and what befalls those who use a cloud."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.hosts import GONE, RUNNING
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import reap
from infratest.lifecycle.up import up
from infratest.providers.base import Consoles, Reboots
from infratest.providers.cloud.poller import SHORTEST
from infratest.stack import file
from infratest.store.directory import StateDir
from infratest.testing.providers import Case, MakingContract, answers, case_of
from infratest.testing.waiting import wait_until
from tests.contracts.case_files import with_hosts
from tests.worlds.fault_proxy import Fault
from tests.worlds.openstack import furniture
from tests.worlds.openstack.account import OPTIONS, host_options, logged_in
from tests.worlds.openstack.cloud import PASSWORD, cloud
from tests.worlds.openstack.seam import Seam, seam

#: Most of the time is OpenStack's own; `./run test` has the same ways on EC2 and CloudStack.
pytestmark = pytest.mark.machines

CREATE = "POST /v2.1/servers"
LIST = "GET /v2.1/servers/detail"
TOKENS = "POST /v3/auth/tokens"
#: Looks that `up` has at a stack beside its waiting: before, between its rounds, and after.
LOOKS = 6


@pytest.fixture(scope="module")
def name() -> str:
    return "cloud"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    with cloud().project() as project, logged_in(project.login()):
        made = case_of("cloud", tmp_path_factory.mktemp("openstack"), OPTIONS, **host_options())
        with with_hosts(made) as case:
            yield case


class TestContract(MakingContract):
    """What every provider must do."""


class Stack:
    """A stack on OpenStack in a folder of its own."""

    def __init__(self, folder: Path, hosts: dict[str, Any] | None = None, **options: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "stack.yaml"
        declared = {
            "stack": "shop",
            "provider": {"name": "cloud", **OPTIONS, **options},
            "defaults": {key.replace("_", "-"): value for key, value in host_options().items()},
            "hosts": hosts if hosts is not None else {"web": {}},
        }
        self.file.write_text(json.dumps(declared))
        self.state = StateDir(folder / ".infratest")

    def life(self, seconds: float = 100) -> Lifecycle:
        return Lifecycle(file.load(self.file), self.state, deadline=Deadline(seconds))

    def mine(self) -> list[tuple[str, str]]:
        found = self.life().provider.existing(Deadline(60))
        return sorted((one.kind, one.name) for one in found if one.labels["infratest.state"] == self.state.id)

    @property
    def whole(self) -> list[tuple[str, str]]:
        return [("firewall", f"infratest-shop-{self.state.id[:8]}"), ("host", "web")]


@pytest.fixture(scope="module")
def way() -> Iterator[Seam]:
    """A project with a proxy before each API; its tests remove what they make."""
    with cloud().project() as project, seam(project) as made, logged_in(made.login()):
        yield made


@pytest.fixture
def api(way: Seam) -> Iterator[Seam]:
    """The proxies, without faults and counting from zero."""
    way.reset()
    yield way
    way.reset()


@pytest.fixture
def stack(tmp_path: Path, api: Seam) -> Iterator[Stack]:
    """A stack with one host; whatever a test makes of it is removed."""
    made = Stack(tmp_path / "stack")
    yield made
    api.reset()
    destroy(made.life())
    reap(made.life())
    assert made.mine() == []


def failure(stack: Stack, seconds: float = 100) -> str:
    with pytest.raises((ProviderError, UserError)) as caught:
        up(stack.life(seconds))
    return str(caught.value)


class TestItsLife:
    def test_up_is_logged_in_to_and_verified_and_destroy_leaves_nothing(self, stack, api):
        (host,) = up(stack.life())
        assert host.state == RUNNING
        assert host.address.startswith("127.9.")
        assert answers(host)
        assert stack.mine() == stack.whole
        (server,) = api.project.servers()
        assert server["metadata"]["infratest.state"] == stack.state.id
        assert server["metadata"]["infratest.directory"] == str(stack.state.path)
        assert server["security_groups"] == [{"name": stack.whole[0][1]}]
        journal = (stack.state.path / "journal.jsonl").read_text()
        assert "PRIVATE KEY" not in journal
        assert PASSWORD not in journal
        assert len(destroy(stack.life())) == 2
        assert api.project.servers() == []
        assert stack.mine() == []

    def test_its_console_is_read_and_it_boots_anew(self, stack):
        life = stack.life()
        up(life)
        (resource,) = life.made(Deadline(30))
        assert isinstance(life.provider, Consoles)
        assert isinstance(life.provider, Reboots)
        assert "BEGIN SSH HOST KEY KEYS" in life.provider.console(resource, Deadline(30)).text
        life.provider.reboot(resource, Deadline(30))
        wait_until(lambda: answers(life.hosts()[0]), 60)

    def test_an_application_credential_of_clouds_yaml_is_enough(self, stack, api, tmp_path, monkeypatch):
        owner = api.project.api()
        wish = {"application_credential": {"name": tmp_path.name, "description": "of a test"}}
        made = owner.post("identity", f"/users/{owner.user}/application_credentials", wish)["application_credential"]
        config = tmp_path / "clouds.yaml"
        secret = tmp_path / "secure.yaml"
        config.write_text(
            f"clouds:\n  mine:\n    region_name: {api.region}\n    auth_type: v3applicationcredential\n"
            f"    auth: {{auth_url: '{api.identity.url}v3', application_credential_id: {made['id']}}}\n"
        )
        secret.write_text(f"clouds: {{mine: {{auth: {{application_credential_secret: {made['secret']}}}}}}}\n")
        with logged_in({"OS_CLIENT_CONFIG_FILE": str(config), "OS_CLIENT_SECURE_FILE": str(secret)}):
            named = Stack(tmp_path / "named", profile="mine")
            try:
                assert answers(up(named.life())[0])
            finally:
                destroy(named.life())

    def test_the_newest_image_is_taken_and_a_size_that_fits(self, api, tmp_path):
        made = Stack(tmp_path / "sizes", {"web": {"image": "debian-12", "size": {"cpus": 3, "memory": "4GiB"}}})
        try:
            up(made.life())
            (server,) = api.project.servers()
            owner = api.project.api()
            image = owner.get("image", f"/v2/images/{server['image']['id']}")
            flavor = owner.get("compute", f"/flavors/{server['flavor']['id']}")["flavor"]
            assert (image["name"], flavor["name"]) == ("debian-12-genericcloud-amd64-20260101", "large")
        finally:
            destroy(made.life())

    def test_an_image_of_an_owner_and_a_network_by_name(self, api, tmp_path):
        own = furniture.image(api.project.api(), "golden")
        host = {"image": "golden*", "owner": api.project.id, "network": api.project.name}
        made = Stack(tmp_path / "own", {"web": host})
        try:
            up(made.life())
            assert [server["image"]["id"] for server in api.project.servers()] == [own]
        finally:
            destroy(made.life())
            api.project.api().call("DELETE", "image", f"/v2/images/{own}", None)


class TestBadDays:
    def test_an_error_without_a_word_is_told_by_its_status_alone(self, stack, api):
        api.identity.have(Fault(times=1000, status=503, headers=()))
        words = failure(stack, 10)
        assert "HTTP 503: 503 Service Unavailable; try again later" in words
        assert "None" not in words

    def test_a_lost_reply_after_create_makes_no_second_server(self, stack, api):
        api.compute.have(Fault(CREATE, lost=True))
        up(stack.life())
        assert api.compute.calls[CREATE] == 1
        assert len(api.project.servers()) == 1

    def test_a_lost_reply_of_a_security_group_makes_no_second_one(self, stack, api):
        api.network.have(Fault("POST /v2.0/security-groups", lost=True), Fault("POST .*-rules", lost=True))
        up(stack.life())
        assert stack.mine() == stack.whole

    @pytest.mark.parametrize("status", [429, 503])
    def test_too_many_requests_are_asked_again_later(self, stack, api, status):
        later = (("Content-Type", "application/json"), ("Retry-After", "1"))
        body = json.dumps({"overLimit": {"code": status, "message": "This request was rate-limited."}})
        fault = {"status": status, "headers": later, "body": body}
        api.compute.have(Fault(CREATE, times=2, **fault), Fault(LIST, **fault))
        up(stack.life())
        assert api.compute.calls[CREATE] == 3

    def test_a_torn_answer_and_a_500_are_asked_again_and_make_nothing_twice(self, stack, api):
        api.compute.have(Fault(LIST, cut=True), Fault(CREATE, cut=True), Fault(".*/flavors/detail", status=500))
        up(stack.life())
        assert len(api.project.servers()) == 1

    def test_a_list_without_an_end_is_told_of_in_time(self, stack, api):
        body = json.dumps({"servers": [{"id": "one"}], "servers_links": [{"rel": "next", "href": "x"}]})
        api.compute.have(
            Fault(LIST, times=1000, status=200, headers=(("Content-Type", "application/json"),), body=body)
        )
        assert "a list of servers that leads back to where it was" in failure(stack, 10)

    def test_a_token_that_is_refused_is_renewed_once(self, stack, api):
        words = json.dumps(
            {"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made ..."}}
        )
        refused = {"status": 401, "headers": (("Content-Type", "application/json"),), "body": words}
        api.compute.have(Fault(CREATE, **refused))
        up(stack.life())
        assert api.identity.calls[TOKENS] == 2
        assert api.compute.calls[CREATE] == 2

    def test_an_api_that_only_fails_is_told_of_in_time(self, stack, api):
        api.compute.have(Fault(times=1000, status=500, body="<html>oops</html>"))
        words = failure(stack, 10)
        assert f"listing sizes: openstack in {api.region} answered" in words
        assert "HTTP 500" in words

    def test_an_error_state_is_told_with_nova_s_own_reason_and_undone(self, api, tmp_path):
        made = Stack(tmp_path / "impossible", {"web": {"size": "impossible"}})
        words = failure(made)
        assert "web: its provider gave it up: No valid host was found." in words
        assert "undone: " in words
        assert made.mine() == []

    def test_a_quota_is_told_of_in_nova_s_words_with_what_to_do(self, stack, api):
        api.project.quota(instances=0)
        try:
            words = failure(stack)
        finally:
            api.project.quota(instances=10)
        assert "Quota exceeded for instances: Requested 1, but already used 0 of 0 instances" in words
        assert "have the quota raised" in words
        assert api.compute.calls[CREATE] == 1

    def test_a_server_that_somebody_else_removed_is_gone_and_made_anew(self, stack, api):
        up(stack.life())
        (server,) = api.project.servers()
        api.project.api().call("DELETE", "compute", f"/servers/{server['id']}", None)
        wait_until(lambda: not api.project.servers(), 60)
        assert [host.state for host in stack.life().hosts()] == [GONE]
        up(stack.life())
        assert answers(stack.life().hosts()[0])


class TestCounts:
    def test_an_api_is_asked_little(self, api, tmp_path):
        """One login, image list, size list and firewall for all; one request a server, and one listing a tick."""
        made = Stack(tmp_path / "many", {"web": {"count": 5}})
        try:
            assert [host.state for host in up(made.life())] == [RUNNING] * 5
            calls = api.calls()
            listings = [when for when, action in api.compute.log if action == LIST]
            assert len(listings) <= (listings[-1] - listings[0]) / SHORTEST + LOOKS, calls
            assert calls.pop(LIST) == len(listings)
            assert calls.pop("GET /v2.0/security-groups") <= LOOKS
            assert calls.pop("GET /v2.0/floatingips") <= LOOKS
            assert calls == {
                TOKENS: 1,
                "GET /v2/images": 1,
                "GET /v2.1/flavors/detail": 1,
                "POST /v2.0/security-groups": 1,
                "POST /v2.0/security-group-rules": 1,
                CREATE: 5,
            }
        finally:
            destroy(made.life())


class TestWrongUse:
    def test_names_that_are_not_there_are_answered_with_the_nearest(self, api, tmp_path):
        words = failure(Stack(tmp_path / "a", {"web": {"image": "debain-12"}}))
        assert "hosts.web.image: image 'debain-12': the cloud has no such image; the nearest are debian-12" in words
        words = failure(Stack(tmp_path / "b", {"web": {"size": "smal"}}))
        assert "size 'smal': the cloud has no such size; the nearest are small" in words
        assert words.endswith("nothing had been made")
        assert not [action for action in api.calls() if action.startswith("POST /v2.0")]
        words = failure(Stack(tmp_path / "c", {"web": {"network": api.project.name[:-1]}}))
        assert f"did you mean '{api.project.name}'?" in words
        words = failure(Stack(tmp_path / "d", region="RegionTwo"))
        assert "unknown region 'RegionTwo': did you mean 'RegionOne'?" in words
        assert api.project.servers() == []

    def test_wrong_credentials(self, stack, monkeypatch):
        with monkeypatch.context() as wrong:
            wrong.setenv("OS_PASSWORD", "another-secret")
            words = failure(stack)
            assert "not let in: " in words
            assert "The request you have made requires authentication." in words
            assert "another-secret" not in words
            wrong.delenv("OS_PASSWORD")
            assert "neither user and password nor an application credential" in failure(stack)
            wrong.delenv("OS_AUTH_URL")
            assert "keystone's URL is not known" in failure(stack)

    def test_an_api_that_is_down(self, tmp_path, api):
        words = failure(Stack(tmp_path / "down", endpoint="http://127.0.0.1:9/v3"), 3)
        assert "no connection at 127.0.0.1:9: Connection refused; is the API up, and `endpoint:` its URL?" in words
