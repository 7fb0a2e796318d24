"""Verbs with the credentials of another account than the stack was made in: each stops, and nothing is changed.

On EC2 by moto, on a real OpenStack, and on the simulators of CloudStack, DigitalOcean and Linode.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.halt import halt
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import reap
from infratest.lifecycle.reboot import reboot
from infratest.lifecycle.rebuild import rebuild
from infratest.lifecycle.status import status
from infratest.lifecycle.up import up
from infratest.stack import file
from infratest.stack.open import open_hosts
from infratest.store.directory import StateDir
from tests.worlds import cloudstack_simulator, forked, moto_ec2
from tests.worlds.cloudstack_simulator import furniture
from tests.worlds.fault_proxy import Fault, Proxy, proxy
from tests.worlds.openstack import account as openstack
from tests.worlds.openstack.cloud import cloud
from tests.worlds.small_clouds_simulator import ACCOUNTS, OTHER_TOKEN, TOKEN, small_clouds

WHAT = ("Images", "KeyPairs", "SecurityGroups", "Addresses")
REFUSAL = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>"

VERBS: dict[str, Callable[[Lifecycle], object]] = {
    "status": status,
    "halt": halt,
    "reboot": reboot,
    "rebuild": rebuild,
    "up": up,
    "reap": reap,
    "destroy": destroy,
    "test": lambda life: open_hosts(life.stack, life.state, Deadline(60)),
}


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """One cloud with two accounts: what logs in to each, and what each is called."""

    options: Mapping[str, Any]
    host: Mapping[str, Any]
    logins: tuple[Mapping[str, str], Mapping[str, str]]
    names: tuple[str, str]
    parameters: Mapping[str, Any]


@contextmanager
def on_ec2(url: str = "") -> Iterator[Cloud]:
    other = moto_ec2.credentials(moto_ec2.OTHER_KEY, moto_ec2.OTHER_SECRET)
    yield Cloud(
        options=moto_ec2.options(url), host=moto_ec2.host_options(), parameters={},
        logins=(moto_ec2.credentials(), other), names=("account 123456789012", "account 210987654321"),
    )  # fmt: skip


@contextmanager
def on_openstack() -> Iterator[Cloud]:
    with cloud().project() as first, cloud().project() as second:
        yield Cloud(
            options=openstack.OPTIONS, host=openstack.host_options(), parameters={},
            logins=(first.login(), second.login()), names=(f"project {first.id}", f"project {second.id}"),
        )  # fmt: skip


@contextmanager
def on_cloudstack() -> Iterator[Cloud]:
    other = cloudstack_simulator.credentials(cloudstack_simulator.OTHER_KEY, cloudstack_simulator.OTHER_SECRET)
    domain, ids = furniture.DOMAIN_ID, furniture.ACCOUNTS
    names = [f"account {name} ({ids[name]}) of domain {domain}" for name in ("shop", "museum")]
    yield Cloud(
        options=cloudstack_simulator.options(), host=cloudstack_simulator.host_options(), parameters={},
        logins=(cloudstack_simulator.credentials(), other), names=(names[0], names[1]),
    )  # fmt: skip


@contextmanager
def small_cloud() -> Iterator[str]:
    with small_clouds() as running:
        yield running.url


@contextmanager
def on_small_cloud(driver: str, name: str, url: str = "") -> Iterator[Cloud]:
    with nullcontext(url) if url else small_cloud() as place:
        yield Cloud(
            options={"driver": driver, "region": "nyc3", "endpoint": place, "key": "{param.token}"},
            host=cloudstack_simulator.host_options(),
            parameters={"token": {"type": "string", "secret": True, "from": {"env": "SMALL_CLOUD"}}},
            logins=({"SMALL_CLOUD": TOKEN}, {"SMALL_CLOUD": OTHER_TOKEN}),
            names=(f"{name}{ACCOUNTS[TOKEN]}", f"{name}{ACCOUNTS[OTHER_TOKEN]}"),
        )


CLOUDS = {
    "ec2": on_ec2,
    "openstack": on_openstack,
    "cloudstack": on_cloudstack,
    "digitalocean": lambda: on_small_cloud("digitalocean", "team team-"),
    "linode": lambda: on_small_cloud("linode", "account "),
}


def infratest(*words: object) -> subprocess.CompletedProcess[str]:
    return forked.run(map(str, words), timeout=120)


class Stack:
    """A stack of one host on a cloud, in a folder of its own; `first` is the account that it is made in."""

    def __init__(self, folder: Path, cloud: Cloud, patch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        self.file, self.cloud, self._patch = folder / "stack.yaml", cloud, patch
        host = {key.replace("_", "-"): value for key, value in cloud.host.items()}
        declared = {
            "stack": "shop", "parameters": dict(cloud.parameters), "hosts": {"web": host},
            "provider": {"name": "cloud", **cloud.options},
        }  # fmt: skip
        self.file.write_text(json.dumps(declared))
        self.state = StateDir(folder / ".infratest")
        self.login()

    def login(self, *, first: bool = True) -> None:
        for name, value in self.cloud.logins[0 if first else 1].items():
            self._patch.setenv(name, value)

    def life(self) -> Lifecycle:
        return Lifecycle(file.load(self.file), self.state, deadline=Deadline(100))

    def records(self, *but: str) -> list[dict[str, Any]]:
        lines = (self.state.path / "journal.jsonl").read_text().splitlines()
        return [one for one in map(json.loads, lines) if one["what"] not in but]

    def there(self) -> list[tuple[str, str]]:
        """Return what exists of this stack in the account that is logged in to."""
        found = self.life().provider.existing(Deadline(60))
        return sorted((one.kind, one.id) for one in found if one.labels.get("infratest.state") == self.state.id)


@pytest.fixture(params=[pytest.param(word, marks=[pytest.mark.machines] * (word == "openstack")) for word in CLOUDS])
def stack(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A stack that is up; when the test is over nothing of it is in either account."""
    with CLOUDS[request.param]() as cloud, openstack.logged_in({}):
        made = Stack(tmp_path / "stack", cloud, monkeypatch)
        up(made.life())
        yield made
        made.login(first=False)
        assert made.there() == []
        made.login()
        destroy(made.life())
        assert made.there() == []


