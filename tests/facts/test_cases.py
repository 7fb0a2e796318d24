"""Recorded answers of real hosts (data/facts/<fact>/<case>.json), read again: the values are written by hand.

A case holds `from` (what answered), `arguments`, `answer` (exit, out, err) and either `expected` (a value for each
argument; of a mapping or a list of things, `expected` names those that must be in it) or `error` (words of it).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infratest.errors import FactError
from infratest.facts.base import Answer
from infratest.outsiders import get, names
from infratest.record import Record

DATA = Path(__file__).parent.parent / "data" / "facts"
CASES = sorted(DATA.glob("*/*.json"))


def plain(value):
    """A value as JSON has it."""
    if isinstance(value, Record):
        return {name: plain(getattr(value, name)) for name in value._fields}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


def agrees(seen, expected):
    """Whether a value is as expected: of mappings, the keys that are named; of lists of mappings, each is there."""
    if isinstance(expected, dict):
        return isinstance(seen, dict) and all(key in seen and agrees(seen[key], expected[key]) for key in expected)
    if isinstance(expected, list) and expected and isinstance(expected[0], dict):
        return all(any(agrees(one, wanted) for one in seen) for wanted in expected)
    return seen == expected


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_recorded_answer_is_read_as_it_was_meant(path):
    case = json.loads(path.read_text(encoding="utf-8"))
    fact = get("fact", path.parent.name)()
    arguments = [tuple(argument) for argument in case["arguments"]]
    if "error" in case:
        with pytest.raises(FactError) as caught:
            fact.read(Answer(**case["answer"]), arguments)
        assert case["error"] in str(caught.value)
        return
    found = fact.read(Answer(**case["answer"]), arguments)
    assert list(found) == arguments
    for argument, expected in zip(arguments, case["expected"], strict=True):
        seen = plain(found[argument])
        assert agrees(seen, expected), f"{argument}: {seen}"
        assert "count" not in case or len(seen) == case["count"]


def test_every_fact_has_a_recorded_answer():
    assert {path.parent.name for path in CASES} == set(names("fact"))


@pytest.mark.parametrize("name", names("fact"))
@pytest.mark.parametrize(
    "answer",
    [
        Answer(exit=69, out="", err="the tool is missing"),
        Answer(exit=0, out="nonsense that\nno host answers\n"),
        Answer(exit=0, out=""),
        Answer(exit=2, out="", err="sh: syntax error"),
    ],
    ids=["no-tool", "nonsense", "nothing", "failed"],
)
def test_what_cannot_be_read_is_unknown_and_never_an_absence(name, answer):
    if name in ("command", "root-command"):
        return  # every answer of a user's command is a value
    arguments = [("one",), ("two",)]
    with pytest.raises(FactError):
        get("fact", name)().read(answer, arguments)


@pytest.mark.parametrize("name", names("fact"))
def test_an_answer_that_was_cut_off_is_unknown(name):
    if name in ("command", "root-command"):
        return
    with pytest.raises(FactError, match="cut off"):
        get("fact", name)().read(Answer(exit=0, out="", truncated=True), [("one",)])
