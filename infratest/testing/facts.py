"""What every fact must do: read recorded answers of real hosts, call unknown what it cannot read, and keep data data.

Recorded answers are JSON files in one folder a fact. Each holds `from` (what answered), `arguments` (a list of words
for each thing asked), `answer` (exit, out, err) and either `expected` (a value for each argument; of a mapping or a
list of things, those that must be in it) or `error` (words of the FactError). `count` is how many things a value holds.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infratest.errors import FactError, UserError
from infratest.facts.base import Answer, Fact
from infratest.record import Record

#: Answers that no fact may take for a value: no tool, words of something else, nothing, a shell that gave up.
UNREADABLE = (
    Answer(exit=69, out="", err="the tool is missing"),
    Answer(exit=0, out="nonsense that\nno host answers\n"),
    Answer(exit=0, out=""),
    Answer(exit=2, out="", err="sh: syntax error"),
)
#: Arguments as a feature may hold them: none of them may be more than a word.
HOSTILE = ("$(touch pwned)", "`touch pwned`", "'; touch pwned; '", "a b", "-rf", "*")


def plain(value: Any) -> Any:
    """Return a fact's value as JSON has it; of an argument that alone cannot be known, why: `{"error": words}`."""
    if isinstance(value, FactError):
        return {"error": str(value)}
    if isinstance(value, Record):
        return {name: plain(getattr(value, name)) for name in value._fields}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def agrees(seen: Any, expected: Any) -> bool:
    """Return whether a value is as expected: of mappings, the keys that are named; of lists of them, each is there."""
    if isinstance(expected, dict):
        return isinstance(seen, dict) and all(key in seen and agrees(seen[key], expected[key]) for key in expected)
    if isinstance(expected, list) and expected and isinstance(expected[0], dict):
        return all(any(agrees(each, one) for each in seen) for one in expected)
    return bool(seen == expected)


def read_recorded(fact: Fact, path: Path) -> None:
    """Read one recorded answer and compare it with what stands beside it. Raises AssertionError."""
    case = json.loads(path.read_text(encoding="utf-8"))
    arguments = [tuple(argument) for argument in case["arguments"]]
    if "error" in case:
        with pytest.raises(FactError) as caught:
            fact.read(Answer(**case["answer"]), arguments)
        assert case["error"] in str(caught.value), path
        return
    values = fact.read(Answer(**case["answer"]), arguments)
    assert list(values) == arguments, path
    for argument, expected in zip(arguments, case["expected"], strict=True):
        seen = plain(values[argument])
        assert agrees(seen, expected), f"{path}: {argument}: {seen}"
        assert "count" not in case or len(seen) == case["count"], path


class FactContract:
    """The suite. Two fixtures are asked for: `fact`, an instance; `recorded`, the folder of its recorded answers."""

    def test_recorded_answers_are_read_as_they_were_meant(self, fact: Fact, recorded: Path) -> None:
        paths = sorted(recorded.glob("*.json"))
        assert paths, f"{recorded} holds no recorded answer"
        for path in paths:
            read_recorded(fact, path)

    @pytest.mark.parametrize("answer", UNREADABLE, ids=["no-tool", "nonsense", "nothing", "failed"])
    def test_what_cannot_be_read_is_unknown_and_never_an_absence(self, fact: Fact, answer: Answer) -> None:
        if not fact.alone:  # every answer of a user's command is a value
            with pytest.raises(FactError):
                fact.read(answer, [("one",), ("two",)])

    def test_an_answer_that_was_cut_off_is_unknown(self, fact: Fact) -> None:
        if not fact.alone:
            with pytest.raises(FactError, match="cut off"):
                fact.read(Answer(exit=0, out="", truncated=True), [("one",)])

    @pytest.mark.parametrize("word", HOSTILE)
    def test_an_argument_is_a_word_and_nothing_else(self, fact: Fact, word: str, tmp_path: Path) -> None:
        if fact.alone:  # what it is asked is a command
            return
        try:
            snippet = fact.ask([(word,)])
        except (UserError, IndexError, ValueError):  # nobody can mean it, or it takes another number of words
            return
        subprocess.run(["sh", "-c", snippet], cwd=tmp_path, capture_output=True, timeout=30, check=False)
        assert list(tmp_path.iterdir()) == []
