"""What the other tools can ask, row by row, beside what is said for it here: the page `reach.md`, and its counts.

The rows are in peers/TOOL.toml: the tool's own name of what it asks, and one of

    a list of sentences        they ask it
    { elsewhere = "..." }      another part of infratest does it
    { out = "..." }            left out, and why
    { open = "..." }           not in this version: what is missing

A test holds that every sentence is one, that cases are written for it, and how many rows have one; and it counts those
that only a command of one's own asks.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from infratest.gherkin.vocabulary import vocabulary

HERE = Path(__file__).parent
CASES = HERE.parent / "tests/data/checks"
#: The tools, in the order of the page.
TOOLS = ("testinfra", "goss", "serverspec", "inspec", "cucumber-nagios")


class Row(NamedTuple):
    """One question of another tool.

    Args:
        name: what the tool calls it. sentences: how it is asked here. elsewhere, out, open: of each row without
        sentences just one says why there are none; the others are empty.
    """

    name: str
    sentences: tuple[str, ...] = ()
    elsewhere: str = ""
    out: str = ""
    open: str = ""

    def by_command(self) -> bool:
        """Return whether it is asked by a command alone, which whoever asks has to know and write."""
        return bool(self.sentences) and all(one.startswith('the command "') for one in self.sentences)


class Tool(NamedTuple):
    """A tool's questions.

    Args:
        title: its name. counts: what a row is, in the plural. rows: all it can ask.
    """

    title: str
    counts: str
    rows: tuple[Row, ...]

    def reached(self) -> int:
        """Return how many rows can be asked here."""
        return sum(1 for row in self.rows if row.sentences or row.elsewhere)


@cache
def tool(name: str) -> Tool:
    """Return what is known of a tool, by its file's name."""
    data = tomllib.loads((HERE / f"peers/{name}.toml").read_text(encoding="utf-8"))
    head = {key: data.pop(key) for key in ("title", "counts")}
    several = len(data) > 1
    rows = tuple(
        _row(f"{kind}: {each}" if several else each, value)
        for kind, part in data.items()
        for each, value in part.items()
    )
    return Tool(**head, rows=rows)


def _row(name: str, value: Any) -> Row:
    return Row(name, **value) if isinstance(value, dict) else Row(name, tuple(value))


@cache
def proofs() -> dict[str, str]:
    """Return of each sentence's form what proves it: its cases, and the oracle, or why that has no question of it."""
    sys.path.insert(0, str(HERE.parent))
    try:
        from tests.oracle.without import WITHOUT
    finally:
        sys.path.pop(0)
    found: dict[str, str] = {}
    for subject, text in _cases():
        match = vocabulary().match(text)
        if match is None:
            continue
        pattern = match.sentence.pattern
        oracle = WITHOUT.get(pattern)
        found.setdefault(pattern, f"cases `{subject}`, " + (f"not in the oracle: {oracle}" if oracle else "oracle"))
    return found


def _cases() -> Iterator[tuple[str, str]]:
    """Yield each sentence that has a case, with the folder of its cases."""
    for path in sorted(CASES.glob("*/*.json")):
        for text in json.loads(path.read_text(encoding="utf-8"))["sentences"]:
            yield path.parent.name, text


def proof(sentence: str) -> str:
    """Return what proves the sentence that a text is; an empty text if it is none or nothing does."""
    match = vocabulary().match(sentence)
    return proofs().get(match.sentence.pattern, "") if match else ""
