"""`neighbours:` of a rule: scenarios that must not be worse after a heal than they were just before it.

Looked at directly before the act, and after it until they are as before, or the time that a remedy is given to take
effect is over. What cannot be looked at before, or is not there at all, lets nothing be done; what was removed since
is asked no more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InfratestError
from infratest.heal.rules import WAY
from infratest.model import Result
from infratest.stack.declared import HealRule
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WAIVED, WARNING

if TYPE_CHECKING:
    from infratest.heal.means import Means

#: The gate that the engine asks.
NEIGHBOURS = "neighbours"
#: Seconds between two looks.
PAUSE = 1.0
#: What stands for the host in the id of a result of the whole stack.
WHOLE = "-"
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
        self._sought = False
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
        self.seen, self.unseen = (), False
        while self.before:
            try:
                results = tuple(self._means.rerun([*self.before]).results)
            except InfratestError:
                results = ()
            now = _ranks(results)
            missing = self.before.keys() - now.keys()
            if missing and self._without_gone(missing):
                continue
            found = tuple(id for id, rank in self.before.items() if now.get(id, rank) > rank)
            if not (found or missing) or deadline.passed:
                self.seen = tuple(one for one in results if one.id in found)
                self.unseen = bool(missing) and not found
                return found
            time.sleep(min(PAUSE, deadline.left))
        return ()

    def _without_gone(self, missing: Collection[str]) -> bool:
        """Leave out those that are there no longer, of which nobody will ever know; return whether there are any.

        That is asked once: features are read for it.
        """
        if self._sought:
            return False
        self._sought = True
        planned = cache(self._means.planned)  # many of them are of one feature
        gone = {id for id in missing if why_gone(id, self._means.hosts, planned)}
        self.before = {id: rank for id, rank in self.before.items() if id not in gone}
        return bool(gone)


def why_gone(id: str, hosts: Container[str], planned: Callable[[str], Collection[str] | None]) -> str:
    """Return why a result is of nothing that is still there, in words; empty where it may be, or nobody can say.

    It may be skipped now, or of a feature that only some checks name. Args: planned: as `Means.planned`.
    """
    host = id.rpartition("@")[2]
    if host not in hosts and host != WHOLE:
        return "its host is of the stack no longer"
    if id.startswith(WAY):
        return ""
    try:
        ids = planned(id.partition("#")[0])
    except InfratestError:  # a feature that cannot be read is not gone
        return ""
    return "" if ids is None or id in ids else "its scenario is there no longer"


def _ranks(results: Iterable[Result]) -> dict[str, int]:
    return {one.id: RANKS[UNKNOWN] if one.blocked_by is not None else RANKS[one.state] for one in results}
