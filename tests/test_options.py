from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from infratest.errors import UserError
from infratest.option_schema import schema_of
from infratest.options import build


@dataclass(frozen=True, kw_only=True)
class Options:
    host_name: str = field(metadata={"description": "whom to ask"})
    port: int = 22
    ratio: float = 0.5
    strict: bool = False
    user: str | None = None
    wait: float = field(default=1.0, metadata={"dimension": "time"})
    memory: int = field(default=0, metadata={"dimension": "size", "low": 2**20, "high": 2**40})
    share: float = field(default=1.0, metadata={"low": 0.5, "high": 4})
    keys: tuple[str, ...] = ()
    mode: Literal["fast", "slow"] = "fast"
    more: Mapping[str, Any] = field(default_factory=dict)


def made(**given: object) -> Options:
    return build(Options, {"host-name": "a"} | given, "stack.yaml:3: thing")


def test_defaults():
    assert made() == Options(host_name="a")


@pytest.mark.parametrize(
    "key, value, expected",
    [
        ("port", 2222, 2222),
        ("ratio", 1, 1.0),
        ("strict", True, True),
        ("user", "root", "root"),
        ("wait", "500 ms", 0.5),
        ("memory", "256MiB", 2**28),
        ("memory", "1MiB", 2**20),
        ("memory", "1024GiB", 2**40),
        ("share", 4, 4.0),
        ("share", 0.5, 0.5),
        ("keys", ["a", "b"], ("a", "b")),
        ("mode", "slow", "slow"),
        ("more", {"x": 1}, {"x": 1}),
    ],
)
def test_values(key, value, expected):
    found = getattr(made(**{key: value}), key)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"prot": 22}, "stack.yaml:3: thing: unknown key 'prot': did you mean 'port'?"),
        ({"port": "22"}, "stack.yaml:3: thing: port: expected a whole number, found '22'"),
        ({"port": True}, "stack.yaml:3: thing: port: expected a whole number, found True"),
        ({"port": 1.5}, "stack.yaml:3: thing: port: expected a whole number, found 1.5"),
        ({"strict": 1}, "stack.yaml:3: thing: strict: expected true or false, found 1"),
        ({"strict": "yes"}, "stack.yaml:3: thing: strict: expected true or false, found 'yes'"),
        ({"ratio": True}, "stack.yaml:3: thing: ratio: expected a number, found True"),
        ({"user": 5}, "stack.yaml:3: thing: user: expected text, found 5"),
        ({"wait": "5 apples"}, "stack.yaml:3: thing: wait: '5 apples' is not a number with one of ms, s, min"),
        ({"wait": True}, "stack.yaml:3: thing: wait: expected a number, found True"),
        ({"memory": "1023KiB"}, "stack.yaml:3: thing: memory: found '1023KiB', must be at least 1MiB"),
        ({"memory": "1025GiB"}, "stack.yaml:3: thing: memory: found '1025GiB', must be at most 1TiB"),
        ({"share": 0}, "stack.yaml:3: thing: share: found 0, must be at least 0.5"),
        ({"share": 4.5}, "stack.yaml:3: thing: share: found 4.5, must be at most 4"),
        ({"share": float("nan")}, "stack.yaml:3: thing: share: found nan, must be at least 0.5"),
        ({"keys": "a"}, "stack.yaml:3: thing: keys: expected a list, found 'a'"),
        ({"mode": "medium"}, "stack.yaml:3: thing: mode: expected 'fast' or 'slow', found 'medium'"),
        ({"host-name": None}, "stack.yaml:3: thing: host-name: expected text, found None"),
    ],
)
def test_what_is_refused(given, message):
    with pytest.raises(UserError) as caught:
        made(**given)
    assert str(caught.value).startswith(message)


def test_what_is_missing():
    with pytest.raises(UserError) as caught:
        build(Options, {}, "stack.yaml:3: thing")
    assert str(caught.value) == "stack.yaml:3: thing: host-name is missing (whom to ask)"


def test_limits_stand_in_the_schema():
    schema = schema_of(Options, "options")["properties"]
    memory, share = schema["memory"], schema["share"]
    assert (memory["minimum"], memory["maximum"]) == (2**20, 2**40)
    assert memory["title"] == "a size with its unit, such as 256MiB, from 1MiB to 1TiB"
    assert (share["minimum"], share["maximum"], share["title"]) == (0.5, 4, "a number from 0.5 to 4")
