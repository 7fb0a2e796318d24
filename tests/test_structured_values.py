"""Paths with `*`, against a walk through the value that is written out by hand."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.errors import FactError, UserError
from infratest.structured_text import Absent, checked_path, value_at
from infratest.structured_values import values_at

KEYS = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
MISSING = object()


def walked(value: object, steps: list[str]) -> list[object]:
    """Return what steps lead to, MISSING where one leads nowhere."""
    if not steps:
        return [value]
    first, *rest = steps
    inside = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else None
    if first == "*":
        return [MISSING] if inside is None else [each for one in inside for each in walked(one, rest)]
    return walked(value[first], rest) if isinstance(value, dict) and first in value else [MISSING]


@settings(max_examples=100, deadline=None)
@given(VALUES, st.lists(st.one_of(st.just("*"), KEYS), min_size=1, max_size=3))
def test_a_path_leads_to_each(value: object, steps: list[str]):
    path = ".".join(steps if "*" in steps else [*steps, "*"])
    found = values_at(json.dumps(value), "JSON", path)
    assert [MISSING if isinstance(one, Absent) else one for _, one in found] == walked(value, path.split("."))
    there = [way for way, one in found if not isinstance(one, Absent)]
    assert len(set(there)) == len(there)


@pytest.mark.parametrize(
    "path, ways",
    [
        ("s.*.p", ["s.x.p", "s.y.p"]),
        ("l", ["l[0]", "l[1]"]),
        ("*", ["s", "l"]),
        ("l.*.k", ["l[0].k", "l[1].k"]),
        ("s.*.*", ["s.x.p", "s.y"]),
    ],
)
def test_each_is_told_by_its_own_path(path: str, ways: list[str]):
    text = '{"s": {"x": {"p": 1}, "y": 5}, "l": [{"k": 1}, 7]}'
    assert [way for way, _ in values_at(text, "JSON", path)] == ways


def test_there_is_an_end_to_what_a_path_may_lead_to():
    text = json.dumps([[0] * 400] * 400)
    with pytest.raises(FactError, match="more than 100000 values"):
        values_at(text, "JSON", "*.*")


def test_a_star_is_not_taken_for_a_key_where_one_value_is_meant():
    """A key that is called so is not there in most documents: `has no` would hold whatever they say."""
    with pytest.raises(UserError, match=r"leads to several values by its \*: .* is written \\\*"):
        checked_path("servers.*.debug", "JSON")
    assert checked_path("servers.*.debug", "JSON", of_each=True) == "servers.*.debug"
    assert checked_path("a*.b", "JSON") == "a*.b"
    assert value_at('{"*": {"a": 1}}', "JSON", r"\*.a") == 1
    assert values_at('{"*": [1, 2], "b": [3]}', "JSON", r"\*.*") == [("*[0]", 1), ("*[1]", 2)]
