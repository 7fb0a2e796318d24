"""`Given where <a checking sentence>`: on which hosts a scenario is looked at at all. Called by parse.

    Given where the package "nginx" is installed
    Then the service "nginx" is running

`Given the hosts that run "debian"` is short for `Given where the host runs "debian"`, and so with what follows it.

A host on which the sentence does not hold has the scenario skipped, with what was seen; where that cannot be known, the
scenario is unknown there. It is asked together with what follows it: one round trip, as without it.
"""

from __future__ import annotations

from typing import Any

from infratest.errors import FeatureError
from infratest.gherkin.patterns import Match
from infratest.gherkin.sentence import ALL, CHECK
from infratest.gherkin.suite import GIVEN, Line
from infratest.gherkin.vocabulary import Vocabulary

WHERE, THAT_RUN = "where ", "the hosts that run "


def condition(step: Any, vocabulary: Vocabulary) -> Line | None:
    """Return the line of a step that is a condition, or is meant as one; None for all others.

    Args:
        step: behave's.
    """
    text = step.name.removeprefix(WHERE)
    if step.name.startswith(THAT_RUN):
        text = f"the host runs {step.name.removeprefix(THAT_RUN)}"
    if text == step.name or vocabulary.match(step.name) is not None:
        return None
    problem, match = "", None
    try:
        match = vocabulary.match(text)
        problem = _problem(step, text, match, vocabulary)
    except FeatureError as error:
        problem = str(error)
    if match is None and not problem:
        return None
    return Line(step.step_type, step.keyword, step.name, step.line, None if problem else match, "", problem, (), True)


def _problem(step: Any, text: str, match: Match | None, vocabulary: Vocabulary) -> str:
    """Return why it cannot be a condition, or an empty text."""
    if match is None:
        near = vocabulary.nearest(text)
        if not near:
            return ""
        return f"{step.name!r}: a condition is `where` and a checking sentence; did you mean: where {near}"
    if match.sentence.kind != CHECK:
        return f"{step.name!r}: a condition is `where` and a checking sentence, and this one changes or selects"
    if step.step_type != GIVEN:
        return f"{step.name!r} says where a scenario is looked at: it may only follow Given"
    for word, groups in (("within", ("within",)), ("for", ("during",)), ("a warning value", ("warning_low",))):
        if any(group in match.groups for group in groups):
            return f"{step.name!r} holds or does not, and is looked at once: leave out {word}"
    if match.quantifier != ALL:
        return f"{step.name!r} is asked of each host by itself: leave out how many hosts it holds on"
    return "" if step.text is None and step.table is None else f"{step.name!r} takes no text or table below it"
