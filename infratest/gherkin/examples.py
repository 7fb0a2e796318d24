"""A sentence as people are shown it: the opposite of its example, and what it may have besides.

Called by `infratest steps` and by the pages.
"""

from __future__ import annotations

import re

from infratest.gherkin.sentence import Sentence
from infratest.gherkin.vocabulary import vocabulary

#: What of a pattern may be left out; the same as a word of its own; what stands there for a value.
LEFT_OUT = re.compile(r"\[([^]]*)\]")
OPTIONAL = re.compile(r"\[ ([^\[\]]+)\]")
PLACE = re.compile(r"\{(\w+)(?::\w+)?\}")
#: Of a few placeholders one word alone is taken.
ONE_WORD = {"trusted": "any", "followed": "redirects", "answers": "answers"}


def opposite(sentence: Sentence) -> str:
    """Return the negation with the values of the example in it, without what that leaves out; empty without one.

    Of an example that is itself the negation, what it denies.
    """
    if not sentence.negation:
        return ""
    match = vocabulary().match(sentence.example)
    if match is None:
        raise ValueError(f"the example of a sentence is none: {sentence.example}")
    values = match.groups

    def kept(part: re.Match[str]) -> str:
        return part[1] if all(name in values for name in PLACE.findall(part[1])) else ""

    pattern = sentence.pattern if match.negated else sentence.negation
    return PLACE.sub(lambda place: values.get(place[1], place[0]), LEFT_OUT.sub(kept, pattern))


def options(sentence: Sentence) -> tuple[str, ...]:
    """Return what may stand in a sentence and need not, as one writes it: with capitals for the values."""
    return tuple(
        PLACE.sub(lambda place: ONE_WORD.get(place[1], place[1].upper()), part)
        for part in OPTIONAL.findall(sentence.pattern)
    )