def test_every_verb_stops_and_nothing_is_changed(stack):
    before, known = stack.there(), stack.records("begin", "end", "lease")
    assert [one for kind, one in before if kind == "host"]
    former, other = stack.cloud.names
    stack.login(first=False)
    for name, verb in VERBS.items():
        with pytest.raises(ProviderError) as caught:
            verb(stack.life())
        words = str(caught.value)
        assert f"{former} made " in words, name
        assert f"host web of shop, and the credentials are those of {other}, which sees none of it" in words, name
        assert "use the former credentials, or for the other account another state directory (`--state`)" in words
        assert stack.records("begin", "end", "lease") == known, name
    stack.login()
    assert stack.there() == before
    up(stack.life())
    assert stack.there() == before


def test_the_account_is_written_before_the_first_thing_is_asked_for(stack):
    whats = [one["what"] for one in stack.records()]
    (written,) = (one for one in stack.records() if one["what"] == "account")
    assert (written["stack"], written["env"], written["account"]) == ("shop", "", stack.cloud.names[0])
    assert "asked" not in whats[: whats.index("account")]
    assert "made" in whats[whats.index("account") :]


def test_a_journal_of_an_earlier_version_is_worked_with_as_it_stands(stack):
    journal = stack.state.path / "journal.jsonl"
    kept = [line for line in journal.read_text().splitlines(keepends=True) if '"what": "account"' not in line]
    journal.write_text("".join(kept))
    assert [one.kind for one in stack.life().made(Deadline(60))] == ["host"]
    up(stack.life())


