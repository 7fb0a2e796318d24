"""Hosts on EC2 by moto, each with a real sshd, and what befalls those who use a cloud: by a proxy before its API."""

from __future__ import annotations

import json
import re
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
from infratest.lifecycle.rebuild import rebuild
from infratest.lifecycle.up import up
from infratest.providers.base import Consoles, Reboots
from infratest.providers.cloud import Cloud
from infratest.providers.cloud.poller import SHORTEST
from infratest.stack import file
from infratest.store.directory import StateDir
from infratest.testing.providers import answers
from tests.worlds import moto_ec2
from tests.worlds.fault_proxy import Fault, Proxy, proxy
from tests.worlds.nodes import SSH_PORT

#: Looks that `up` has at a stack beside its waiting: before, between its rounds, and after.
LOOKS = 6

QUOTA = (
    "<Response><Errors><Error><Code>InstanceLimitExceeded</Code><Message>You have requested more instances (3) than "
    "your current instance limit of 2 allows.</Message></Error></Errors></Response>"
)


@pytest.fixture(scope="module")
def before() -> Iterator[Proxy]:
    with proxy(moto_ec2.cloud().url) as running:
        yield running


@pytest.fixture
def api(before: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The proxy before EC2, without faults and counting from zero; all that a test leaves is told to it."""
    for name, value in moto_ec2.credentials().items():
        monkeypatch.setenv(name, value)
    before.reset()
    yield before
    before.reset()
    moto_ec2.cloud().wish(pending=0, broken=[], forgets={})


class Stack:
    """A stack on EC2 in a folder of its own."""

    def __init__(self, folder: Path, url: str, hosts: dict[str, Any] | None = None, **options: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "stack.yaml"
        declared = {
            "stack": "shop",
            "provider": {"name": "cloud", **moto_ec2.options(url, **options)},
            "defaults": {key.replace("_", "-"): value for key, value in moto_ec2.host_options().items()},
            "hosts": hosts if hosts is not None else {"web": {}},
        }
        self.file.write_text(json.dumps(declared))
        self.state = StateDir(folder / ".infratest")

    def life(self, seconds: float = 60) -> Lifecycle:
        return Lifecycle(file.load(self.file), self.state, deadline=Deadline(seconds))

    def mine(self) -> list[tuple[str, str]]:
        found = self.life().provider.existing(Deadline(60))
        return sorted((one.kind, one.name) for one in found if one.labels["infratest.state"] == self.state.id)


@pytest.fixture
def stack(tmp_path: Path, api: Proxy) -> Iterator[Stack]:
    """A stack with one host; whatever a test makes of it is removed."""
    made = Stack(tmp_path / "stack", api.url)
    yield made
    api.reset()
    moto_ec2.cloud().wish(pending=0, broken=[], forgets={})
    destroy(made.life())
    reap(made.life())
    assert made.mine() == []


def failure(stack: Stack, seconds: float = 60) -> str:
    with pytest.raises((ProviderError, UserError)) as caught:
        up(stack.life(seconds))
    return str(caught.value)


class TestItsLife:
    def test_up_is_logged_in_to_and_verified_and_destroy_leaves_nothing(self, stack):
        (host,) = up(stack.life())
        assert host.state == RUNNING
        (at, port), *_ = host.endpoints.values()
        assert at.startswith("127.9.0.")
        assert port == SSH_PORT
        assert host.address.startswith(("10.", "172.31."))
        assert host.address not in Path("/etc/hosts").read_text()
        assert answers(host)
        key = f"infratest-shop-{stack.state.id[:8]}"
        assert stack.mine() == [("firewall", key), ("host", "web"), ("keypair", key)]
        assert len(destroy(stack.life())) == 3
        assert stack.mine() == []
        assert "i-" not in (stack.state.path / "known_hosts").read_text()

    def test_its_console_is_read_and_it_boots_anew(self, stack):
        life = stack.life()
        up(life)
        (resource,) = life.made(Deadline(30))
        assert isinstance(life.provider, Consoles)
        assert isinstance(life.provider, Reboots)
        assert "BEGIN SSH HOST KEY KEYS" in life.provider.console(resource, Deadline(30)).text
        life.provider.reboot(resource, Deadline(30))
        assert answers(life.hosts()[0])

    def test_a_slow_start_is_waited_for_by_one_listing_a_tick(self, stack, api):
        moto_ec2.cloud().wish(pending=3)
        (host,) = up(stack.life())
        assert host.state == RUNNING

    def test_the_user_data_and_secrets_stand_in_no_url_and_no_journal(self, stack):
        up(stack.life())
        log = (moto_ec2.cloud().folder / "log").read_text()
        assert "POST / HTTP" in log
        assert "UserData" not in log
        journal = (stack.state.path / "journal.jsonl").read_text()
        assert moto_ec2.SECRET not in journal
        assert "PRIVATE KEY" not in journal

    def test_another_region_is_looked_at_where_it_is_named(self, stack, tmp_path, api):
        elsewhere = Stack(tmp_path / "elsewhere", api.url, region="eu-west-1")
        elsewhere.state = stack.state
        up(elsewhere.life())
        assert stack.mine() == []
        both = Stack(tmp_path / "both", api.url, regions=["eu-west-1"])
        both.state = stack.state
        assert [kind for kind, _ in both.mine()] == ["firewall", "host", "keypair"]
        destroy(both.life())
        assert elsewhere.mine() == []

    def test_two_stacks_in_one_account_do_not_touch_each_other(self, stack, tmp_path, api):
        other = Stack(tmp_path / "other", api.url)
        up(stack.life())
        up(other.life())
        destroy(other.life())
        assert other.mine() == []
        assert answers(stack.life().hosts()[0])


class TestBadDays:
    def test_a_lost_reply_after_create_makes_no_second_server(self, stack, api):
        api.have(Fault("RunInstances", times=2, lost=True))
        up(stack.life())
        assert api.calls["RunInstances"] == 3
        assert [kind for kind, _ in stack.mine()] == ["firewall", "host", "keypair"]

    def test_a_lost_reply_of_what_has_no_token_makes_no_second_one(self, stack, api):
        api.have(Fault("ImportKeyPair", lost=True), Fault("CreateSecurityGroup", lost=True))
        up(stack.life())
        assert [kind for kind, _ in stack.mine()] == ["firewall", "host", "keypair"]

    @pytest.mark.parametrize("status", [429, 503])
    def test_too_many_requests_are_asked_again_later(self, stack, api, status):
        api.have(Fault("RunInstances", times=2, status=status), Fault("DescribeInstances", status=status))
        up(stack.life())
        assert api.calls["RunInstances"] == 3

    def test_a_torn_answer_and_a_500_are_asked_again(self, stack, api):
        api.have(Fault("DescribeInstances", cut=True), Fault("DescribeImages", status=500), Fault("Run.*", cut=True))
        up(stack.life())
        assert [kind for kind, _ in stack.mine()] == ["firewall", "host", "keypair"]

    def test_an_api_that_only_fails_is_told_of_in_time(self, stack, api):
        api.have(Fault(times=1000, status=500, body="<html>oops</html>"))
        words = failure(stack, 10)
        assert "listing images: ec2 in us-east-1 answered" in words
        assert "HTTP 500" in words

    def test_an_answer_of_something_else_is_no_empty_list(self, stack, api):
        other = b'<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'
        api.have(Fault("Describe.*", times=1000, change=lambda _: other))
        assert "an answer that cannot be read" in failure(stack, 10)

    @pytest.mark.parametrize(
        ("inside", "words"),
        [
            ("<requestId>x</requestId>", "an answer to DescribeInstances without its reservationSet"),
            (
                "<reservationSet/><nextToken>t</nextToken>",
                "a list of DescribeInstances that leads back to where it was",
            ),
        ],
    )
    def test_an_answer_without_its_list_or_without_an_end_is_no_empty_list(self, stack, api, inside, words):
        space = "http://ec2.amazonaws.com/doc/2016-11-15/"
        body = f'<DescribeInstancesResponse xmlns="{space}">{inside}</DescribeInstancesResponse>'
        api.have(Fault("DescribeInstances", times=1000, status=200, body=body))
        assert words in failure(stack, 10)

    def test_a_listing_that_forgets_a_server_does_not_make_it_gone(self, stack, api):
        (host,) = up(stack.life())
        (resource,) = stack.life().made(Deadline(30))
        id = resource.id.partition("/")[2]
        moto_ec2.cloud().wish(forgets={id: 1})
        assert stack.life().hosts()[0].address == host.address
        moto_ec2.cloud().wish(forgets={id: 1})
        assert stack.life().made(Deadline(30)) == [resource]
        moto_ec2.cloud().wish(forgets={id: 1})
        up(stack.life())
        assert api.calls["RunInstances"] == 1

    def test_an_error_state_is_told_with_the_cloud_s_own_reason_and_undone(self, stack):
        moto_ec2.cloud().wish(broken=["web"])
        words = failure(stack)
        assert "web: its provider gave it up: Server.InsufficientInstanceCapacity: there is not enough" in words
        assert "undone: " in words
        assert stack.mine() == []

    def test_a_server_that_somebody_else_removed_is_gone_and_made_anew(self, stack, api):
        up(stack.life())
        provider = stack.life().provider
        (resource,) = stack.life().made(Deadline(30))
        assert isinstance(provider, Cloud)
        provider._account.call(
            "as somebody else", lambda lib: provider._account.driver.destroy_server(lib, resource.id.partition("/")[2]),
            Deadline(30),
        )  # fmt: skip
        assert [host.state for host in stack.life().hosts()] == [GONE]
        up(stack.life())
        assert answers(stack.life().hosts()[0])

    def test_a_group_that_is_in_use_is_asked_for_again_in_order(self, stack, api):
        up(stack.life())
        busy = "<Response><Errors><Error><Code>DependencyViolation</Code><Message>resource sg-1 has a dependent object"
        busy += "</Message></Error></Errors></Response>"
        api.have(Fault("DeleteSecurityGroup", times=2, status=400, body=busy))
        destroy(stack.life())
        assert api.calls["DeleteSecurityGroup"] == 3

    def test_a_quota_is_told_of_with_what_to_do(self, stack, api):
        api.have(Fault("RunInstances", times=100, status=400, body=QUOTA))
        words = failure(stack)
        assert "making server web: ec2 in us-east-1 answered: InstanceLimitExceeded: You have requested more" in words
        assert "have the quota raised" in words
        assert api.calls["RunInstances"] == 1


class TestCounts:
    @pytest.mark.parametrize("many", [1, 10])
    def test_an_api_is_asked_little(self, api, tmp_path, many):
        """At most 3 calls a server, 12 a stack, and one listing a tick: hosts that wait share it."""
        moto_ec2.cloud().wish(pending=2)
        stack = Stack(tmp_path / "many", api.url, {"web": {"count": many}})
        try:
            hosts = up(stack.life())
            assert [host.state for host in hosts] == [RUNNING] * many
            listings = [when for when, action in api.log if action == "DescribeInstances"]
            others = sum(api.calls.values()) - len(listings) - api.calls["RunInstances"]
            assert api.calls["RunInstances"] == many
            assert others <= 12, api.calls
            ticks = (listings[-1] - listings[0]) / SHORTEST
            assert len(listings) <= ticks + LOOKS, api.calls
        finally:
            destroy(stack.life())


class TestWrongUse:
    def test_an_image_that_is_not_there_is_answered_with_the_nearest(self, stack, api, tmp_path):
        other = Stack(tmp_path / "other", api.url, {"web": {"image": "debian-12-arm64-*"}})
        words = failure(other)
        assert "hosts.web.image: image 'debian-12-arm64-*': the cloud has no such image; the nearest are" in words
        assert "debian-12-amd64-20260101-1" in words
        assert other.mine() == []

    def test_a_size_that_is_not_there_is_answered_with_the_nearest(self, api, tmp_path):
        other = Stack(tmp_path / "other", api.url, {"web": {"size": "t3.mikro"}})
        assert "size 't3.mikro': the cloud has no such size; the nearest are t3.micro" in failure(other)
        other = Stack(tmp_path / "more", api.url, {"web": {"size": {"cpus": 1000}}})
        assert "no size of the cloud has 1000 CPUs" in failure(other)

    def test_a_size_that_cannot_run_the_image_is_told_before_anything_is_made(self, api, tmp_path):
        other = Stack(tmp_path / "other", api.url, {"web": {"size": "t4g.micro"}})
        words = failure(other)
        assert "hosts.web.size: size 't4g.micro' is of arm64, and the image of x86_64: take another of the two" in words
        assert not [action for action in api.calls if action.startswith(("Create", "Import", "Run"))]
        choice = Stack(tmp_path / "more", api.url).life()
        (chosen,) = choice.provider.choose(choice.stack.hosts, Deadline(60))
        assert not re.match(r"[a-z]+[0-9]+g", chosen.size), chosen.size

    def test_all_hosts_are_looked_at_before_anything_is_made(self, api, tmp_path):
        """Also those of a later round; the hosts of a `count:` have one problem, told once."""
        hosts = {"web": {"count": 3, "image": "debain-12"}, "db": {"after": ["web"], "size": "t3.mikro"}, "ok": {}}
        other = Stack(tmp_path / "other", api.url, hosts)
        words = failure(other)
        assert "image 'debain-12': the cloud has no such image; the nearest are debian-12" in words
        assert "(the same of web-2, web-3); " in words
        assert words.count("the cloud has no such image") == 1
        assert "hosts.db.size: size 't3.mikro': the cloud has no such size" in words
        assert words.endswith("nothing had been made")
        assert not [action for action in api.calls if action.startswith(("Create", "Import", "Run", "Delete"))]
        journal = other.state.path / "journal.jsonl"
        assert '"what": "asked"' not in (journal.read_text() if journal.exists() else "")

    def test_a_host_that_is_there_does_not_ask_for_its_image_again(self, stack, api):
        """Its image may be gone by now: what stands needs none."""
        up(stack.life())
        api.reset()
        up(stack.life())
        assert "DescribeImages" not in api.calls

    def test_a_rebuild_looks_before_it_removes(self, stack, api):
        up(stack.life())
        (before,) = stack.life().made(Deadline(30))
        stack.file.write_text(stack.file.read_text().replace(moto_ec2.IMAGE, "debain-12"))
        with pytest.raises(UserError, match="the cloud has no such image"):
            rebuild(stack.life())
        (after,) = stack.life().made(Deadline(30))
        assert after.id == before.id

    def test_wrong_credentials(self, stack, monkeypatch):
        with monkeypatch.context() as wrong:
            wrong.setenv("AWS_ACCESS_KEY_ID", "AKIAWRONG")
            words = failure(stack)
            assert "AuthFailure: AWS was not able to validate the provided access credentials" in words
            wrong.setenv("AWS_ACCESS_KEY_ID", moto_ec2.KEY)
            wrong.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
            words = failure(stack)
            assert "SignatureDoesNotMatch" in words
            assert "another-secret" not in words
            wrong.setenv("AWS_SECRET_ACCESS_KEY", "")
            assert "no credentials: none in the environment or a profile" in failure(stack)

    def test_a_clock_that_is_wrong(self, stack, api):
        expired = "<Response><Errors><Error><Code>RequestExpired</Code><Message>Request has expired.</Message></Error>"
        api.have(Fault(times=100, status=400, body=expired + "</Errors></Response>"))
        assert "RequestExpired: Request has expired.; is this machine's clock right" in failure(stack)

    def test_an_unknown_region(self, api, tmp_path):
        other = Stack(tmp_path / "other", api.url, region="eu-wset-1")
        assert "unknown region 'eu-wset-1': did you mean 'eu-west-1'?" in failure(other)

    def test_an_api_that_is_down(self, api, tmp_path):
        other = Stack(tmp_path / "other", "http://127.0.0.1:9/")
        words = failure(other, 3)
        assert "no connection at 127.0.0.1:9: Connection refused; is the API up, and `endpoint:` its URL?" in words

    def test_a_certificate_that_nobody_vouches_for(self, api, tmp_path):
        other = Stack(tmp_path / "other", api.url.replace("http:", "https:"))
        words = failure(other, 5)
        assert "SSL" in words
        assert "is `endpoint:` its URL, with its own port, and http only where it has no TLS?" in words

    @pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"])
    def test_a_credential_that_no_header_can_hold_is_told_at_once_and_not_shown(self, stack, api, monkeypatch, name):
        with monkeypatch.context() as wrong:
            wrong.setenv(name, "hidden\nX-Other: 1")
            words = failure(stack)
        assert "a key, token or secret holds a line break or a blank at its end, and cannot be sent" in words
        assert "hidden" not in words
        assert not api.calls

    @pytest.mark.parametrize(
        ("status", "body", "words"),
        [
            (500, "", "HTTP 500: Internal Server Error"),
            (502, "<html>tired</html>", "HTTP 502: "),
            (200, "", "an answer that cannot be read (not in the form of this API)"),
        ],
    )
    def test_an_answer_without_words_is_told_in_words_all_the_same(self, stack, api, status, body, words):
        api.have(Fault(times=10**6, status=status, body=body))
        told = failure(stack, 3)
        assert words in told
        assert "Error;" not in told.replace("Internal Server Error;", "")
        assert "object" not in told

    def test_an_option_that_the_driver_cannot_serve_is_refused_before_anything_is_made(self, api, tmp_path):
        other = Stack(tmp_path / "other", api.url, driver="ovh")
        assert "driver ovh has no labels" in failure(other)
        assert not api.calls

    def test_a_key_in_clear_is_refused(self, api, tmp_path):
        with pytest.raises(UserError, match="key"):
            Stack(tmp_path / "other", api.url, key="AKIAINCLEAR").life()
