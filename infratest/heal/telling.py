"""Heals that have made something worse: undone at once where they can be, and told, whatever ends a run meanwhile.

Asked by `afterwards`, which says of what was done before whether it has helped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from infratest.deadline import Deadline
from infratest.errors import HealError
from infratest.heal import verifying
from infratest.heal.acts import Acts
from infratest.heal.ladder import remedies
from infratest.heal.neighbours import Beside
from infratest.heal.paging import paged
from infratest.heal.records import TRIED, HealRecord
from infratest.heal.verdict import Sight
from infratest.heal.verifying import Unverified
from infratest.heal.ways import ENDING
from infratest.model import Result
from infratest.remedies.base import Remedy
from infratest.stack.declared import HealRule
from infratest.store import failures as counts


class Telling(Acts):
    """One run of the engine, as it tells people how what was done has ended."""

    #: The rules by name, for what was done by any of them.
    _known: Mapping[str, HealRule] = {}

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        #: Why no verdict on what was done for a result can be given yet, by its id: nothing more is done for it then.
        self._unjudged: dict[str, str] = {}

    def _record(self, result: Result, rule: HealRule, one: Unverified) -> HealRecord:
        row = self._rows.get(result.id, counts.Row())
        return HealRecord(
            time=self._means.clock(), rule=rule, outcome=TRIED, gates=(), rung=one.rung, remedy=one.remedy,
            before=result.changed(state=one.was), problem=one.problem, after=result, later=True, drill=one.drill,
            earlier=row.problems(rule.confirm_of) if rule.confirm_of else (),
        )  # fmt: skip

    def _ended_here(self, record: HealRecord) -> HealRecord:
        """Tell people, where this is the end of the ladder. Of a drill nobody is told.

        What has made something worse is noted until all of them were.
        """
        if record.drill:
            told, all_told = record, True
        else:
            told, all_told = paged(record, self._means, self._audit, self._left() + ENDING)
        if told.worse and all_told:
            verifying.remove(self._state, self._report.place, told.before.id)
        return told

    def _told_worse(self, record: HealRecord, one: Unverified, sight: Sight, beside: Beside) -> HealRecord:
        """Undo a heal that has made a neighbour worse, where it can be, as the check would have that has done it."""
        record = replace(record, worse=sight.worse, beside=beside.seen)
        self._audit.told_worse(record, one.number)
        if not one.drill:  # before the undo, which may take minutes
            self._loses(record.rule, _made_worse(record))
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

    def _to_be_told(self, id: str, one: Unverified, shown: Result | None) -> list[HealRecord]:
        """Do what is left to do for one that is on record as having made something worse; undo nothing any more.

        Args:
            shown: what it was for, by the report.
        """
        rule, found = self._known.get(one.rule), self._audit.worse(one.number)
        if (self._means.drilled and not one.drill) or not self._left():
            return []
        began, worse = float(found[0]["time"]), tuple(map(str, found[-1]["worse"]))
        over = self._means.clock() >= began + self._means.limits.verify
        if rule is None or id.rpartition("@")[2] not in self._means.hosts:
            verifying.remove(self._state, self._report.place, id)
            return []
        self._unjudged[id] = f"people are yet to be told what {one.remedy} has made worse"
        record = replace(self._record(shown or self._look(result_of(id, one.was)), rule, one), worse=worse)
        if not one.drill and self._means.granted(rule) <= began:
            self._loses(rule, _made_worse(record))
        undone = str(found[-1].get("undone") or "")
        if not undone:  # what has found that was killed
            why, remedy = HealError("the run that found it had ended before"), _remedy(rule, one)
            undone = self._audit.undone(one.number) or self._not_undone(remedy, one.number, why)
        record = replace(record, undone=undone)
        if not found[-1].get("undone"):
            self._audit.told_worse(record, one.number)
            self._tell(record)
        told = self._ended_here(record)
        if over:
            verifying.remove(self._state, self._report.place, id)
        return [told]


def _remedy(rule: HealRule, one: Unverified) -> Remedy | None:
    """Return the remedy that was applied; None where the rule has another one there by now."""
    ladder = remedies(rule)
    found = ladder[one.rung] if one.rung < len(ladder) else None
    return found if found is not None and found.describe() == one.remedy else None


def _made_worse(record: HealRecord) -> str:
    return f"a heal of {record.before.id} by {record.remedy} made {record.worse[0]} worse"


def result_of(id: str, state: str) -> Result:
    """Return a result that may be of no scenario any more, by its id alone."""
    scenario, _, host = id.rpartition("@")
    feature, _, slug = scenario.partition("#")
    return Result(id, feature, slug, 0, host, state)