def test_without_credentials_no_driver_says_that_its_hosts_are_gone(stack, monkeypatch):
    known = stack.records("begin", "end", "lease")
    with monkeypatch.context() as nobody:
        for name, value in stack.cloud.logins[0].items():
            nobody.setenv(name, value if value.startswith("/") else "")
        for name in ("status", "halt", "reap", "destroy", "test"):
            with pytest.raises(UserError, match=r"no credentials|parameters\.token"):
                VERBS[name](stack.life())
    assert stack.records("begin", "end", "lease") == known


class TestOnEc2:
    @pytest.fixture
    def api(self) -> Iterator[Proxy]:
        with proxy(moto_ec2.cloud().url) as running:
            yield running

    @pytest.fixture
    def stack(self, api: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
        with on_ec2(api.url) as cloud:
            made = Stack(tmp_path / "stack", cloud, monkeypatch)
            yield made
            api.reset()
            made.login()
            destroy(made.life())

    def test_the_program_s_status_is_that_of_other_failures(self, stack):
        up(stack.life())
        stack.login(first=False)
        feature = stack.file.with_name("web.feature")
        feature.write_text('Feature: web\n  Scenario: it is there\n    Then the file "/etc/hosts" exists\n')
        expected = {"up": 1, "halt": 1, "destroy": 1, "reap": 1, "test": 3, "check": 3}
        for verb, exit in expected.items():
            done = infratest(verb, "--stack", stack.file, *([feature] if exit == 3 else []))
            assert "the credentials are those of account 210987654321" in done.stdout + done.stderr, verb
            assert done.returncode == exit, (verb, done)

    def test_what_a_killed_run_left_in_the_first_account_is_not_forgotten_by_the_second(self, stack, api):
        api.have(
            Fault("RunInstances", times=1000, status=400, body=REFUSAL),
            Fault("DeleteKeyPair|DeleteSecurityGroup", times=1000, status=400, body=REFUSAL),
        )
        with pytest.raises(ProviderError, match="not undone"):
            up(stack.life())
        left = stack.there()
        assert {kind for kind, _ in left} == {"firewall", "keypair"}
        stack.login(first=False)
        with pytest.raises(ProviderError, match="the credentials are those of account 210987654321"):
            reap(stack.life())
        stack.login()
        assert stack.there() == left
        api.reset()
        reap(stack.life())
        assert stack.there() == []

    def test_no_call_is_made_for_it_while_the_stack_is_seen(self, stack, api):
        up(stack.life())
        lists = {action: number for action, number in api.calls.items() if action.startswith("Describe")}
        lists.pop("DescribeInstances")  # one a tick
        assert lists == {
            "DescribeImages": 1,
            "DescribeKeyPairs": 1,
            "DescribeSecurityGroups": 1,
            "DescribeAddresses": 1,
        }
        api.reset()
        status(stack.life())
        assert api.calls["DescribeSecurityGroups"] == 1
        assert not [action for action in api.calls if not action.startswith("Describe")]

    def test_where_nobody_could_tell_whose_it_is_nothing_is_compared(self, stack, api):
        """As in a region whose network has no default group."""
        api.have(
            Fault("DescribeSecurityGroups", times=1000, change=lambda answer: answer.replace(b">default<", b">x<"))
        )
        up(stack.life())
        assert not [one for one in stack.records() if one["what"] == "account"]


def test_an_account_that_cannot_be_told_any_more_is_not_known(tmp_path, monkeypatch):
    with small_clouds() as running, proxy(running.url) as api, on_small_cloud("linode", "account ", api.url) as cloud:
        stack = Stack(tmp_path / "stack", cloud, monkeypatch)
        up(stack.life())
        stack.login(first=False)
        api.have(Fault("GET /v4/account", times=1000, status=403, body='{"errors": [{"reason": "Unauthorized"}]}'))
        with pytest.raises(ProviderError) as caught:
            destroy(stack.life())
        assert "nothing is seen of host web of shop; whether it is gone, or of another account than" in str(
            caught.value
        )
        assert [one for one in stack.records() if one["what"] == "made"]
        api.reset()
        stack.login()
        destroy(stack.life())
        assert not running.machines
