"""Why a run could not begin, mistake by mistake: each with the file and line that it names, where it names one.

Called by the outputs: what is wrong with features, a stack file or steps comes as one text, a mistake a line.
"""

from __future__ import annotations

import re

from infratest.record import Record
from infratest.units import counted

MOST = 50

#: How a message begins that is about a line of a file: FILE:LINE: WORDS.
PLACED = re.compile(r"""(?P<file>[^:"'\n]+):(?P<line>\d+): (?P<words>.+)""")


class Mistake(Record):
    """One mistake; `file` is empty and `line` 0 where it names none. `text` is the whole of its line."""

    text: str
    words: str
    file: str = ""
    line: int = 0


def mistakes(problem: str) -> list[Mistake]:
    """Return the mistakes of a report's `problem`, in order; there is one where it says anything at all."""
    lines = [text for text in problem.splitlines() if text.strip()] or [problem] * bool(problem)
    return [_mistake(text) for text in lines]


def first_mistakes(problem: str) -> list[Mistake]:
    """Return the first MOST mistakes, and behind them in words how many more there are."""
    every = mistakes(problem)
    more = f"and {counted(len(every) - MOST, 'more mistake')}"
    return [*every[:MOST], Mistake(more, more)] if len(every) > MOST else every


def _mistake(text: str) -> Mistake:
    placed = PLACED.match(text)
    if placed is None:
        return Mistake(text, text)
    return Mistake(text, placed["words"], placed["file"], int(placed["line"]))
