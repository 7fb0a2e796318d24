"""A few of the oracle's questions, always the same ones, and every sentence held against them. All: `./run oracle`."""

from __future__ import annotations

import pytest

from infratest.gherkin.sentence import CHECK
from infratest.gherkin.vocabulary import vocabulary
from tests.oracle.asking import Asked, ask, forms_of, of_servers, subjects
from tests.oracle.ways import WAYS
from tests.oracle.without import WITHOUT

#: Questions by each way in, and which are drawn: `./run oracle --seed 7 --draw 100` asks alike.
DRAWN, SEED = 100, 7


@pytest.fixture(scope="module")
def asked() -> Asked:
    print(f"seed {SEED}")
    return ask(sorted({*subjects()} - {*of_servers()}), list(WAYS), DRAWN, SEED)


def test_every_answer_is_right_by_every_way_in(asked: Asked) -> None:
    assert asked.wrong == []
    assert set(asked.counts) == set(WAYS)


def test_every_form_of_every_checking_sentence_has_an_oracle_or_a_reason(asked: Asked) -> None:
    sentences = [sentence for sentence in vocabulary().sentences if sentence.kind == CHECK]
    forms = {form for one in sentences for form in (one.pattern, one.negation) if form}
    ours = asked.forms.union(*(forms_of(name) for name in of_servers()))
    assert forms - ours - WITHOUT.keys() == set(), "write their questions, in tests/oracle/subjects"
    assert WITHOUT.keys() & ours == set(), "they have an oracle by now: take them off the list"
    assert WITHOUT.keys() - forms == set(), "there is no such sentence any more"
    assert all(WITHOUT.values()), "each has its reason"
