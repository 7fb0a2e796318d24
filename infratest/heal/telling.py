"""Heals that have made something worse: undone at once where they can be, and told, whatever ends a run meanwhile.

Asked by `afterwards`, which says of what was done before whether it has helped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import Any

from infratest.deadline import Deadline
from infratest.errors import HealError
from infratest.heal import verifying
from infratest.heal.acts import Acts
from infratest.heal.gates.situation import AHEAD
from infratest.heal.ladder import remedies
from infratest.heal.neighbours import Beside
from infratest.heal.paging import SECONDS, paged
from infratest.heal.records import TRIED, HealRecord
from infratest.heal.verdict import Sight
from infratest.heal.verifying import Unverified
from infratest.heal.ways import ENDING
from infratest.model import Result
from infratest.remedies.base import Remedy
from infratest.stack.declared import HealRule
from infratest.store import failures as counts

#: Seconds between two tries to tell people of the same.
TOLD_AGAIN = 60.0


class Telling(Acts):
    """One run of the engine, as it tells people how what was done has ended."""

    #: The rules by name, for what was done by any of them.
    _known: Mapping[str, HealRule] = {}

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        #: Why no verdict on what was done for a result can be given yet, by its id: nothing more is done for it then.
        self._unjudged: dict[str, str] = {}

    def _rule(self, one: Unverified) -> HealRule:
        """Return the rule by which it was done; where there is none of that name any more, one that does nothing."""
        return self._known.get(one.rule) or HealRule(name=one.rule)

    def _record(self, result: Result, rule: HealRule, one: Unverified) -> HealRecord:
        row = self._rows.get(result.id, counts.Row())
        return HealRecord(
            time=self._means.clock(), rule=rule, outcome=TRIED, gates=(), rung=one.rung, remedy=one.remedy,
            before=result.changed(state=one.was), problem=one.problem, after=result, later=True, drill=one.drill,
            earlier=row.problems(rule.confirm_of) if rule.confirm_of else (),
        )  # fmt: skip

    def _ended_here(self, record: HealRecord, seconds: float = inf) -> HealRecord:
        """Tell people, where this is the end of the ladder. Of a drill nobody is told.

        What has made something worse is noted until all of them were. Args: seconds: that this may take.
        """
        place, id, told, all_told = self._report.place, record.before.id, record, True
        if not record.drill:
            told, all_told = paged(record, self._means, self._audit, min(seconds, self._left() + ENDING))
        one = verifying.pending(self._state, place).get(id) if told.worse else None
        if one is not None and all_told:
            verifying.remove(self._state, place, id)
        elif one is not None:
            now = self._means.clock()
            verifying.keep(self._state, place, id, replace(one, told=now, telling=one.telling or now))
        return told

    def _told_worse(self, record: HealRecord, one: Unverified, sight: Sight, beside: Beside) -> HealRecord:
        """Undo a heal that has made a neighbour worse, where it can be, as the check would have that has done it."""
        record, words = replace(record, worse=sight.worse, beside=beside.seen), ""
        self._unjudged[record.before.id] = f"{one.remedy} has made {', '.join(sight.worse[:3])} worse"
        self._audit.told_worse(record, one.number)
        try:
            if not one.drill:  # before the undo, which may take minutes
                self._loses_by(record, one.number)
        finally:
            words = self._undone_since(record, one, beside)
        record = replace(record, beside=beside.seen, undone=words)
        self._audit.told_worse(record, one.number)
        self._tell(record)
        return self._ended_here(record)

    def _undone_since(self, record: HealRecord, one: Unverified, beside: Beside) -> str:
        """Undo it, and return what came of that, in words."""
        rule, result, remedy = record.rule, record.after or record.before, _remedy(record.rule, one)
        by = f"the healer: {', '.join(record.worse[:3])} is worse"
        if remedy is None:
            return f"not undone, the rule has changed since: {one.remedy} is no longer its rung {one.rung + 1}"
        try:
            done = self._taken_back(result, rule, remedy, one.number, by, lambda: self._rests(result, beside))
        except HealError as error:
            return self._not_undone(remedy, one.number, error)
        finally:
            if self._audit.undone(one.number):
                self._acts_on(result.host)
        beside.worse(Deadline(0.0))  # as they are since, for the report
        return f"undone, {done}"

    def _left_to_do(self, id: str, one: Unverified) -> None:
        """Do what a kill has left to do for one that is on record as having made something worse; undo nothing.

        People are told of it once all else is done.
        """
        self._unjudged[id] = f"people are yet to be told what {one.remedy} has made worse"
        told, lost = bool(self._audit.worse(one.number)[-1].get("undone")), one.lost or one.drill
        if (told and lost) or (self._means.drilled and not one.drill) or not self._left():
            return
        record = self._record_of_worse(id, one)
        if not lost:
            self._loses_by(record, one.number)
        if not told:
            self._audit.told_worse(record, one.number)
            self._tell(record)

    def tell_again(self) -> list[HealRecord]:
        """Tell people what was made worse, where not all of them could be told: at most once a minute, for an hour.

        All of that has the time that telling one has: a receiver that hangs holds up no look for longer, and nobody who
        waits for the stack's lock.
        """
        told, limit = list[HealRecord](), Deadline(SECONDS)
        waiting = verifying.pending(self._state, self._report.place)
        for id, one in sorted(waiting.items(), key=lambda each: each[1].told):
            if (self._means.drilled and not one.drill) or not self._audit.worse(one.number) or not self._due(one.told):
                continue
            if limit.passed or not self._left():
                break
            record = replace(self._record_of_worse(id, one), known=one.told > 0)
            told.append(self._ended_here(record, limit.left))
            if one.telling and self._over(one.telling):
                verifying.remove(self._state, self._report.place, id)
        return told

    def _due(self, told: float) -> bool:
        return not 0 <= self._means.clock() - told < TOLD_AGAIN

    def _over(self, telling: float) -> bool:
        now = self._means.clock()  # what is in the future is of a clock that was set back since
        return now >= telling + self._means.limits.verify or telling > now + AHEAD

    def _record_of_worse(self, id: str, one: Unverified) -> HealRecord:
        """Return the record of one that is known to have made something worse, with what is known of its undo."""
        rule, found = self._rule(one), self._audit.worse(one.number)[-1]
        undone = str(found.get("undone") or "")
        if not undone:  # what has found that was killed
            why, remedy = HealError("the run that found it had ended before"), _remedy(rule, one)
            undone = self._audit.undone(one.number) or self._not_undone(remedy, one.number, why)
        shown = next((each for each in (*self._report.ways, *self._report.results) if each.id == id), None)
        if shown is None or shown.host in self._acted_on:
            shown = self._look(result_of(id, one.was))
        return replace(self._record(shown, rule, one), worse=tuple(map(str, found["worse"])), undone=undone)


def _remedy(rule: HealRule, one: Unverified) -> Remedy | None:
    """Return the remedy that was applied; None where the rule has another one there by now."""
    ladder = remedies(rule) if rule.do else []
    found = ladder[one.rung] if one.rung < len(ladder) else None
    return found if found is not None and found.describe() == one.remedy else None


def result_of(id: str, state: str) -> Result:
    """Return a result that may be of no scenario any more, by its id alone."""
    scenario, _, host = id.rpartition("@")
    feature, _, slug = scenario.partition("#")
    return Result(id, feature, slug, 0, host, state)
