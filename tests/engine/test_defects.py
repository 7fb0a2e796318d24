"""A bug in a fact makes that fact unknown and ends nothing else; a bug of ours is unknown too, never a traceback."""

from __future__ import annotations

import pytest

from infratest.collect.asked import Ask, Facts, questions
from infratest.collect.script import Question
from infratest.engine.apart import defects_told
from infratest.engine.judge import judge
from infratest.errors import FactError, InfratestError, UserError
from infratest.facts.base import Answer, Fact, Need
from infratest.gherkin.binding import bind
from infratest.gherkin.patterns import as_written
from infratest.gherkin.suite import Line
from infratest.gherkin.vocabulary import vocabulary
from infratest.plan.tasks import CheckStep, Look


class Broken(Fact):
    """Breaks at what it is told to."""

    def __init__(self, at: str) -> None:
        self.at = at

    def ask(self, arguments):
        if self.at == "ask":
            raise ValueError(f"no {arguments}")
        return "true\n"

    def read(self, answer, arguments):
        return {} if self.at == "nothing" else {arguments[0]: 1 / 0}


def test_a_snippet_that_cannot_be_made():
    facts = Facts()
    good, bad = Ask(Broken("read"), (Need("good", ("a",)),)), Ask(Broken("ask"), (Need("bad", ("b",)),))
    assert questions("web", [bad, good], facts, 6) == [(good, Question("true\n", 5))]
    assert str(facts.at("web")[Need("bad", ("b",))]) == "a bug in the fact bad: ValueError: no (('b',),)"


@pytest.mark.parametrize(
    "at, words",
    [("read", "a bug in the fact f: ZeroDivisionError: division by zero"), ("nothing", "f gave no answer for 'a'")],
)
def test_an_answer_that_cannot_be_read(at, words):
    facts = Facts()
    facts.answered("web", Ask(Broken(at), (Need("f", ("a",)),)), Answer(out="", err="", exit=0), 0.1)
    failure = facts.at("web")[Need("f", ("a",))]
    assert isinstance(failure, FactError)
    assert str(failure) == words


def test_what_was_never_asked_is_unknown_and_no_bug_of_the_check():
    text = 'the command "cat" exits 0'
    match = vocabulary().match(text)
    assert match is not None
    binding = bind(match, as_written)
    step = CheckStep(
        Line("then", "Then", text, 1, match), (Look("web", "web", binding.built, None),), False, None, binding.tail
    )
    verdict = judge(step, Facts(), "critical")
    assert verdict.state == "unknown"
    assert verdict.reason == "command was not looked at: the run's time was over before it; give it more: --timeout"


def test_a_defect_is_told_and_an_error_stays_what_it_is():
    @defects_told
    def work(error: BaseException) -> None:
        raise error

    with pytest.raises(UserError, match=r"^wrong$"):
        work(UserError("wrong"))
    with pytest.raises(InfratestError, match=r"^a defect in infratest: KeyError: 'x' \(test_defects.py:\d+\); -vv "):
        work(KeyError("x"))
    with pytest.raises(KeyboardInterrupt):
        work(KeyboardInterrupt())
    with pytest.raises(OSError, match="full"):
        work(OSError("full"))
