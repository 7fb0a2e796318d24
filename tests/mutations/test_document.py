"""Faults of values in documents: what a sentence says of one does not hold any more of what its fault makes of it."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest

from infratest.acts.base import Act
from infratest.collect.asked import Facts
from infratest.engine.judge import judge
from infratest.facts.document import Document
from infratest.gherkin.binding import bind
from infratest.gherkin.patterns import as_written
from infratest.gherkin.sentence import CHECK
from infratest.gherkin.suite import Line
from infratest.gherkin.vocabulary import vocabulary
from infratest.mutations._edited_file import DocumentAct
from infratest.mutations.base import Claim
from infratest.mutations.choice import fault
from infratest.plan.tasks import CheckStep, Look
from infratest.structured_text import parsed

TEXT = """
a.b: 'x"y'
1: one
true: yes
db: {host: 10.0.0.2, port: 80, tls: true, none: null, ratio: 1.5}
hosts: [web-1, web-2, 3]
empty: {}
servers:
  - {port: 80, role: primary, log: info}
  - {port: 9000, role: replica, log: info}
'*': {'a[0]': star}
"""
#: Each holds of the text.
HOLDING = [
    r'has "a\.b"', r'has "a\.b" equal to "x\"y"', r'has "a\.b" not equal to "xy"', r'has "a\.b" matching "y$"',
    'has "1" equal to "one"', 'has "true" equal to "yes"', 'has "db.port" equal to "80"',
    'has "db.tls" equal to "true"', 'has "db.none" equal to "null"', 'has "db.none" not equal to "80"',
    'has no "db.debug"', 'has no "empty.x.y"', 'has no "db.host.x"', 'has no "hosts.x"', 'has no "hosts[7]"',
    'has no "hosts.3.name"', 'has no "db.none.x"', 'has no "servers[-3].log"', 'has no "db.ports[1]"',
    'has "db.host" matching "^10[.]"', 'has "db.host" not matching "^192"',
    'has "db.port" at most 80', 'has "db.port" more than 79', 'has "db.ratio" between 1 and 1.5',
    'has "db.ratio" less than 1.6', 'has "hosts" containing "web-2"', 'has "hosts" containing "3"',
    'has "hosts" not containing "web-3"', 'has "db.host" containing "0.0"', 'has "db.host" not containing "x"',
    'has exactly 3 "hosts"', 'has at most 0 "empty"', 'has at least 2 "servers"', 'has "hosts[-1]" equal to "3"',
    'has "servers.1.port" at least 9000', r'has "\*.a\[0\]"', 'has every "servers.*.log" equal to "info"',
    'does not have every "servers.*.role" equal to "primary"',
    'has every "servers[*].role" matching "^(primary|replica)$"', 'does not have every "hosts" matching "^web"',
    'has every "servers.*.port" at most 9000', 'has every "servers.*.port" at least 80',
    'has exactly 1 "servers.*.role" equal to "primary"', 'has exactly 0 "servers.*.log" equal to "debug"',
    'has at least 2 "hosts" matching "^web-"', 'has at most 1 "servers.*.role" equal to "replica"',
]  # fmt: skip


def state(text: str, document: str) -> str:
    """Return the state of a sentence about a file that holds this."""
    match = vocabulary().match(text)
    assert match is not None, text
    binding, facts = bind(match, as_written), Facts()
    facts.at("host")[binding.built.asked] = Document(there=True, text=document)
    look = Look("host", "host", binding.built, binding.measure)
    line = Line("then", "Then", text, 1, match)
    return judge(CheckStep(line, (look,), match.negated, binding.threshold, binding.tail), facts, "critical").state


def act_of(text: str) -> Act | str:
    match = vocabulary().match(text)
    assert match is not None, text
    binding = bind(match, as_written)
    return fault(Claim(binding.built, match.negated, binding.threshold.critical if binding.threshold else None))


@pytest.mark.parametrize("name", ["/etc/x.yml", '/etc/x.conf" as YAML'])
@pytest.mark.parametrize("claim", HOLDING)
def test_what_a_sentence_says_does_not_hold_of_what_its_fault_makes(claim: str, name: str) -> None:
    text = f'the file "{name}" {claim}' if " as " not in name else f'the file "{name} {claim}'
    assert state(text, TEXT) == "ok"
    act = act_of(text)
    assert isinstance(act, DocumentAct), act
    before = parsed(TEXT, "YAML")
    broken = json.dumps(act.edit(deepcopy(before)))
    assert state(text, broken) == "critical", broken
    assert before == parsed(TEXT, "YAML")


def test_every_sentence_about_a_file_of_json_has_a_fault() -> None:
    """But for what always holds; of another format, none is known."""
    of_files = [each for each in vocabulary().sentences if each.kind == CHECK and each.module == "document"]
    examples = [example for each in of_files if (example := each.example).startswith('the file "/etc/app.yml"')]
    assert len(examples) >= 10
    assert [text for text in examples if not isinstance(act_of(text), Act)] == []
    assert "only values in files of JSON and YAML" in str(act_of('the file "/etc/app.ini" has "a.b" equal to "c"'))
    assert act_of('the file "/etc/app.yml" has at least 0 "hosts"') == "each number is in the bound"
