"""What of a sentence was never seen for real: no host was at hand that has it, so it was written after a description.

Shown by `infratest steps` and on the page of sentences. A sentence says so itself where it is a part of what it asks
(a tool among several, a system among several), and its fact where no real answer was ever recorded.
"""

from __future__ import annotations

from infratest.gherkin.binding import bind
from infratest.gherkin.patterns import as_written
from infratest.gherkin.sentence import CHECK, Sentence
from infratest.gherkin.vocabulary import vocabulary
from infratest.outsiders import get


def unseen(sentence: Sentence) -> str:
    """Return in words what was never seen for real of a sentence and of the facts that it asks; empty where all was."""
    told = [sentence.unseen]
    match = vocabulary().match(sentence.example) if sentence.kind == CHECK else None
    if match is not None and match.sentence.kind == CHECK:
        facts = dict.fromkeys(need.fact for need in bind(match, as_written).built.needs())
        told += [get("fact", fact).unseen for fact in facts]
    return "; ".join(words for words in dict.fromkeys(told) if words)
