"""What stands behind a sentence: its own question and answer, for a snippet answers for many at once."""

from __future__ import annotations

import json
from pathlib import Path

from infratest.collect.asked import Ask, Facts
from infratest.errors import FactError
from infratest.facts.base import Answer, Need
from infratest.facts.database import DatabaseFact

CASE = Path(__file__).parents[1] / "data/facts/database/debian-12-mariadb-10.11.json"


def test_the_evidence_of_one_statement_says_nothing_of_the_others() -> None:
    case = json.loads(CASE.read_text(encoding="utf-8"))
    needs = tuple([Need("database", tuple(argument)) for argument in case["arguments"]])
    facts = Facts()
    facts.answered("db-1", Ask(DatabaseFact(), needs), Answer(**case["answer"]), 0.1)
    values = facts.at("db-1")
    failed = [need for need in needs if isinstance(values[need], FactError)]
    assert len(failed) > 1
    for need in failed:
        evidence = facts.evidence("db-1", need)
        assert evidence is not None
        assert evidence.command == f"database {' '.join(need.argument)}"
        assert evidence.output == str(values[need])
        assert not [other for other in failed if other != need and str(values[other]) in evidence.output]


def test_an_answer_that_cannot_be_read_at_all_is_shown_as_it_came() -> None:
    need = Need("database", ("postgresql://db/shop", "SELECT 1"))
    facts = Facts()
    facts.answered("db-1", Ask(DatabaseFact(), (need,)), Answer(2, "", "sh: 3: Syntax error\n"), 0.1)
    evidence = facts.evidence("db-1", need)
    assert evidence is not None
    assert (evidence.exit, evidence.output) == (2, "sh: 3: Syntax error")
