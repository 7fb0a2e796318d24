"""Heals that a check before had no time to verify: what this one has seen tells whether they helped.

A part of the heal engine, between its acts and its decisions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import inf
from typing import Any

from infratest.errors import HealError, InfratestError
from infratest.heal import verifying
from infratest.heal.acts import Acts
from infratest.heal.gates.situation import AHEAD
from infratest.heal.ladder import remedies
from infratest.heal.looking import well
from infratest.heal.neighbours import Beside
from infratest.heal.paging import paged
from infratest.heal.pause import paused_until
from infratest.heal.records import TRIED, HealRecord
from infratest.heal.rules import WAY
from infratest.heal.verifying import Unverified
from infratest.heal.ways import ENDING
from infratest.model import Result
from infratest.stack.declared import HealRule
from infratest.states import SKIPPED, UNKNOWN, WAIVED
from infratest.store import failures as counts
from infratest.units import human


class Afterwards(Acts):
    """One run of the engine, as it judges what was done before it."""

    #: The rules by name, for what was done by any of them.
    _known: Mapping[str, HealRule] = {}

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        #: Why no verdict on what was done for a result can be given yet, by its id: nothing more is done for it then.
        self._unjudged: dict[str, str] = {}

    def verified_now(self, looked: float) -> list[HealRecord]:
        """Say of each heal that could not be verified in its time what this report shows of it.

        Args:
            looked: when the report was made, in seconds since the epoch.
        """
        env, told = self._report.env, list[HealRecord]()
        verifying.tidy(self._state, env, self._means.clock())
        waiting = verifying.pending(self._state, env)
        # A way into a host that stands in nobody's way is no result: the run tells it beside them.
        for result in {one.id: one for one in (*self._report.ways, *self._report.results)}.values():
            told += self._judged(result, looked) if result.id in waiting else []
        return [*told, *self._never_seen()]

    def _judged(self, result: Result, looked: float, usual: float = -inf) -> list[HealRecord]:
        """Say of a heal that waits to be verified what a result shows of it; nothing where none does, or it waits on.

        Args:
            looked: when the result was seen, in seconds since the epoch. usual: seconds that it has to take effect
            where its rule says nothing.
        """
        one = verifying.pending(self._state, self._report.env).get(result.id)
        if one is None or not self._tells(result, one, looked):
            return []
        rule = self._known.get(one.rule) if result.host in self._means.hosts else None
        if rule is not None and not well(result) and looked < self._takes_effect(rule, one.rung, one.ended, usual):
            return []
        beside, due = Beside(self._means, {}), one.ended
        if rule is not None:
            beside = Beside(self._means, one.beside)
            due += rule.settle(one.rung, self._means.limits.settle)
        left = max(0.0, due - self._means.clock())
        late = left > self._means.limits.looking  # as long as that nobody waits: a later report tells
        # What is worse must stay so for as long as ever: one look alone may have come at a bad moment.
        worse, over = self._worse(beside, 0.0 if late else max(left, self._means.limits.settle))
        rests = worse and not (over or late) and self._rests(result, one, beside)
        if over or (worse and (late or rests)):
            made = f"what {one.remedy} has made worse is not to be undone now, so that nothing more is done"
            unseen = f"it is not known yet how what is beside it is since {one.remedy}"
            self._unjudged[result.id] = made if rests else unseen
            return []
        if worse and rule is not None:
            told = [self._told_worse(result, rule, one, worse, beside)]
        else:
            told = self._told(result, rule, one, looked)
        # Last, so that the next check judges it, whatever ends this run before that.
        verifying.remove(self._state, self._report.env, result.id)
        return [replace(record, seen=looked) for record in told]

    def _rests(self, result: Result, one: Unverified, beside: Beside) -> bool:
        """Whether what is worse says nothing now, or nothing may be done about it: who is at work there may cause it.

        An undo is an act. It waits for what any other one waits for, and so does what it would cost the rule.
        """
        now, means = self._means.clock(), self._means
        rests = paused_until(self._state, now, means.resume) is not None or not means.witness()[0]
        if not rests and not means.drilled:
            rests = any(means.suppressed(each) for each in (result, *beside.seen))
        if rests:
            verifying.keep(self._state, self._report.env, result.id, replace(one, rests=now))
        return rests

    def _never_seen(self) -> Iterator[HealRecord]:
        """Yield what nobody could see so long after its deadline: it ends as not verified, and waits no longer.

        Its scenario is in no check any more, or no check had the time to look at what is beside it. Of one whose
        scenario or host is gone nobody ever will, and that is nobody's fault: it ends at once, and costs nothing.
        """
        now = self._means.clock()
        for id, one in verifying.pending(self._state, self._report.env).items():
            due, rule = self._audit.until(one.number, one.ended), self._known.get(one.rule)
            within = self._means.limits.verify + (rule.settle(one.rung, 0.0) if rule is not None else 0.0)
            if self._means.drilled and not one.drill:
                continue
            gone = self._gone(id, one)
            if now < max(due, one.rests) + within and not gone:
                continue
            words = gone or f"nobody could see within {human(within, 's')} after it whether it helped"
            self._audit.told(one, False, now, words, gone=bool(gone))
            if rule is not None:
                self._settled(id, rule, one, False)
                record = replace(self._record(_result(id, one.was), rule, one), after=None, error=words)
                if not one.drill and not gone:
                    self._loses(rule, f"of a heal of {id} by {one.remedy} {words}")
                self._tell(record)
                yield record if gone else self._ended_here(record)
            verifying.remove(self._state, self._report.env, id)

    def _gone(self, id: str, one: Unverified) -> str:
        """Return why what a heal was for is never looked at again: its host or its scenario is no longer there.

        Empty where it may be, as where it is skipped now.
        """
        if any(result.id == id for result in self._report.results):
            return ""
        if id.rpartition("@")[2] not in self._means.hosts:
            return "its host is of the stack no longer"
        now = self._means.clock()
        if id.startswith(WAY) or now <= max(one.ended, one.sought) + self._means.limits.report_age:
            return ""  # what was done just now is only not looked at in this run
        # Not in every run, or at each turn of a monitor: its feature is read for this.
        verifying.keep(self._state, self._report.env, id, replace(one, sought=now))
        try:
            ids = self._means.planned(id.partition("#")[0])
        except InfratestError:  # a feature that cannot be read is not gone
            return ""
        return "" if id in ids else "its scenario is there no longer"

    def _told(self, result: Result, rule: HealRule | None, one: Unverified, looked: float) -> list[HealRecord]:
        helped, now = well(result), self._means.clock()
        if helped and self._rows.get(result.id, counts.Row()).last <= looked:
            self._settle(result.id, looked)  # as where its own run has seen that
        self._audit.told(one, helped, now, f"now {result.state}")
        if rule is None:
            return []
        self._settled(result.id, rule, one, helped)
        if not helped and not one.drill:
            self._loses(rule, f"a heal of {result.id} did not help")
        record = self._record(result, rule, one)
        self._tell(record)
        return [self._ended_here(record)]

    def _ended_here(self, record: HealRecord) -> HealRecord:
        """Tell people, where what a later check has found is the end of the ladder. Of a drill nobody is told."""
        return record if record.drill else paged(record, self._means, self._audit, self._left() + ENDING)

    def _told_worse(
        self, result: Result, rule: HealRule, one: Unverified, worse: tuple[str, ...], beside: Beside
    ) -> HealRecord:
        """Undo a heal that has made a neighbour worse, where it can be, as the check would have that has done it."""
        record = replace(self._record(result, rule, one), worse=worse, beside=beside.seen)
        if not one.drill:  # before the undo, which may take minutes: it is known by now
            self._loses(rule, f"a heal of {result.id} by {one.remedy} made {worse[0]} worse")
        try:
            words = self._undone_since(result, rule, one, worse)
        except BaseException:
            if self._audit.undone(one.number):  # else the next check judges it, and undoes
                self._audit.told_worse(replace(record, undone="its undo was begun, and ended half-way"), one.number)
            raise
        if words.startswith("undone"):
            self._worse(beside, 0.0)  # as they are since, for the report
        record = replace(record, beside=beside.seen, undone=words)
        self._audit.told_worse(record, one.number)
        self._tell(record)
        return self._ended_here(record)

    def _undone_since(self, result: Result, rule: HealRule, one: Unverified, worse: tuple[str, ...]) -> str:
        """Undo it and return what came of that, in words."""
        ladder = remedies(rule)
        if one.rung >= len(ladder) or ladder[one.rung].describe() != one.remedy:
            return f"not undone, the rule has changed since: {one.remedy} is no longer its rung {one.rung + 1}"
        self._acts_on(result.host)
        by = f"the healer: {', '.join(worse[:3])} is worse"
        try:
            return f"undone, {self._taken_back(result, rule, ladder[one.rung], one.number, by)}"
        except HealError as error:
            return f"not undone, {error}"

    def _record(self, result: Result, rule: HealRule, one: Unverified) -> HealRecord:
        row = self._rows.get(result.id, counts.Row())
        return HealRecord(
            time=self._means.clock(), rule=rule, outcome=TRIED, gates=(), rung=one.rung, remedy=one.remedy,
            before=result.changed(state=one.was), problem=one.problem, after=result, later=True, drill=one.drill,
            earlier=row.problems(rule.confirm_of) if rule.confirm_of else (),
        )  # fmt: skip

    def _takes_effect(self, rule: HealRule, rung: int, ended: float, usual: float = -inf) -> float:
        """Return when a heal must have taken effect, in seconds since the epoch, where its rule says so for its rung.

        Until then nothing red is a verdict. Where nothing is said, what was seen after it is: the usual time is short.
        """
        if ended > self._means.clock() + AHEAD:
            return -inf  # of a clock that was set back since
        return ended + rule.settle(rung, usual)

    def _tells(self, result: Result, one: Unverified, looked: float) -> bool:
        """Whether a result says how a heal went: it was seen after it.

        What is red in a drill is so on purpose, and says nothing of a heal from before it.
        """
        if result.blocked_by is not None or result.state in (UNKNOWN, SKIPPED, WAIVED):
            return False
        if self._means.drilled and not one.drill:
            return False
        # An end in the future is of a clock that was set back since.
        return looked > one.ended or one.ended > self._means.clock() + AHEAD


def _result(id: str, state: str) -> Result:
    """Return a result that may be of no scenario any more, by its id alone."""
    scenario, _, host = id.rpartition("@")
    feature, _, slug = scenario.partition("#")
    return Result(id, feature, slug, 0, host, state)
