"""YAML by libyaml and by ruamel.yaml: one meaning, and what the two scan differently is read by the second alone."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.numeral import Doubtful
from infratest.yaml_text import DEPTH, LIMIT, NoYaml, _Otherwise, by_libyaml, by_ruamel, value_of


def same(one: Any, other: Any) -> bool:
    """Whether two values are one, of the same types and in the same order; Python's own takes 1 for true."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(one, dict):
        pairs = zip(one.items(), other.items(), strict=True)
        return len(one) == len(other) and all(same(a, c) and same(b, d) for (a, b), (c, d) in pairs)
    if isinstance(one, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


WORDS = (
    "a", "b", "on", "yes", "true", "True", "null", "~", "Null", "1", "010", "0o17", "0x1F", "1_000", "1.5", ".5", "1e3",
    "+1", "1:30", ".inf", "-.INF", ".nan", "2024-05-01", "2024-05-01 10:00:00", "0b101", "=", "'q'", "'it''s'", '"d"',
    r'"\n\x41\u00e9"', '""', "x#y", "a:b", "http://x/y?z=1#f", "two words", r"\\", "é", "日本", "--", "::", "- x", "*b",
)  # fmt: skip
KEYS = st.sampled_from(("a", "b", "1", "true", '"q r"', "'s'", "x y", "<<", "2024-05-01", "é"))


@st.composite
def scalars(draw: st.DrawFn, indent: int) -> str:
    word = draw(st.sampled_from(WORDS))
    form = draw(st.integers(0, 9))
    if form == 0:
        head = draw(st.sampled_from(("|", ">", "|-", ">+")))
        lines = draw(st.lists(st.sampled_from(("x y", "  deeper", "", "# no comment", word)), min_size=1, max_size=4))
        return f" {head}\n" + "".join(f"{' ' * indent}  {line}\n" for line in lines)
    if form == 1:
        return f" {word}\n{' ' * indent}  and more\n"
    return f" {draw(st.sampled_from(('', '', '&b ')))}{word}{draw(st.sampled_from(('', '', ' # c')))}\n"


def flow(draw: st.DrawFn, depth: int = 0) -> str:
    form = draw(st.integers(0, 2)) if depth < 2 else 0
    if form == 0:
        return draw(st.sampled_from(WORDS))
    parts = [flow(draw, depth + 1) for _ in range(draw(st.integers(0, 3)))]
    if form == 1:
        return f"[{', '.join(parts)}]"
    return "{" + ", ".join(f"{draw(KEYS)}: {part}" for part in parts) + "}"


@st.composite
def documents(draw: st.DrawFn, indent: int = 0) -> str:
    """A block of YAML, most often a valid one."""
    form = draw(st.integers(0, 3)) if indent < 6 else 0
    if form == 0:
        return draw(scalars(indent))
    if form == 1:
        return f" {flow(draw)}\n"
    blocks = [draw(documents(indent + 2)) for _ in range(draw(st.integers(1, 3)))]
    heads = [" " * indent + (f"{draw(KEYS)}:" if form == 2 else "-") for _ in blocks]
    return "\n" + "".join(head + block for head, block in zip(heads, blocks, strict=True))


@settings(max_examples=80, deadline=None)
@given(documents(), st.integers(0, 10**6), st.sampled_from(("", "", "", "\t", ":", " ", "\n", "#", "-", "'", "%", "!")))
def test_what_libyaml_reads_has_the_value_that_ruamel_gives_it(text, place, spoiled):
    place %= len(text)
    text = text[:place] + spoiled + text[place:]
    try:
        value = by_libyaml(text)
    except _Otherwise:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an anchor that is set anew
        assert same(value, by_ruamel(text)), text


#: Each map has the keys of the one before it twice.
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 40))


