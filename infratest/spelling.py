"""Whether a word is another one misspelt: for tags, columns and values that would else be taken for text. Pure."""

from __future__ import annotations

from collections.abc import Iterable

#: From so many letters on, one letter in place of another is a slip; before, it is another word: `rest` and `test`.
LONG = 6


def slip_of(word: str, known: Iterable[str], *, strict: bool = False) -> str:
    """Return the known word that this one is misspelt from, or an empty text; a known word is no slip.

    A slip is another case, one letter too many, too few, in place of another or swapped with its neighbour; in longer
    words two of these.

    Args:
        strict: short words that differ by one letter in place of another are two words.
    """
    known = list(known)
    if word in known:
        return ""
    for each in known:
        near, short = each.lower(), min(len(word), len(each)) < LONG
        if word.lower() == near:
            return each
        if strict and short and len(word) == len(each) and sorted(word.lower()) != sorted(near):
            continue
        if _edits(word.lower(), near) <= (1 if short else 2):
            return each
    return ""


def _edits(first: str, second: str) -> int:
    """Return how many slips lead from one word to the other (Damerau's and Levenshtein's distance, adjacent swaps)."""
    rows = [list(range(len(second) + 1))]
    for place, letter in enumerate(first, 1):
        row = [place]
        for at, other in enumerate(second, 1):
            least = min(rows[-1][at] + 1, row[at - 1] + 1, rows[-1][at - 1] + (letter != other))
            if place > 1 and at > 1 and (letter, first[place - 2]) == (second[at - 2], other):
                least = min(least, rows[-2][at - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]
