"""Where the healer puts its proposals, and finds what people have answered: waiting, approved once, or denied.

Called by the heal engine under the lock of proposals, when nothing but a person's word is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from infratest.cleaning import clean, masked
from infratest.errors import InfratestError
from infratest.heal import chain, proposals
from infratest.heal.gates import Situation
from infratest.heal.proposals import DENIED, REPLACED, USED, WAITING, Proposal
from infratest.heal.records import HealRecord
from infratest.model import Place, Result
from infratest.stack.declared import HealRule
from infratest.states import OK
from infratest.store.directory import StateDir

#: The gate that a denial closes.
PROPOSAL = "proposal"


@dataclass(frozen=True)
class Answered:
    """What came of asking: the proposal's id, who has approved it, or who has denied it and why."""

    id: str
    approved: str = ""
    denied: str = ""


class Desk:
    """The proposals of one place.

    Args:
        keys: the trusted public ones. reads: asked of a rule, a rung and a host for the digests of what that would read
        from this machine.
    """

    def __init__(
        self,
        state: StateDir,
        place: Place,
        keys: Collection[str],
        reads: Callable[[HealRule, int, str], Mapping[str, str]] = lambda rule, rung, host: {},
    ) -> None:
        self._state, self._place, self._keys, self._reads = state, place, keys, reads

    def answered(self, record: HealRecord, rule: HealRule, situation: Situation) -> Answered:
        """Return what people have said of this act; where it is new, propose it. An approval is used by `use` alone.

        Raises:
            StateError: a proposal cannot be read or kept.
        """
        now = situation.now
        says, reason = _says(record, rule, situation), clean(record.before.reason, 500)
        says["reads"] = self._read(record, rule)
        wanted = proposals.proposed(self._place, says, _gates(record), now, reason)
        known = proposals.every(self._state, self._place)
        for one in known:
            if one.state == DENIED and one.same_problem == wanted.same_problem:
                return Answered(one.id, denied=f"proposal {one.id} was {one.answer}; it rests until this is well again")
        mine = next((one for one in known if one.digest == wanted.digest and one.state == WAITING), None)
        for other in known:
            if other.state == WAITING and other.digest != wanted.digest and _of_same(other, wanted):
                proposals.save(self._state, replace(other, state=REPLACED, answer=f"by {wanted.id}"))
        if mine is None:
            proposals.forget_old(self._state, self._place, now)
            proposals.save(self._state, wanted)
            return Answered(wanted.id)
        return self._of(mine, wanted, rule, now)

    def _read(self, record: HealRecord, rule: HealRule) -> dict[str, str]:
        """Return the digests of what would be run from here, so that what is edited later is another proposal."""
        try:
            return dict(self._reads(rule, record.rung, record.before.host))
        except InfratestError as error:
            return {"": f"cannot be read: {clean(str(error), 500)}"}

    def use(self, id: str, approvers: int, now: float) -> str:
        """Use an approval, right before what it is of is begun; return why it cannot be, empty where it is used now.

        However often it is approved, and whatever ends this run, it acts once. Raises StateError.
        """
        one = next((one for one in proposals.every(self._state, self._place) if one.id == id), None)
        if one is None or len(self._people(one, now)) < max(1, approvers):
            return f"proposal {id} is approved no longer: {(one and one.answer) or 'it is over'}"
        proposals.save(self._state, replace(one, state=USED))
        return ""

    def _people(self, one: Proposal, now: float) -> list[str]:
        """Return who has approved one that still waits."""
        return proposals.people(one.approvals, one.digest, self._keys, now) if one.waits(now) else []

    def _of(self, mine: Proposal, wanted: Proposal, rule: HealRule, now: float) -> Answered:
        people = self._people(mine, now)
        if len(people) >= max(1, rule.approvers):
            return Answered(mine.id, approved=" and ".join(people))
        if not people:
            # What has expired unanswered is asked anew; an approval that came too late goes with it.
            proposals.save(self._state, replace(wanted, made=mine.made if mine.waits(now) else now))
        return Answered(mine.id)


def _says(record: HealRecord, rule: HealRule, situation: Situation) -> dict[str, Any]:
    """Return all that is approved: what, where, against what, by which rule as it now is, and which try of it this is.

    What was measured is no part of it: a disk that fills up by another tenth of a percent is the same problem.
    """
    tries = [one for one in situation.tries if one.rule == rule.name and one.host == record.before.host]
    remedy, argument = rule.do[record.rung]
    return {
        "rule": rule.name,
        "result": record.before.id,
        "host": record.before.host,
        "problem": record.problem,
        "state": record.before.state,
        "fails": _expected(record.before),
        "rung": record.rung,
        "remedy": clean(record.remedy, 500),
        "act": f"{remedy}: {clean(str(argument), 500)}",
        "of": chain.digest(masked(str(rule)).encode("utf-8", "backslashreplace")),
        "try": len(tries) + 1,
        "approvers": rule.approvers,
    }


def _expected(result: Result) -> list[list[str]]:
    """Return the sentences that do not hold, each with the limits that it sets."""
    return [
        [clean(step.text, 500), *(f"{one.name}: {one.warning}, {one.critical}" for one in step.observations)]
        for step in result.steps
        if step.state != OK
    ]


def _gates(record: HealRecord) -> list[dict[str, Any]]:
    return [{"name": one.name, "passed": one.passed, "reason": clean(one.reason, 500)} for one in record.gates]


def _of_same(one: Proposal, other: Proposal) -> bool:
    return (one.says.get("rule"), one.says.get("result")) == (other.says.get("rule"), other.says.get("result"))
