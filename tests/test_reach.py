"""What others can ask can be asked here: each row of theirs is a sentence that is proven, or says why it is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from infratest.gherkin.vocabulary import vocabulary

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS))
try:
    import reach
finally:
    sys.path.remove(str(DOCS))

#: How many rows each tool has: those of its own documentation, counted by hand.
ROWS = {"testinfra": 25, "goss": 73, "serverspec": 48, "inspec": 142, "cucumber-nagios": 66}
#: How many rows of each have no sentence yet: to be lowered with each that gets one.
OPEN = {"testinfra": 0, "goss": 0, "serverspec": 0, "inspec": 0, "cucumber-nagios": 0}
#: InSpec's resources that may be left out, as products of other vendors or parts of other systems, or be asked by a
#: command alone; those that are about commands and what these get are so by themselves.
MOST_OUT = 45
COMMANDS = {"bash", "command", "ksh", "os_env"}
ALL = [(name, row) for name in reach.TOOLS for row in reach.tool(name).rows]


@pytest.mark.parametrize("name", reach.TOOLS)
def test_every_row_of_a_tool_is_there_once(name):
    names = [row.name for row in reach.tool(name).rows]
    assert len(names) == len(set(names)) == ROWS[name]


@pytest.mark.parametrize(("tool", "row"), ALL, ids=lambda one: one if isinstance(one, str) else one.name)
def test_a_row_has_sentences_that_are_proven_or_one_reason(tool, row):
    assert [bool(row.sentences), bool(row.elsewhere), bool(row.out), bool(row.open)].count(True) == 1
    for sentence in row.sentences:
        assert vocabulary().match(sentence), f"no sentence: {sentence}"
        assert reach.proof(sentence), f"nothing proves it: {sentence}"


@pytest.mark.parametrize("name", reach.TOOLS)
def test_what_is_not_there_yet_is_counted(name):
    assert sum(1 for row in reach.tool(name).rows if row.open) == OPEN[name]


def test_what_is_left_out_is_another_systems_or_another_vendors():
    inspec = reach.tool("inspec").rows
    assert sum(1 for row in inspec if row.out or (row.by_command() and row.name not in COMMANDS)) <= MOST_OUT
    assert not [row.name for row in reach.tool("cucumber-nagios").rows if row.out]
    assert {row.name for row in reach.tool("goss").rows if row.out} == {
        "registry: exists", "registry: value", "registry: type",
    }  # fmt: skip


def test_a_sentence_that_is_none_has_no_proof():
    assert reach.proof('the moon "Io" is full') == ""
