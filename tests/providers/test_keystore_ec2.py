"""The verb keystore on EC2 by moto: whose keys are there, and the stack's own one put back, once, and no other."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.keystore import IMPORTED, sync
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import reap
from infratest.providers import _public_key, _ssh_keys
from infratest.providers.cloud import Cloud
from infratest.providers.cloud.drivers import _ec2_wire
from infratest.stack import file
from infratest.store.directory import StateDir
from tests.worlds import forked, moto_ec2
from tests.worlds.fault_proxy import Fault, Proxy, proxy


@pytest.fixture(scope="module")
def before() -> Iterator[Proxy]:
    with proxy(moto_ec2.cloud().url) as running:
        yield running


class Stack:
    """A stack on EC2, and the verb in a process of its own."""

    def __init__(self, folder: Path, url: str, stack: str = "shop", **options: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "stack.yaml"
        declared = {
            "stack": stack,
            "provider": {"name": "cloud", **moto_ec2.options(url, **options)},
            "defaults": {key.replace("_", "-"): value for key, value in moto_ec2.host_options().items()},
            "hosts": {"web": {}},
        }
        self.file.write_text(json.dumps(declared))
        self.state = StateDir(folder / ".infratest")

    @property
    def name(self) -> str:
        return f"infratest-shop-{self.state.id[:8]}"

    @property
    def public(self) -> str:
        return _ssh_keys.user_key(self.state.path / "keys")[1]

    def life(self) -> Lifecycle:
        return Lifecycle(file.load(self.file), self.state, deadline=Deadline(60))

    def run(self, *words: str, status: int = 0) -> tuple[str, str]:
        done = forked.run([*words, "--stack", self.file], timeout=120, env={**os.environ, "COLUMNS": "200"})
        assert done.returncode == status, (done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stdout, done.stderr

    def listed(self) -> dict[str, dict[str, Any]]:
        out, _ = self.run("keystore", "list", "--format", "json")
        return {one["name"]: one for one in json.loads(out)}

    def ask(self, action: str, **given: str) -> Any:
        """Ask EC2 itself, as another who uses the account."""
        provider = self.life().provider
        assert isinstance(provider, Cloud)
        return provider._account.call("a test", lambda lib: _ec2_wire.asked(lib, action, given), Deadline(30))

    def import_by_hand(self, name: str, public: str) -> None:
        self.ask("ImportKeyPair", KeyName=name, PublicKeyMaterial=base64.b64encode(public.encode()).decode())

    def live(self) -> list[str]:
        return [one.name for one in self.life().journal.live().values() if one.kind == "keypair"]


@pytest.fixture
def stack(tmp_path: Path, before: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A stack whose key is in the store; all that is in the account's store goes after the test."""
    for name, value in moto_ec2.credentials().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("INFRATEST_OWNER", "jane@here")
    before.reset()
    made = Stack(tmp_path / "stack", before.url)
    assert sync(made.life())[1] == IMPORTED
    yield made
    before.reset()
    destroy(made.life())
    reap(made.life())
    left = made.listed()
    for name in left:
        made.ask("DeleteKeyPair", KeyName=name)
    assert made.name not in left


def test_whose_keys_are_there(stack: Stack, tmp_path: Path, before: Proxy) -> None:
    other = Stack(tmp_path / "other", before.url, "blog")
    sync(other.life())
    stack.import_by_hand("bob", _ssh_keys.new_key().public)
    stack.import_by_hand("alice", f"{stack.public} alice")
    blog = f"infratest-blog-{other.state.id[:8]}"
    found = stack.listed()
    assert {name: (one["whose"], one["same"]) for name, one in found.items()} == {
        stack.name: ("this stack's", True),
        blog: ("stack blog, of this owner", False),
        "bob": ("somebody else's", False),
        "alice": ("somebody else's", True),
    }
    assert found[stack.name]["fingerprint"] == _public_key.fingerprint(stack.public)
    assert next(iter(found)) == stack.name
    out, _ = stack.run("keystore")
    assert [line.split()[0] for line in out.splitlines()] == ["name", stack.name, *sorted({"alice", "bob", blog})]
    destroy(other.life())


