"""What waits for a person's approval, as a monitor that heals tells it: until it is done, denied, or well without it.

A gate that closes for a moment, as when others are yet to be looked at, says nothing of a proposal: it waits on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from infratest.cleaning import clean
from infratest.heal import proposals
from infratest.heal.proposals import EXPIRY, WAITING
from infratest.heal.records import PROPOSED, REFUSED, HealRecord
from infratest.model import Place, Result
from infratest.stack.declared import HealRule
from infratest.states import OK, SKIPPED, WAIVED
from infratest.store.directory import StateDir


@dataclass(frozen=True)
class _Waiting:
    """One that waits. until: when it is over if no look has renewed it by then, in seconds since the epoch."""

    remedy: str
    proposal: str
    until: float


class Approvals:
    """The proposals that wait, by the id of the result that each is for."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}

    def recall(
        self, state: StateDir, place: Place, rules: Iterable[HealRule], fails: Callable[[str], bool], now: float
    ) -> None:
        """Take in what an earlier life left waiting. Raises StateError.

        One that has expired meanwhile is made anew by a look to come, and has the time for that.

        Args:
            fails: whether a result fails still, as far as is known, and there is a rule for it. now: as all times here
            in seconds since the epoch.
        """
        names = {rule.name for rule in rules}
        for one in reversed(proposals.every(state, place)):
            id = str(one.says.get("result"))
            if one.state == WAITING and one.says.get("rule") in names and fails(id):
                self._waiting[id] = _Waiting(str(one.says.get("remedy")), one.id, now + EXPIRY)

    def decided(
        self, state: StateDir, place: Place, results: Iterable[Result], records: Sequence[HealRecord], now: float
    ) -> None:
        """Take in how results are now, and what was decided about them. Raises StateError: a proposal is unreadable."""
        decisions = {record.before.id: record for record in records}  # the last of each
        asked: set[str] = set()
        for result in results:
            decision = decisions.get(result.id)
            if decision is not None and decision.outcome == PROPOSED and decision.proposal:
                self._waiting[result.id] = _Waiting(decision.remedy, decision.proposal, now + EXPIRY)
            elif result.state not in (OK, SKIPPED, WAIVED) and (decision is None or decision.outcome == REFUSED):
                asked.add(result.id)
            else:
                self._waiting.pop(result.id, None)
        if asked := asked & self._waiting.keys():
            open = {one.id for one in proposals.every(state, place) if one.state == WAITING}
            for id in asked:
                if self._waiting[id].proposal not in open or self._waiting[id].until <= now:
                    del self._waiting[id]

    def fit(self, fails: Callable[[str], bool]) -> None:
        """Forget those of what fails no longer, or has no rule any longer."""
        self._waiting = {id: one for id, one in self._waiting.items() if fails(id)}

    @property
    def words(self) -> list[str]:
        """Each in words, by the ids."""
        return [f"{clean(one.remedy, 500)} for {id} ({one.proposal})" for id, one in sorted(self._waiting.items())]
