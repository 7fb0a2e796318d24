"""What tells whether a monitor watches under an id what a check would ask: by real stacks and features, planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.plan import digest
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from tests.engine.test_imports import scenarios
from tests.worlds import small_project

STACK = """\
stack: shop
provider: {name: existing, config: none}
parameters: {path: {type: string, default: /srv/shop}, at: {type: string, default: 192.0.2.7}}
hosts:
  web: {address: "{param.at}", groups: [web]}
  db: {address: 192.0.2.8}
"""
FEATURE = """\
Feature: f
  Scenario: s
    Given hosts in "web"
    Then the disk "{param.path}" is less than 80 % full, warning 70 %
"""
ID = "features/x.feature#s@web"
WAIVER = "waivers: [{id: 'features/x.feature#OF', until: 2999-01-01, why: it is known, by: ann}]\n"


def planned(folder: Path, stack: str = STACK, feature: str = FEATURE, **more: str) -> dict[str, str]:
    small_project.write(folder, {"stack.yaml": stack, "features/x.feature": feature})
    session = Session(stack_path=folder / "stack.yaml", parameters=more)
    return digest.digests(prepare(session, Request(face="check")).plan)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("80 %", "90 %"), ("70 %", "60 %"), (", warning 70 %", ""),
        ("Scenario: s", "@warning\n  Scenario: s"), ("{param.path}", "/"),
        ("    Then", '    Given where the file "/x" exists\n    Then'),
    ],
)  # fmt: skip
def test_a_scenario_that_asks_something_else_is_told_apart(tmp_path: Path, before: str, after: str):
    edited = FEATURE.replace(before, after)
    assert planned(tmp_path)[ID] != planned(tmp_path, feature=edited)[ID]


@pytest.mark.parametrize("more", [{"path": "/srv"}, {"at": "192.0.2.9"}])
def test_so_is_one_by_other_parameters(tmp_path: Path, more: dict[str, str]):
    assert planned(tmp_path)[ID] != planned(tmp_path, **more)[ID]


def test_so_is_one_whose_failure_is_waived(tmp_path: Path):
    before = planned(tmp_path)[ID]
    assert planned(tmp_path, STACK + WAIVER.replace("OF", "s"))[ID] != before
    other = FEATURE + '  Scenario: t\n    Given hosts in "web"\n    Then port 80 is listening\n'
    assert planned(tmp_path, STACK + WAIVER.replace("OF", "t"), other)[ID] == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Feature: f", "# said\n\nFeature: another title"),
        ("  Scenario: s", "  Scenario: t\n    Then port 80 is listening\n  Scenario: s"),
    ],
)
def test_one_that_asks_the_same_is_the_same(tmp_path: Path, before: str, after: str):
    edited = FEATURE.replace(before, after)
    found = planned(tmp_path)
    assert planned(tmp_path, feature=edited)[ID] == found[ID]
    assert planned(tmp_path, STACK.replace("192.0.2.8", "192.0.2.10"))[ID] == found[ID]


@pytest.mark.parametrize("more", ["sudo: true", "user: monitor", "port: 2222"])
def test_one_on_a_host_that_is_asked_as_somebody_else_is_told_apart(tmp_path: Path, more: str):
    other = STACK.replace("groups: [web]", f"groups: [web], {more}")
    assert planned(tmp_path)[ID] != planned(tmp_path, other)[ID]


def test_what_is_told_apart_by_is_the_same_in_each_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Of every sentence: where an object lies in memory, and in which order a set is, differ."""
    seen: list[str] = []

    def checksum(data: bytes) -> bytes:
        seen.append(data.decode())
        return data

    monkeypatch.setattr(digest, "checksum", checksum)
    feature = f"Feature: f\n{scenarios()}"
    assert len(planned(tmp_path, "stack: s\nprovider: local\nhosts: {here: {}}\n", feature)) == len(seen) > 50
    assert [text for text in seen if " at 0x" in text or "frozenset(" in text or "{'" in text] == []