def test_one_that_somebody_removed_is_imported_again_and_journalled(stack: Stack) -> None:
    stack.ask("DeleteKeyPair", KeyName=stack.name)
    assert stack.listed() == {}
    assert f"{stack.name} was imported" in stack.run("keystore", "sync")[1]
    assert stack.listed()[stack.name]["same"] is True
    assert stack.live() == [stack.name]
    (there,) = [one for one in stack.life().provider.existing(Deadline(30)) if one.kind == "keypair"]
    assert there.labels["infratest.owner"] == "jane@here"
    assert "nothing to reap" in stack.run("reap")[1]


def test_one_that_matches_is_left(stack: Stack, before: Proxy) -> None:
    before.reset()
    assert f"{stack.name} is there already\n" in stack.run("keystore", "sync")[1]
    assert not {"ImportKeyPair", "DeleteKeyPair"} & {*before.calls}


def test_another_under_its_name_is_refused_unless_it_may_be_overwritten(stack: Stack) -> None:
    bobs = _ssh_keys.new_key().public
    stack.ask("DeleteKeyPair", KeyName=stack.name)
    stack.import_by_hand(stack.name, bobs)
    stack.import_by_hand("bob", bobs)
    _, err = stack.run("keystore", "sync", status=1)
    assert f"key pair {stack.name} is there as another key than {_public_key.fingerprint(stack.public)}" in err
    assert "--overwrite" in err
    assert stack.listed()[stack.name]["same"] is False
    assert "was put in the place of another" in stack.run("keystore", "sync", "--overwrite")[1]
    assert {name: one["same"] for name, one in stack.listed().items()} == {stack.name: True, "bob": False}
    assert stack.live() == [stack.name]


def test_a_rotation_has_the_new_one_there_in_place_of_the_former(stack: Stack) -> None:
    former = stack.public
    stack.import_by_hand("alice", f"{former} alice")
    _, err = stack.run("keypair", "rotate")
    assert f"{_public_key.fingerprint(stack.public)} logs in from now on" in err
    assert not _public_key.same(stack.public, former)
    assert {name: one["same"] for name, one in stack.listed().items()} == {stack.name: True, "alice": False}
    assert stack.live() == [stack.name]


def test_a_lost_reply_makes_one(stack: Stack, before: Proxy) -> None:
    stack.ask("DeleteKeyPair", KeyName=stack.name)
    before.have(Fault("ImportKeyPair", lost=True))
    stack.run("keystore", "sync")
    assert stack.listed()[stack.name]["same"] is True
    assert stack.live() == [stack.name]


def test_an_import_that_is_refused_leaves_nothing(stack: Stack, before: Proxy) -> None:
    stack.ask("DeleteKeyPair", KeyName=stack.name)
    body = (
        "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>"
    )
    before.have(Fault("ImportKeyPair", status=403, body=body))
    _, err = stack.run("keystore", "sync", status=1)
    assert "UnauthorizedOperation" in err
    assert "nothing had been made" in err
    assert stack.listed() == {}
    stack.run("keystore", "sync")
    assert stack.listed()[stack.name]["same"] is True


@pytest.mark.parametrize(
    ("driver", "why"),
    [
        ("cloudstack", "CloudStack's carry no labels, and an account takes the same key once; the stack's key goes to"),
        ("openstack", "nova's key pairs are a user's and not a project's, so that others who work in the project"),
        ("digitalocean", "libcloud's driver gives it no labels by which `reap` would find it; the stack's key goes to"),
    ],
)
def test_a_driver_that_keeps_none_says_why(tmp_path: Path, driver: str, why: str) -> None:
    stack = tmp_path / "stack.yaml"
    stack.write_text(f"stack: shop\nprovider: {{name: cloud, driver: {driver}}}\nhosts: {{web: {{}}}}\n")
    for word in ("list", "sync"):
        done = forked.run(["keystore", word, "--stack", stack], timeout=60)
        assert done.returncode == 2
        assert f"driver {driver} has no key pair of the stack: {why}" in done.stderr
    assert not (tmp_path / ".infratest").exists()
