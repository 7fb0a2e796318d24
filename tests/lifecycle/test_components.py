"""Components on the simulated cloud: made before hosts, fitted to them, removed after them; or refused at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infratest.errors import ProviderError, UserError
from infratest.lifecycle import components
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.ip import give
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.up import up
from infratest.providers.simulator import Simulator
from infratest.stack import file
from infratest.store.directory import StateDir
from tests.worlds import forked

RULE = {"type": "firewall", "allow": [{"port": 80}], "to": {"group": "web"}}
FRONT = {"type": "address", "to": {"host": "lb"}}


class Stack:
    """A stack of lb, web-1 and web-2 with components."""

    def __init__(self, folder: Path, beside: dict[str, Any], provider: str = "simulator", **options: Any) -> None:
        self.file = folder / "stack.yaml"
        self.declare(beside, provider, **options)
        self.state = StateDir(folder / ".infratest")

    def declare(self, beside: dict[str, Any], provider: str = "simulator", **options: Any) -> None:
        hosts = {"lb": {}, "web": {"count": 2, "groups": ["web"]}}
        made = {"stack": "shop", "provider": {"name": provider, **options}, "hosts": hosts, "components": beside}
        self.file.write_text(json.dumps(made))

    def life(self) -> Lifecycle:
        return Lifecycle(file.load(self.file), self.state)

    def there(self) -> dict[str, Any]:
        provider = self.life().provider
        assert isinstance(provider, Simulator)
        with provider.cloud.world.open(changes=False) as contents:
            return {one.name: one for one in contents.items.values() if one.state != "deleted"}

    def calls(self) -> list[tuple[str, str]]:
        provider = self.life().provider
        assert isinstance(provider, Simulator)
        return [(one.call, one.name) for one in provider.cloud.world.calls() if one.answer == "ok"]


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path, {"rule": RULE, "front": FRONT})


def test_they_are_made_before_the_hosts_and_fitted_to_them(stack):
    up(stack.life())
    there = stack.there()
    assert sorted(there) == ["front", "lb", "rule", "shop", "web-1", "web-2"]
    assert {name for name, one in there.items() if one.uses == [there["rule"].id]} == {"web-1", "web-2"}
    assert there["front"].at == there["lb"].id
    made = [name for call, name in stack.calls() if call == "create"]
    assert {*made[:2]} == {"front", "rule"}
    held = stack.life().journal.live().values()
    assert {(one.kind, one.name) for one in held} >= {("firewall", "rule"), ("address", "front")}
    assert there["rule"].labels["infratest.state"] == stack.state.id


def test_a_pool_that_is_empty_is_told_and_all_is_undone(tmp_path):
    stack = Stack(tmp_path, {"front": FRONT, "back": {"type": "address", "to": {"host": "web-1"}}}, pool=1)
    with pytest.raises(ProviderError, match="the pool of addresses is empty: 1 of 1 are taken"):
        up(stack.life())
    assert stack.there() == {}
    assert [call for call, name in stack.calls() if call == "create" and name in ("lb", "shop")] == []


@pytest.mark.parametrize(
    ("provider", "beside", "words"),
    [
        ("fake", {"front": FRONT}, "address front: provider fake makes no such thing; cloud and simulator can"),
        ("existing", {"rule": RULE}, "firewall rule: hosts of provider existing were not made from here, and are left"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_made(tmp_path, provider, beside, words):
    stack = Stack(tmp_path, beside, provider)
    if provider == "existing":
        made = json.loads(stack.file.read_text())
        made["hosts"] = {"lb": {"address": "192.0.2.1", "groups": ["web"]}}
        stack.file.write_text(json.dumps(made))
    with pytest.raises(UserError) as caught:
        up(stack.life())
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{stack.file}:1")
    assert not stack.state.exists


def test_they_are_shown_with_what_they_are_and_how_they_are_had(stack):
    assert [(one.name, one.words, one.way) for one in components.shown(stack.life())] == [
        ("rule", "lets in SSH, tcp 80 from any, and nothing else", ""),
        ("front", "an address of its own", ""),
    ]
    stack.declare({"rule": RULE}, "fake")
    assert [one.way for one in components.shown(stack.life())] == ["rules of nftables"]


def test_status_and_plan_show_them(stack):
    (stack.file.parent / "x.feature").write_text('Feature: f\n  Scenario: s\n    Then the command "true" exits 0\n')
    up(stack.life())
    line = "firewall rule, for web-1, web-2: lets in SSH, tcp 80 from any, and nothing else\n"
    assert line in ran(stack, "status")
    assert line in ran(stack, "plan", "x.feature")
    found = json.loads(ran(stack, "status", "--format", "json"))["components"]
    assert found[1] == {
        "name": "front", "type": "address", "hosts": ["lb"], "words": "an address of its own", "on_hosts": False,
        "values": {"address": stack.there()["front"].address},
    }  # fmt: skip


def test_what_the_stack_file_no_longer_names_is_told_until_the_stack_goes(stack):
    up(stack.life())
    assert "no longer names" not in ran(stack, "status")
    stack.declare({"rule": RULE | {"on": "hosts"}})
    words = "exists and the stack file no longer names it; name it again, or `infratest destroy` removes it with the"
    assert f"firewall rule {words} stack\n" in ran(stack, "status")
    assert f"address front {words} stack\n" in ran(stack, "status")
    found = json.loads(ran(stack, "status", "--format", "json"))["undeclared"]
    # In the order in which they came to be, and both may be made at once.
    assert sorted((one["kind"], one["name"]) for one in found) == [("address", "front"), ("firewall", "rule")]
    destroy(stack.life())
    assert stack.there() == {}
    assert "no longer names" not in ran(stack, "status")


def test_an_address_that_a_host_was_given_is_no_stray(stack):
    up(stack.life())
    give(stack.life(), "web-1")
    assert "no longer names" not in ran(stack, "status")


def ran(stack: Stack, *words: str) -> str:
    done = forked.run(words, cwd=stack.file.parent, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
