"""A heal undone: what a remedy says of its undo, and the doing, on record before it is begun and at most once.

Called by the heal engine where a neighbour is worse, and by `infratest heal undo ID`. Whatever came of it, the rule has
lost its autonomy: a heal that somebody had to take back was none.
"""

from __future__ import annotations

from math import inf

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import HealError, InfratestError
from infratest.heal.audit import Audit
from infratest.model import Result
from infratest.remedies.base import Remedy, Surroundings, Undoes
from infratest.stack.declared import HealRule
from infratest.units import human

#: Seconds that an undo is begun with at least: one that is ended half-way can never be undone again.
LEAST = 30.0
#: Seconds of a look: the last one before the undo, at the scenario and at its neighbours, begins as its time ends.
LOOK = 5.0
#: Seconds that an act is begun with at least, where others are kept for its undo.
ACT = 10.0
#: Of the time of an act that proves itself, how much a second of that takes: a fifth is kept for taking itself back.
PROOF = 1.25


def can_undo(remedy: Remedy) -> bool:
    """Whether a remedy, with the options that it has, can be undone."""
    return isinstance(remedy, Undoes) and bool(remedy.undo_words())


def undo_words(remedy: Remedy) -> str:
    """Return what undoing a remedy would be, or that there is none and why."""
    return remedy.undo_words() if isinstance(remedy, Undoes) and remedy.undo_words() else f"none: {remedy.no_undo}"


def kept(remedy: Remedy, rule: HealRule, settle: float) -> float:
    """Return the seconds at the end of a run that an act of a rule leaves for its undo, and the looks before that.

    Args:
        settle: seconds that a remedy is given to take effect: for the healed scenario, and for its neighbours. What a
        rung has beyond the usual is not kept: a later check looks, and undoes.
    """
    return LEAST + 2 * (settle + LOOK) if rule.neighbours and can_undo(remedy) else 0.0


def longest(remedy: Remedy, settle: float) -> float:
    """Return the seconds that an act may take. Args: settle: as for `kept`; a part of an act that proves itself."""
    return remedy.seconds + (settle if remedy.proves else 0.0)


def least(remedy: Remedy, rule: HealRule, settle: float, usual: float) -> float:
    """Return the seconds of a run with which a remedy is begun at least, its undo included; as `kept`.

    Args:
        usual: seconds that one is given to take effect where nothing is said; `Remedy.least` goes by them.
    """
    after = kept(remedy, rule, min(settle, usual))
    own = remedy.least + (PROOF * max(0.0, settle - usual) if remedy.proves else 0.0)
    return after + max(own, ACT) if after else own


def undo(
    remedy: Remedy,
    result: Result,
    surroundings: Surroundings,
    audit: Audit,
    number: str,
    by: str,
    now: float,
    left: float = inf,
) -> str:
    """Undo a try, and return what was done, in words.

    Args:
        number: of the try. by: who wants it, and why. left: seconds until our own end.
    Raises:
        HealError: it has no undo, was undone before, could not be undone, or there is no time for it.
    """
    if not isinstance(remedy, Undoes) or not remedy.undo_words():
        raise HealError(f"{remedy.describe()} has no undo: {remedy.no_undo}")
    before = audit.undone(number)
    if before:
        raise HealError(f"{remedy.describe()}: {before}; nothing is undone twice")
    if left < LEAST:
        words = f"{human(left, 's')} of this run are left, and an undo is begun with {LEAST:g} s at least"
        raise HealError(f"{words}; --timeout gives it more")
    audit.undo(number, by, now)
    try:
        outcome = remedy.undo(result, surroundings, Deadline(min(left, max(LEAST, remedy.seconds))))
    except InfratestError as error:
        audit.undo_ended(number, f"{error}", now, failed=True)
        raise HealError(f"could not be undone: {clean(str(error), 300)}") from error
    audit.undo_ended(number, outcome.words, now)
    return outcome.words
