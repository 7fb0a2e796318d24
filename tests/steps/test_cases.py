"""What comes of a sentence on a host where this is so: data/checks/<subject>/<case>.json, written by hand.

A case holds `facts`, each as its name, its argument and its value as JSON has it, it may hold how many seconds ago
the `last run` was, or the `readings` of runs before (seconds ago, the number), and `sentences`: a text, and what comes
of it: a word, then words that a reader is shown, then the number that is looked at where there is one. For sentences
that compare hosts, `hosts` holds the facts of each, by its name.

    ok         it holds, and its negation does not
    critical   it does not hold, and its negation does
    neither    it does not hold, and its negation does not either: there is nothing that they could be about
    unknown    nobody can say, of its negation neither
    warning    it holds, and its warning value does not
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import sys
from pathlib import Path

import pytest

from infratest.collect.asked import Facts
from infratest.engine.judge import judge
from infratest.errors import InfratestError
from infratest.facts.base import Need
from infratest.gherkin.binding import bind
from infratest.gherkin.patterns import as_written
from infratest.gherkin.sentence import CHECK
from infratest.gherkin.suite import Line
from infratest.gherkin.vocabulary import vocabulary
from infratest.outsiders import get
from infratest.plan.tasks import CheckStep, Look
from infratest.record import Record

#: Seconds since the epoch, for readings of before.
NOW = 1_800_000_000.0
DATA = Path(__file__).parents[1] / "data" / "checks"
CASES = [
    (path, text, expected)
    for path in sorted(DATA.glob("*/*.json"))
    for text, expected in json.loads(path.read_text(encoding="utf-8"))["sentences"].items()
]
SENTENCES = [sentence for sentence in vocabulary().sentences if sentence.kind == CHECK]
NEGATED = {"ok": "critical", "critical": "ok", "neither": "critical", "unknown": "unknown", "warning": ""}


def values_of(fact: str) -> list[type]:
    """Return the classes that a fact has for its values: those that say their own words, in its file or folder."""
    modules = {base.__module__ for base in get("fact", fact).__mro__ if base.__module__.startswith("infratest.facts.")}
    for name in list(modules):
        inside = pkgutil.iter_modules(getattr(sys.modules[name], "__path__", []), f"{name}.")
        modules |= {each.name for each in inside}
    found = [one for name in modules for one in vars(importlib.import_module(name)).values()]
    return [one for one in found if isinstance(one, type) and "in_words" in vars(one)]


def value(fact: str, data: object) -> object:
    """Return a fact's value from JSON: a record by its fields, a table of them from a list, a mapping to them."""
    classes = values_of(fact)
    if isinstance(data, list):
        (table,) = {one for one in classes if issubclass(one, tuple)}
        return table(value(fact, one) for one in data)
    if not isinstance(data, dict):
        return data
    records = {
        one
        for one in classes
        if issubclass(one, Record) and "in_words" in vars(one) and data.keys() <= set(one._fields)
    }
    if not records:
        return {key: value(fact, one) for key, one in data.items()}
    (record,) = records
    return record(**{key: as_tuples(fact, one) for key, one in data.items()})


def as_tuples(fact: str, data: object) -> object:
    """Return a field's value: a list is a tuple, and what it holds may be records of the fact's own."""
    if not isinstance(data, list):
        return data
    return tuple(value(fact, one) if isinstance(one, dict) else as_tuples(fact, one) for one in data)


def judged(
    text: str,
    known: dict[str, dict[Need, object]],
    last_run: int | None = None,
    readings: list[list[float]] | None = None,
) -> tuple[str, str, float | None]:
    """Return the state of a sentence, what its check saw in words, and the number.

    Args:
        last_run: seconds since the last run of its scenario, where that is known. readings: of runs before.
    """
    match = vocabulary().match(text)
    assert match is not None, f"no sentence: {text}"
    binding = bind(match, as_written)
    check = binding.built if last_run is None else binding.built.since(last_run)
    if readings is not None:
        check = check.read_before(tuple((NOW - ago, number) for ago, number in readings), NOW, "")
    facts = Facts()
    for host, values in known.items():
        missing = set(check.needed) - set(values)
        assert not missing, f"{text}: the case has no {missing}"
        facts.at(host).update(values)
    line = Line("then", "Then", text, 1, match)
    looks = tuple(Look(host, host, check, binding.measure) for host in known)
    verdict = judge(CheckStep(line, looks, match.negated, binding.threshold, binding.tail), facts, "critical")
    try:
        seen = check.observe(next(iter(known.values())))
    except InfratestError as error:
        return verdict.state, f"{error} {verdict.reason}", None
    # Of several numbers, the one that is judged is known to the verdict alone.
    return verdict.state, f"{seen.saw} {verdict.reason}", seen.number if seen.least is None else verdict.number


def last_run(path: Path) -> int | None:
    """Return how long ago the last run was, where a case says so: `last run`, in seconds."""
    seconds: int | None = json.loads(path.read_text(encoding="utf-8")).get("last run")
    return seconds


def readings(path: Path) -> list[list[float]] | None:
    """Return what runs before have read, where a case says so."""
    found: list[list[float]] | None = json.loads(path.read_text(encoding="utf-8")).get("readings")
    return found


def known(path: Path) -> dict[str, dict[Need, object]]:
    case = json.loads(path.read_text(encoding="utf-8"))
    hosts = case["hosts"] if "hosts" in case else {"host": case["facts"]}
    return {
        host: {Need(fact, tuple(argument)): value(fact, data) for fact, argument, data in facts}
        for host, facts in hosts.items()
    }


@pytest.mark.parametrize("path, text, expected", CASES, ids=lambda each: each.stem if isinstance(each, Path) else None)
def test_what_comes_of_a_sentence(path, text, expected):
    word, words, *number = expected
    state, shown, seen = judged(text, known(path), last_run(path), readings(path))
    assert (state, word in NEGATED) == ({"neither": "critical"}.get(word, word), True), shown
    assert words in shown
    assert not number or seen == number[0]
    match = vocabulary().match(text)
    if match is not None and match.sentence.negation:
        assert judged(turned(text), known(path), last_run(path))[0] == NEGATED[word], turned(text)


def turned(text: str) -> str:
    """Return the negation of a sentence, with the same values; of a negation, the sentence."""
    match = vocabulary().match(text)
    assert match is not None
    other = match.sentence.pattern if match.negated else match.sentence.negation
    assert other is not None
    for part in re.findall(r"\[[^]]*\]", other):  # what may be left out
        kept = all(name in match.groups for name in re.findall(r"\{(\w+)", part))
        other = other.replace(part, part[1:-1] if kept else "")
    for name, said in match.groups.items():
        for placeholder in (f"{{{name}}}", f"{{{name}:word}}", f"{{{name}:number}}", f"{{{name}:time}}"):
            other = other.replace(placeholder, said)
    return other


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.pattern)
def test_every_sentence_has_a_case_in_which_it_holds_and_one_in_which_it_does_not(sentence):
    words = {
        expected[0]
        for _, text, expected in CASES
        if (match := vocabulary().match(text)) is not None and match.sentence is sentence
    }
    assert "ok" in words, f"no case in {DATA} in which it holds: {sentence.pattern}"
    assert words & {"critical", "neither"}, f"no case in {DATA} in which it does not hold: {sentence.pattern}"
