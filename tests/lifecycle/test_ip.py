"""The verb ip on the simulated cloud: an address for a host that is there, once, and given back."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.errors import ProviderError, UserError
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.ip import Had, addresses, give, release
from infratest.lifecycle.up import up
from tests.lifecycle.test_components import FRONT, Stack
from tests.worlds import forked


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    made = Stack(tmp_path, {})
    up(made.life())
    return made


def test_a_host_has_one_and_keeps_it(stack):
    address = give(stack.life(), "lb")
    (one,) = [one for one in every(stack) if one["kind"] == "address"]
    assert (one["address"], one["at"]) == (address, id_of(stack, "lb"))
    assert give(stack.life(), "lb") == address
    assert addresses(stack.life()) == [Had(name="lb", address=address, host="lb")]
    assert [call for call in stack.calls() if call == ("create", "lb")] == [("create", "lb")] * 2  # host and address


def test_it_is_given_back_and_nothing_else_goes(stack):
    give(stack.life(), "lb")
    assert release(stack.life(), "lb") is not None
    assert release(stack.life(), "lb") is None
    assert sorted(one["name"] for one in every(stack)) == ["lb", "shop", "web-1", "web-2"]


def test_it_goes_with_its_host(stack):
    give(stack.life(), "lb")
    destroy(stack.life(), ["lb"])
    assert sorted(one["name"] for one in every(stack)) == ["shop", "web-1", "web-2"]


def test_the_one_of_the_stack_file_is_taken_and_not_given_back(stack):
    stack.declare({"front": FRONT})
    address = give(stack.life(), "lb")
    assert addresses(stack.life()) == [Had(name="front", address=address, host="lb")]
    with pytest.raises(UserError, match=r"address front is not given back: .*stack.yaml:1 declares it: take it out"):
        release(stack.life(), "lb")
    stack.declare({})
    assert release(stack.life(), "front") is not None


@pytest.mark.parametrize("options", [{"refuse": ["create"]}, {"refuse": ["fit"]}, {"pool": 1}])
def test_what_fails_leaves_nothing(stack, options):
    if "pool" in options:
        give(stack.life(), "web-1")
    stack.declare({}, **options)
    with pytest.raises(ProviderError, match="ip of shop: "):
        give(stack.life(), "lb")
    stack.declare({})
    assert [one["name"] for one in every(stack) if one["kind"] == "address"] == (["web-1"] if "pool" in options else [])


def test_wrong_use(stack):
    with pytest.raises(UserError, match="'bl'"):
        give(stack.life(), "bl")
    with pytest.raises(UserError, match="unknown address or host 'bl': did you mean 'lb'"):
        release(stack.life(), "bl")
    destroy(stack.life(), ["lb"])
    with pytest.raises(ProviderError, match="ip of shop: lb is not there; `infratest up` makes it"):
        give(stack.life(), "lb")
    stack.declare({}, "fake")
    with pytest.raises(UserError, match="provider fake makes no address; cloud and simulator can"):
        give(stack.life(), "lb")


def test_the_verb(stack):
    first = ran(stack, "lb")
    assert first == ran(stack, "lb")
    assert ran(stack) == f"lb {first.strip()} for lb\n"
    ran(stack, "lb", "--release")
    assert ran(stack) == ""
    assert ran(stack, "--release", status=2) == ""


def every(stack: Stack) -> list[dict[str, object]]:
    provider = stack.life().provider
    with provider.cloud.world.open(changes=False) as contents:  # type: ignore[attr-defined]
        return [vars(one) for one in contents.items.values() if one.state != "deleted"]


def id_of(stack: Stack, host: str) -> object:
    (found,) = [one["id"] for one in every(stack) if (one["kind"], one["name"]) == ("host", host)]
    return found


def ran(stack: Stack, *words: str, status: int = 0) -> str:
    done = forked.run(["ip", *words], cwd=stack.file.parent, timeout=60)
    assert done.returncode == status, done.stderr
    return done.stdout
