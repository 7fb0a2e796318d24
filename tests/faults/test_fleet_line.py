"""The monitoring line of one service that stands for fifty hosts: no metric is missing, and none comes and goes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.worlds.shop_stack import Place

HOSTS = 50
FEATURE = """\
Feature: f
  Scenario: room
    Then the disk "/" is less than 100.5 % full, warning 100 %
    And the memory is less than 100.5 % used
    And the command "echo 42" prints a number less than 90, named "answer"
"""
OWN = ["scenarios", "failed", "unknown", "skipped", "blocked", "waived", "healed", "tries", "time"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write(
        "stack: fifty\nprovider: {name: fake, world: world, transport: {otherwise: run}}\n"
        f"hosts: {{web: {{count: {HOSTS}}}}}\nfeatures: [x.feature]\n"
    )
    (tmp_path / "x.feature").write_text(FEATURE)
    place.run("up")
    return place


def metrics(place: Place, status: int) -> dict[str, str]:
    """Return the values of a check's metrics by their labels, in their order."""
    line = place.run("check", "--timeout", "60s", status=status)[0].splitlines()[0]
    found = re.findall(r"('[^']+'|[^ ']+)=(U|[0-9.]+)", line.partition(" | ")[2])
    return {label.strip("'"): value for label, value in found}


def test_each_host_has_all_its_numbers_and_one_that_is_down_changes_no_label(place: Place) -> None:
    each = ["disk / used", "memory used", "answer"]
    labels = OWN + [f"web-{number}:{name}" for number in range(1, HOSTS + 1) for name in each]
    well = metrics(place, status=0)
    assert list(well) == labels
    assert (well["scenarios"], well["web-7:answer"]) == ("50", "42")
    for path in (place.folder / "world").glob("host-*.json"):
        one = json.loads(path.read_text())
        if one["name"] == "web-7":
            path.write_text(json.dumps(one | {"state": "stopped"}))
    down = metrics(place, status=2)
    assert list(down) == labels
    assert [down[name] for name in ("scenarios", "failed", "blocked", "web-7:answer", "web-8:answer")] == [
        "50", "1", "1", "U", "42",
    ]  # fmt: skip
