"""Hosts of the provider `fake` as a stack file scripts them, by what `infratest schema` says of its options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.worlds.shop_stack import Place

FEATURE = 'Feature: f\n  Scenario: s\n    Then the command "echo here" prints "here"\n'


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    (tmp_path / "x.feature").write_text(FEATURE)
    return place


def scripted(place: Place, **transport: object) -> None:
    provider = {"name": "fake", "world": "world", "transport": transport}
    place.write(f"stack: shop\nprovider: {json.dumps(provider)}\nhosts: {{web: {{}}}}\n")


def test_what_is_asked_is_recorded_and_its_line_can_be_answered(place: Place) -> None:
    scripted(place, otherwise="run", record=str(place.folder / "asked.jsonl"))
    place.run("up")
    place.run("run", "web", "echo machine")
    asked = [json.loads(line) for line in (place.folder / "asked.jsonl").read_text().splitlines()]
    (line,) = {one["command"] for one in asked if "echo machine" in one.get("command", "")}
    scripted(place, otherwise="run", answers={line: {"stdout": "scripted\n", "exit": 3}})
    assert place.run("run", "web", "echo machine", status=3)[0] == "web | scripted\n"
    assert place.run("run", "web", "echo other")[0] == "web | other\n"


@pytest.mark.parametrize(
    ("transport", "status", "words"),
    [
        ({"otherwise": "run", "fail": {"open": "unreachable"}}, 2, "web: open fails as scripted (unreachable)"),
        ({"otherwise": "run", "fail": {"open": "access-refused"}}, 3, "web: open fails as scripted (access-refused)"),
        ({"otherwise": "run", "answers": {"env *": {"hang": True}}}, 3, "no end within"),
        ({"otherwise": "run", "answers": {"env *": {"stdout": "x", "lost": True}}}, 3, "the connection ended"),
        ({"otherwise": "run"}, 0, "1 ok"),
    ],
)
def test_hosts_that_misbehave(place: Place, transport: dict[str, object], status: int, words: str) -> None:
    scripted(place, otherwise="run")
    place.run("up")
    scripted(place, **transport)
    assert words in place.run("test", "x.feature", "--timeout", "4s", status=status)[0]


def test_the_schema_says_what_can_be_scripted(place: Place) -> None:
    said = place.run("schema")[0]
    for word in ("answers", "stdout", "hang", "lost", "unreachable", "access-refused", "otherwise", "record"):
        assert word in said.partition("how its hosts answer: ")[2].partition('"\n')[0]