def large(characters: int) -> str:
    """A plain document of about so many characters: what hosts have."""
    host = 'host-{0}:\n  address: 10.0.0.1\n  port: {0}\n  tags: [web, "edge"]\n  up: true\n  note: some words\n'
    return "".join(host.format(number) for number in range(characters // len(host)))


def test_a_plain_document_is_libyamls_to_read_however_large():
    text = large(LIMIT)
    assert yaml.__with_libyaml__
    assert len(text) > LIMIT * 0.9
    part = large(LIMIT // 8)
    assert same(by_libyaml(part), by_ruamel(part))
    assert by_libyaml(text)["host-7"] == {
        "address": "10.0.0.1", "port": 7, "tags": ["web", "edge"], "up": True, "note": "some words",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text, value",
    [
        ("", None),
        ("# only this\n", None),
        ("on", Doubtful("on", "", True)),
        (
            "a: [yes, 'yes', No, y, yEs]",
            {"a": [Doubtful("yes", ""), "yes", Doubtful("No", ""), Doubtful("y", ""), "yEs"]},
        ),
        ("a: 010", {"a": Doubtful("010", "")}),
        ("a: 1_0", {"a": Doubtful("1_0", "")}),
        ("1: a\ntrue: b\nFalse: c", {1: "a", "true": "b", "false": "c"}),
        ("a: 0o17", {"a": 15}),
        ("a: 12:30:45", {"a": Doubtful("12:30:45", "", 45045)}),
        ("a: [1:30, '1:30', 1:60, -1:30.5]", {"a": [Doubtful("1:30", ""), "1:30", "1:60", Doubtful("-1:30.5", "")]}),
        ("a: 2024-05-01", {"a": "2024-05-01"}),
        ("a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 3", {"a": {"k": 1, "l": 2}, "b": {"k": 3, "l": 2}}),
        ("? a\n: b\n? [c]\n: d", None),
        ("a: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
        ("--- \na: 1\n...\n", {"a": 1}),
    ],
)
def test_both_readers_by_hand(text, value):
    if value is None and "?" in text:
        value = {"a": "b", ("c",): "d"}
    assert same(by_libyaml(text), value)
    assert same(by_ruamel(text), value)


@pytest.mark.parametrize(
    "text",
    [
        "%YAML 1.1\n---\na: on", "a:\t1", "a: x\x85", "a: x\u2028y", "\ufeffa: 1", "a: 1\rb: 2", "&a: 1", "a: !!str 1",
        "a: ! 1", "- >\n \n  x", "a: 1\n---\nb: 2", "a: [1", "a: *nobody", "a: 1\na: 2", "a: !!int", "a: \ud800",
        "[" * (DEPTH + 1) + "]" * (DEPTH + 1), "[[a]: b]: c",
    ],
)  # fmt: skip
def test_what_the_two_may_scan_or_refuse_differently_is_ruamels(text):
    with pytest.raises(_Otherwise):
        by_libyaml(text)


def test_a_directive_is_obeyed_and_lists_within_lists_are_read():
    assert value_of("%YAML 1.1\n---\na: on") == {"a": True}
    assert value_of("%YAML 1.1\n---\na: [010, 0b11, 1_000]") == {"a": [8, 3, 1000]}
    deep: Any = value_of("[" * (DEPTH + 1) + "]" * (DEPTH + 1))
    for _ in range(DEPTH):
        (deep,) = deep
    assert deep == []


@pytest.mark.parametrize(
    "text, words",
    [
        ("a: 1\na: 2", 'line 2: found duplicate key "a"'),
        ("a: !!int", "a value in it cannot be made"),
        ("[a: b]: 1", "a value in it cannot be made"),
        ("a: *nobody", "line 1: found undefined alias"),
        ("x" * (LIMIT + 1), f"at most {LIMIT} are read"),
        (MERGES, "10000 keys"),
    ],
    ids=["twice", "no number", "a map in a key", "no such anchor", "too long", "merged"],
)  # fmt: skip
def test_what_is_refused_is_refused_in_ruamels_words(text, words):
    with pytest.raises(NoYaml) as caught:
        value_of(text)
    assert words in str(caught.value)


def test_many_aliases_are_one_value_and_no_more():
    text = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    value = value_of(text)
    assert value["a59"][0] is value["a59"][1] is value["a58"]
