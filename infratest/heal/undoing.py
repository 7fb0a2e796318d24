"""A heal undone: what a remedy says of its undo, and the doing, on record before it is begun and at most once.

Called by the heal engine where a neighbour is worse, and by `infratest heal undo ID`. Whatever came of it, the rule has
lost its autonomy: a heal that somebody had to take back was none.
"""

from __future__ import annotations

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import HealError, InfratestError
from infratest.heal.audit import Audit
from infratest.model import Result
from infratest.remedies.base import Remedy, Surroundings, Undoes

#: Seconds that an undo has at least, whatever is left of a check's own time.
LEAST = 30.0


def can_undo(remedy: Remedy) -> bool:
    """Whether a remedy, with the options that it has, can be undone."""
    return isinstance(remedy, Undoes) and bool(remedy.undo_words())


def undo_words(remedy: Remedy) -> str:
    """Return what undoing a remedy would be, or that there is none and why."""
    return remedy.undo_words() if isinstance(remedy, Undoes) and remedy.undo_words() else f"none: {remedy.no_undo}"


def undo(
    remedy: Remedy, result: Result, surroundings: Surroundings, audit: Audit, number: str, by: str, now: float
) -> str:
    """Undo a try, and return what was done, in words.

    Args:
        number: of the try. by: who wants it, and why.
    Raises:
        HealError: it has no undo, was undone before, or could not be undone.
    """
    if not isinstance(remedy, Undoes) or not remedy.undo_words():
        raise HealError(f"{remedy.describe()} has no undo: {remedy.no_undo}")
    before = audit.undone(number)
    if before:
        raise HealError(f"{remedy.describe()}: {before}; nothing is undone twice")
    audit.undo(number, by, now)
    try:
        outcome = remedy.undo(result, surroundings, Deadline(max(LEAST, remedy.seconds)))
    except InfratestError as error:
        audit.undo_ended(number, f"could not be undone: {error}", now)
        raise HealError(f"could not be undone: {clean(str(error), 300)}") from error
    audit.undo_ended(number, outcome.words, now)
    return outcome.words
