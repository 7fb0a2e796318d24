"""What was never seen for real says so: a fact whose values are all written by hand, and every sentence about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infratest.gherkin.sentence import CHECK
from infratest.gherkin.unseen import unseen
from infratest.gherkin.vocabulary import vocabulary
from infratest.outsiders import get, names

DATA = Path(__file__).parent.parent / "data" / "facts"
#: How cases begin that nobody recorded: `by hand after ...`, and answers that were broken on purpose.
BY_HAND = ("by hand", "made by hand", "a ", "an ", "another ")


def recorded(folder: Path) -> list[str]:
    """Return what answered the cases of a fact that hold values and were recorded."""
    cases = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    return [case["from"] for case in cases if "expected" in case and not case["from"].startswith(BY_HAND)]


#: No host is asked for these: what is seen of them on real servers has tests of its own.
FROM_HERE = {
    "drill": "tests/cli/test_drill.py",
    "heartbeat": "tests/monitor/test_stored.py",
    "metric": "tests/monitor/test_stored.py",
    "monitor": "tests/cli/test_ready_made_monitor.py",
    "load-test": "tests/acts/test_load_test.py",
    "page": "tests/facts/test_page.py",
}


@pytest.mark.parametrize("name", [name for name in names("fact") if name not in FROM_HERE])
def test_a_fact_whose_values_are_all_written_by_hand_bears_the_mark(name):
    seen = recorded(DATA / name)
    assert bool(get("fact", name).unseen) == (not seen), seen


def test_every_sentence_about_such_a_fact_bears_it_too():
    sentences = [one for one in vocabulary().sentences if one.kind == CHECK]
    marked = {one.pattern: unseen(one) for one in sentences}
    assert "bonding.rst" in marked['the bond "{name}" exists']
    assert marked['the file "{path}" exists'] == ""
    never = {words for name in names("fact") if (words := get("fact", name).unseen)}
    assert never <= set(marked.values())
