"""What of an evidence people are shown: a user's own command's words, or the few lines of a table that matter.

Called by the outputs and faces for people. Programs get an evidence whole, in the report.
"""

from __future__ import annotations

import re

from infratest.cleaning import clean
from infratest.model import Evidence

#: Facts whose evidence is a user's own command's words.
OWN_WORDS = ("command", "root-command")
#: Lines of one evidence, without and with -v.
LINES = (8, 40)
LINE_LIMIT, OUTPUT_LIMIT = 180, 20000
#: What a sentence asks for: its texts in quotes, its numbers.
ASKED_FOR = re.compile(r'"([^"]+)"|\b(\d+)\b')
#: How a text ends that was cut.
CUT = "…"


def is_own(evidence: Evidence) -> bool:
    """Whether it is what a command of the user's own printed, which only the user can read."""
    return evidence.fact in OWN_WORDS


def lines(evidence: Evidence, verbosity: int = 0, sentence: str = "") -> list[str]:
    """Return an evidence's output for people, each line cut and cleaned; what was left out is said.

    Of a table of ours that is too long, the lines are shown that hold a word that was asked for.

    Args:
        sentence: what it is evidence for, whose words in quotes and numbers tell what was asked for.
    """
    every = clean(evidence.output, OUTPUT_LIMIT, lines=True).splitlines()
    most = LINES[min(verbosity, 1)]
    if len(every) <= most:
        return [clean(line, LINE_LIMIT, lines=True) for line in every]
    if verbosity or is_own(evidence):
        left_out = f"… {len(every) - most} more lines"
        return [*(clean(line, LINE_LIMIT, lines=True) for line in every[:most]), left_out]
    # The first word of what was asked is the fact's name.
    words = [*evidence.command.split()[1:], *(quoted or number for quoted, number in ASKED_FOR.findall(sentence))]
    about = [clean(line, LINE_LIMIT, lines=True) for line in every if any(word in line for word in words)]
    shown = f"{min(len(about), most)} of them shown" if about else f"none with {' or '.join(dict.fromkeys(words))}"
    number = f"the first {len(every)}" if evidence.output.endswith(CUT) else str(len(every))
    return [*about[:most], f"… {number} lines{f', {shown}' if words else ''}; -v shows more"]
