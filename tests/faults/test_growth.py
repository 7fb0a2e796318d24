"""Twice the project is twice the work: of lint, of a plan, of a run, of a check with its plan kept and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worlds.calls import calls
from tests.worlds.small_project import write

#: Sizes that double. What lies between two of them doubles too if the work is linear, and grows fourfold if the work
#: is the square; that one call for each pair is seen needs no more than these.
SIZES = (50, 100, 200)
LINEAR, SEEN = 2.0, 0.1


def scenarios(folder: Path, number: int, hosts: int = 1) -> Path:
    """Write a project of so many scenarios, in two features."""
    files = {"stack.yaml": f"stack: one\nprovider: local\nhosts: {{web: {{count: {hosts}}}}}\nfeatures: [features]\n"}
    for part in ("a", "b"):
        text = f"Feature: {part}\n"
        for one in range(number // 2):
            text += f'  Scenario: {part}{one}\n    Then the file "/nowhere/{part}{one}" does not exist\n'
            text += '    And the user "root" exists\n'
            text += f'    And the memory is less than 100 % used, named "m{part}{one}"\n'
        files[f"features/{part}.feature"] = text
    return write(folder, files)


def assert_linear(counts: list[int]) -> None:
    first, second = counts[1] - counts[0], counts[2] - counts[1]
    assert first > 0
    assert second <= (LINEAR + SEEN) * first, counts


@pytest.mark.parametrize("words", [("infratest", "lint"), ("infratest", "plan"), ("infratest", "test")], ids=" ".join)
def test_work_is_as_much_as_there_are_scenarios(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert_linear([calls(scenarios(tmp_path / str(number), number), *words) for number in SIZES])


def test_so_is_that_of_a_check_with_its_plan_kept_and_without(tmp_path: Path) -> None:
    first, kept = [], []
    for number in SIZES:
        folder = scenarios(tmp_path / str(number), number)
        first.append(calls(folder, "check_infratest"))
        assert list((folder / "home").rglob("plans/*"))
        calls(folder, "check_infratest")  # the first that finds a history of its own
        kept.append(calls(folder, "check_infratest"))
    assert_linear(first)
    assert_linear(kept)
    assert kept[2] < first[2] / 3  # what was planned is not planned again


def test_a_plan_is_as_much_work_as_there_are_hosts(tmp_path: Path) -> None:
    assert_linear([calls(scenarios(tmp_path / str(number), 4, hosts=number), "infratest", "plan") for number in SIZES])
