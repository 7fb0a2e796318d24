"""Heals of which a later check tells whether they helped. The life of such a verdict:

What a note holds. As soon as an act is done, and before anybody looks at what came of it, it is noted in `verifying`:
which try it was, what was done and when that had ended, how the result and its neighbours were before. Later checks add
what they have found: since when a neighbour is worse, when people were last found to want nothing done there. The note
goes last of all: as long as it is there, a check gives the verdict that is missing, and does what is left to do.

Who judges. The run that has acted, as long as it has time (`acts`). Then each check, and each look of a monitor, that
shows the result as it was after the act. Where none has within an hour after its time, the next check of whatever looks
at it once itself. What was done in a drill may be judged after it; what is seen in a drill says nothing of what was
done before.

What it waits for (`verdict`). Its time: before its rung's `settle` is over, all well is the only verdict. What people
want: so it is, while heals are paused, no witness is reached, or they want the result, or what is worse beside it, left
alone. What cannot be seen: a neighbour, unless it was removed; and what is worse must stay so for as long as a remedy
is given to take effect, in one run or since an earlier check has seen it. An undo waits, too, while another healer is
at work there, or a run has too little time for it. An hour after its time, or after people were last found to want
that, nobody waits any longer: it is not verified, or not undone.

What is written, in this order. The verdict, in the audit; the loss of autonomy; the undo, itself on record before it is
begun; the page; and the note goes.

What a kill leaves. Before the verdict: all of it to the next check. After that, one that it has made something worse
stands: the next check takes the autonomy where that was not done, undoes, and tells people. Any other one is given anew
by what is seen then. After an undo was begun, nothing is undone again, and people are told. After the page, who was
told is not told again.
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
from infratest.heal.looking import well
from infratest.heal.neighbours import Beside, why_gone
from infratest.heal.paging import paged
from infratest.heal.records import TRIED, HealRecord
from infratest.heal.rules import WAY
from infratest.heal.verdict import WAITS, WORSE, Sight, verdict
from infratest.heal.verifying import Unverified
from infratest.heal.ways import ENDING, OPENING
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
        place, told = self._report.place, list[HealRecord]()
        verifying.tidy(self._state, place, self._means.clock())
        waiting = verifying.pending(self._state, place)
        # A way into a host that stands in nobody's way is no result: the run tells it beside them.
        shown = {one.id: one for one in (*self._report.ways, *self._report.results) if one.id in waiting}
        for result in shown.values():
            told += self._judged(result, looked)
        for id, one in verifying.pending(self._state, place).items():
            told += self._overdue(id, one, shown.get(id))
        return told

    def _judged(self, result: Result, looked: float, usual: float = -inf) -> list[HealRecord]:
        """Say of a heal that waits to be verified what a result shows of it; nothing where none does, or it waits on.

        Args:
            looked: when the result was seen, in seconds since the epoch. usual: seconds that it has to take effect
            where its rule says nothing.
        """
        one = verifying.pending(self._state, self._report.place).get(result.id)
        if one is None or not self._tells(result, one, looked):
            return []
        rule = self._known.get(one.rule) if result.host in self._means.hosts else None
        told = list[HealRecord]()
        if self._audit.undone(one.number) and self._audit.worse(one.number) is None:
            pass  # somebody has undone it, and knows
        elif rule is None:
            self._audit.told(one, well(result), self._means.clock(), f"now {result.state}")
        else:
            beside = Beside(self._means, one.beside)
            sight = self._seen(result, rule, one, beside, looked < self._takes_effect(rule, one.rung, one.ended, usual))
            said = verdict(sight)
            if said == WAITS:
                self._waits_on(result.id, one, sight)
                return []
            record = self._record(result, rule, one)
            told = [self._told_worse(record, one, sight, beside) if said == WORSE else self._told(record, one, looked)]
            if told[0].verifying:
                return [replace(told[0], seen=looked)]
        verifying.remove(self._state, self._report.place, result.id)
        return [replace(record, seen=looked) for record in told]

    def _seen(self, result: Result, rule: HealRule, one: Unverified, beside: Beside, early: bool) -> Sight:
        """Return what is seen of it. What is asked of people, or takes time, is so only where it can matter."""
        begun, told = bool(self._audit.undone(one.number)), self._audit.worse(one.number) is not None
        sight = Sight(well=well(result), early=early, told=told, begun=begun)
        if begun or (early and not sight.well):
            return sight
        sight = self._seen_beside(sight, one, beside, 0.0)
        if sight.calm or early:
            return sight
        if self._rests(result, beside):
            return replace(sight, rests=True)
        settle = self._means.limits.settle
        if not told and (sight.unseen or (sight.worse and not sight.stays)) and self._left() > settle:
            sight = self._seen_beside(sight, one, beside, settle)
        return sight

    def _seen_beside(self, sight: Sight, one: Unverified, beside: Beside, seconds: float) -> Sight:
        """Look at the neighbours, for so long while one is worse. A look that our end cuts says nothing."""
        if one.beside and not self._left():
            return replace(sight, unseen=True)
        worse = beside.worse(Deadline(seconds))
        if worse and not self._left():
            return replace(sight, unseen=True)
        now, settle = self._means.clock(), self._means.limits.settle
        since = {id: min(one.worse.get(id, now), now) for id in worse}
        stays = bool(worse) and (seconds >= settle or now - min(since.values()) >= settle)
        return replace(sight, worse=worse, since=since, stays=stays, unseen=beside.unseen)

    def _waits_on(self, id: str, one: Unverified, sight: Sight) -> None:
        """Note what was found, and do nothing more for the result in this run while its neighbours are not known."""
        worse, rests = one.worse if sight.unseen else sight.since, one.rests
        if sight.rests:  # who is at work there may be why it is worse
            worse, rests = {}, self._means.clock()
        found = replace(one, worse={} if sight.early else worse, rests=rests)
        if found != one:
            verifying.keep(self._state, self._report.place, id, found)
        if sight.worse and sight.rests:
            self._unjudged[id] = (
                f"what {one.remedy} has made worse is not to be undone now, so that nothing more is done"
            )
        elif sight.worse or sight.unseen:
            self._unjudged[id] = f"it is not known yet how what is beside it is since {one.remedy}"

    def _overdue(self, id: str, one: Unverified, shown: Result | None) -> list[HealRecord]:
        """End what is gone, and what nobody could judge so long after its time. Args: shown: by the report.

        Its scenario is in no check any more, or could not be seen, or what is beside it could not. Of one whose
        scenario or host is gone nobody ever will, and that is nobody's fault: it ends at once, and costs nothing.
        """
        told = list[HealRecord]()
        if self._means.drilled and not one.drill:
            return told
        gone = self._gone(id, one)
        if not gone:
            if self._in_time(one) or (shown is None and not self._left()):
                return told
            if shown is None:
                now, shown = self._means.clock(), self._look(_result(id, one.was))
                told = self._judged(shown, now)
            left = verifying.pending(self._state, self._report.place).get(id)
            if left is None or self._in_time(left):
                return told
            if self._rests(shown, Beside(self._means, {})):
                verifying.keep(self._state, self._report.place, id, replace(left, rests=self._means.clock()))
                return told
        return [*told, *self._not_verified(id, one, gone)]

    def _in_time(self, one: Unverified) -> bool:
        """Whether a verdict, or an undo, is waited for. What was found since gives it as long once more."""
        since = max(self._audit.until(one.number, one.ended), one.rests, *one.worse.values())
        return self._means.clock() < since + self._within(one)

    def _within(self, one: Unverified) -> float:
        rule = self._known.get(one.rule)
        return self._means.limits.verify + (rule.settle(one.rung, 0.0) if rule is not None else 0.0)

    def _not_verified(self, id: str, one: Unverified, gone: str) -> list[HealRecord]:
        rule, told = self._known.get(one.rule), list[HealRecord]()
        words = gone or f"nobody could see within {human(self._within(one), 's')} after it whether it helped"
        self._audit.told(one, False, self._means.clock(), words, gone=bool(gone))
        if rule is not None:
            record = replace(self._record(_result(id, one.was), rule, one), after=None, error=words)
            if not one.drill and not gone:
                self._loses(rule, f"of a heal of {id} by {one.remedy} {words}")
            self._settled(id, rule, one, False)
            self._tell(record)
            told = [record if gone else self._ended_here(record)]
        verifying.remove(self._state, self._report.place, id)
        return told

    def _gone(self, id: str, one: Unverified) -> str:
        """Return why what a heal was for is never looked at again, in words; empty where it may be."""
        if any(result.id == id for result in self._report.results):
            return ""
        now = self._means.clock()
        lately = id.startswith(WAY) or now <= max(one.ended, one.sought) + self._means.limits.report_age
        if lately:  # what was done just now is only not looked at in this run, and features are not read in every run
            return why_gone(id, self._means.hosts, lambda feature: None)
        verifying.keep(self._state, self._report.place, id, replace(one, sought=now))
        return why_gone(id, self._means.hosts, self._means.planned)

    def _told(self, record: HealRecord, one: Unverified, looked: float) -> HealRecord:
        """Say whether it has helped."""
        result, rule, helped = record.after or record.before, record.rule, record.verified
        if helped and self._rows.get(result.id, counts.Row()).last <= looked:
            self._settle(result.id, looked)  # as where its own run has seen that
        words = f"now {result.state}"
        self._audit.told(one, helped, record.time, words)
        if not helped and not one.drill:
            self._loses(rule, f"a heal of {result.id} did not help")
        self._settled(result.id, rule, one, helped)
        self._tell(record)
        return self._ended_here(record)

    def _ended_here(self, record: HealRecord) -> HealRecord:
        """Tell people, where this is the end of the ladder. Of a drill nobody is told.

        What has made something worse is noted until then.
        """
        told = record if record.drill else paged(record, self._means, self._audit, self._left() + ENDING)
        if told.worse and not told.verifying:
            verifying.remove(self._state, self._report.place, told.before.id)
        return told

    def _told_worse(self, record: HealRecord, one: Unverified, sight: Sight, beside: Beside) -> HealRecord:
        """Undo a heal that has made a neighbour worse, where it can be, as the check would have that has done it.

        Returns:
            The record; `verifying` where its undo waits.
        """
        before, rule = self._audit.worse(one.number), record.rule
        since = record.time if before is None else float(before["time"])
        worse = sight.worse or tuple(map(str, before["worse"] if before is not None else ()))
        record = replace(record, worse=worse, beside=beside.seen)
        if before is None:
            self._audit.told_worse(record, one.number)
        if not one.drill and self._means.granted(rule) <= since:  # before the undo, which may take minutes
            self._loses(rule, f"a heal of {record.before.id} by {one.remedy} made {worse[0]} worse")
        words, waits = self._undone_since(record, one, sight)
        if words.startswith("undone"):
            beside.worse(Deadline(0.0))  # as they are since, for the report
        record = replace(record, beside=beside.seen, undone=words, verifying=waits)
        if not waits:
            self._audit.told_worse(record, one.number)
        if before is None or not waits:
            self._tell(record)
        return self._ended_here(record)

    def _undone_since(self, record: HealRecord, one: Unverified, sight: Sight) -> tuple[str, bool]:
        """Undo it and return what came of that, in words, and whether it waits for a later check."""
        rule, result, ladder = record.rule, record.after or record.before, remedies(record.rule)
        if sight.begun:
            return self._audit.undone(one.number), False
        if not (sight.worse or sight.unseen):
            return "not undone, what was worse is so no longer", False
        if one.rung >= len(ladder) or ladder[one.rung].describe() != one.remedy:
            return f"not undone, the rule has changed since: {one.remedy} is no longer its rung {one.rung + 1}", False
        by = f"the healer: {', '.join(record.worse[:3])} is worse"
        try:
            return f"undone, {self._taken_back(result, rule, ladder[one.rung], one.number, by)}", False
        except HealError as error:
            waits = self._undo_waits(ladder[one.rung], one.number) and self._in_time(one)
            return f"not undone{' yet' if waits else ''}, {error}", waits
        finally:
            if self._audit.undone(one.number):
                self._acts_on(result.host)

    def _settled(self, id: str, rule: HealRule, one: Unverified, helped: bool) -> None:
        """Let other healers at a result again, where it is known before a rung's time is over what came of it.

        What has helped it may have yet to help others of its host.
        """
        host, left = id.rpartition("@")[2], self._takes_effect(rule, one.rung, one.ended, 0.0) - self._means.clock()
        if host in self._means.hosts and left > 0.0:
            limit = Deadline(min(OPENING / 3, self._left()))
            with self._connection(self._means.hosts[host], rule, limit) as way:
                way.mark.settles(left if helped else 0.0)
                way.mark.helped(id)
                way.mark.settled(limit)

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
