"""`neighbours:` of a rule: scenarios that must not be worse after a heal than they were just before it.

Looked at directly before the act, and after it until they are as before, or the time that a remedy is given to take
effect is over. What cannot be looked at before, or is not there at all, lets nothing be done.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InfratestError
from infratest.model import Result
from infratest.stack.declared import HealRule
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WAIVED, WARNING

if TYPE_CHECKING:
    from infratest.heal.means import Means

#: The gate that the engine asks.
NEIGHBOURS = "neighbours"
#: Seconds between two looks.
PAUSE = 1.0
#: From well to worst. What was not known before may be anything after.
RANKS = {OK: 0, WAIVED: 0, SKIPPED: 0, WARNING: 1, UNKNOWN: 2, CRITICAL: 3}


class Beside:
    """The neighbours of one result.

    Args:
        before: how they were just before the act, by id. problem: why nothing may be done, or empty.
    """

    def __init__(self, means: Means, before: Mapping[str, int], problem: str = "") -> None:
        self.before = before
        self.problem = problem
        self._means = means
        #: Those that are worse, as they were seen last.
        self.seen: tuple[Result, ...] = ()
        #: Whether the last look has seen nothing that is worse, and not all of them: nobody can tell.
        self.unseen = False

    @classmethod
    def now(cls, means: Means, rule: HealRule, healed: str) -> Beside:
        """Look at those of a rule, but for the result that is to be healed."""
        if not rule.neighbours:
            return cls(means, {})
        try:
            ids = [id for id in means.neighbours(rule) if id != healed]
            if not ids:
                return cls(means, {}, f"no scenario but the failed one is tagged {rule.neighbours!r}")
            before = _ranks(means.rerun(ids).results)
            missing = [id for id in ids if id not in before]
        except InfratestError as error:
            return cls(means, {}, f"what is beside it could not be looked at before: {clean(str(error), 200)}")
        return cls(means, before, f"{missing[0]} could not be looked at before" if missing else "")

    def worse(self, deadline: Deadline) -> tuple[str, ...]:
        """Return the ids of those that are worse now, and stay so until the deadline.

        What cannot be seen is looked at as long: `unseen` says whether it stays so.
        """
        if not self.before:
            return ()
        while True:
            try:
                results = tuple(self._means.rerun([*self.before]).results)
            except InfratestError:
                results = ()
            now = _ranks(results)
            found = tuple(id for id, rank in self.before.items() if now.get(id, rank) > rank)
            unseen = bool(self.before.keys() - now.keys())
            if not (found or unseen) or deadline.passed:
                self.seen = tuple(one for one in results if one.id in found)
                self.unseen = unseen and not found
                return found
            time.sleep(min(PAUSE, deadline.left))


def _ranks(results: Iterable[Result]) -> dict[str, int]:
    return {one.id: RANKS[UNKNOWN] if one.blocked_by is not None else RANKS[one.state] for one in results}
