"""A scenario that cannot be planned: every front end tells each sentence that stands in the way, and asks nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worlds.small_project import STACK, run, write

FEATURE = """Feature: f
  Scenario: s
    Then port 22 is listening on "wbe-1"
    And the command "touch asked" exits 0 on "db"
    And the file "{param.root}/x" exists on "db"
"""
FIRST = "unknown host 'wbe-1': did you mean 'web-1'? known are web-1, web-2, db"
SECOND = "{param.root}: unknown name 'root'"


@pytest.mark.parametrize(
    "words, status, places",
    [
        (("infratest", "test"), 3, ["features/a.feature:3", "features/a.feature:5"]),
        (("infratest", "check"), 3, [": line 3: ", "; line 5: "]),
        (("pytest", "-q"), 1, ["features/a.feature:3:", "features/a.feature:5:"]),
        (("behave", "--no-color"), 1, ["features/a.feature:3", "features/a.feature:5"]),
    ],
    ids=["test", "check", "pytest", "behave"],
)
def test_each_sentence_that_stands_in_the_way_is_told(tmp_path: Path, words, status, places):
    ini = "[behave]\nrunner = infratest.behave_runner:Runner\npaths = features\n"
    write(tmp_path, {"stack.yaml": STACK, "features/a.feature": FEATURE, "behave.ini": ini})
    done = run(tmp_path, *words)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == status
    assert FIRST in said
    assert SECOND in said
    assert [place for place in places if place not in said] == []
    assert not (tmp_path / "asked").exists()
