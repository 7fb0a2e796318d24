r"""Cells arrive as Gherkin writes them: below a sentence, below a step of one's own, and below `Examples:`."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.quoting import unescaped
from tests.worlds import forked

#: What stands in a cell -> what it is.
CELLS = {
    r"a\|b": "a|b", r"a\\b": r"a\b", r"a\\\|b": r"a\|b", r"a\\nb": r"a\nb", r"\d+": r"\d+", r"a\ b": r"a\ b",
    r"C:\\ ": "C:\\", r"\\\\": "\\\\", "a b": "a b", r"\|": "|",
}  # fmt: skip


@pytest.mark.parametrize("written, meant", CELLS.items())
def test_a_cell_below_a_sentence_and_below_examples_is_what_gherkin_says(parsed, written, meant):
    feature = parsed(f"""
Feature: f
  Scenario: s
    Then these files exist:
      | /tmp/{written} |
    And the file "/x" contains "<text>" for each of:
      | text |
      | {written} |
  Scenario Outline: o
    Then the file "/<name>x" exists
    Examples:
      | name |
      | {written} |
""")
    first, second = feature.scenarios
    paths = [unescaped(first.lines[0].match.groups["path"]), second.lines[0].match.groups["path"]]
    assert paths == [f"/tmp/{meant}", f"/{meant}x"]
    assert unescaped(first.lines[1].match.groups["text"]) == meant


def test_headings_are_cells_too(parsed):
    feature = parsed("""
Feature: f
  Scenario: s
    Then the file "<a|b>" exists for each of:
      | a\\|b |
      | /x |
""")
    assert feature.scenarios[0].lines[0].match.groups["path"] == "/x"


def test_a_line_break_in_a_cell_is_one(parsed):
    feature = parsed("""
Feature: f
  Scenario: s
    Then the command "<command>" exits 0 for each of:
      | command |
      | true\\nfalse |
""")
    assert feature.scenarios[0].lines[0].match.groups["command"] == "true\nfalse"


def test_a_step_of_ones_own_is_handed_the_cells(tmp_path: Path) -> None:
    """By each face that reads features."""
    (tmp_path / "stack.yaml").write_text("stack: s\nprovider: local\nhosts: {here: {}}\n")
    (tmp_path / "features/steps").mkdir(parents=True)
    (tmp_path / "features/steps/own.py").write_text(
        "from behave import then\n"
        "@then('the cells are right')\n"
        "def right(context):\n"
        "    cells = [*context.table.headings, *context.table.rows[0].cells]\n"
        "    assert cells == ['a|b', 'c', 'a\\\\b', 'a\\\\|b'], cells\n"
    )
    (tmp_path / "features/x.feature").write_text(
        "Feature: f\n  Scenario: s\n    Then the cells are right\n      | a\\|b | c |\n      | a\\\\b | a\\\\\\|b |\n"
    )
    (tmp_path / "behave.ini").write_text("[behave]\nrunner = infratest.behave_runner:Runner\npaths = features\n")
    for program in (("infratest", "test"), ("behave",), ("pytest", "-p", "no:cacheprovider")):
        done = forked.run(program[1:], program=program[0], cwd=tmp_path)
        assert done.returncode == 0, (program, done.stdout + done.stderr)
