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
is given to take effect, in one run or since an earlier check has seen it. An hour after its time, or after people were
last found to want that, nobody waits any longer: it is not verified.

What is written, in this order. The verdict, in the audit; the loss of autonomy; an undo, itself on record before it is
begun; the page; and the note goes. An undo is an act, and is not saved up: where it cannot be done at once (another
healer is at work there, people want it left alone by now, no time is left) it is for people to decide, who are told.

What a kill leaves. Before the verdict: all of it to the next check. After that, one that it has made something worse
stands: the next check takes the autonomy where that was not done, and tells people; it undoes nothing. Any other one
that is on record stands, too: what is left of it is done. The note of what has made something worse stays until all
were told (`telling`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import Any

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.heal import verifying
from infratest.heal.gates.situation import AHEAD
from infratest.heal.looking import well
from infratest.heal.neighbours import Beside, why_gone
from infratest.heal.records import HealRecord
from infratest.heal.resting import BESIDE_WAS_WORSE, IT_WAS_RED
from infratest.heal.rules import WAY
from infratest.heal.telling import Telling, result_of
from infratest.heal.undoing import LOOK
from infratest.heal.verdict import HELPED, UNKNOWABLE, WAITS, WORSE, Sight, verdict
from infratest.heal.verifying import Unverified
from infratest.heal.ways import OPENING
from infratest.model import Result
from infratest.stack.declared import HealRule
from infratest.states import SKIPPED, UNKNOWN, WAIVED
from infratest.store import failures as counts
from infratest.units import human


class Afterwards(Telling):
    """One run of the engine, as it judges what was done before it."""

    #: Whether this run has waited for what is beside a result to be as before.
    _waited = False

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
        for id, one in waiting.items():
            if self._audit.worse(one.number):
                self._left_to_do(id, one)
            elif said := self._audit.verdict(one.number):
                told += self._finished(id, one, said, shown.get(id))
            elif id in shown:
                told += self._judged(shown[id], looked)
        for id, one in verifying.pending(self._state, place).items():
            if not self._audit.worse(one.number):
                told += self._overdue(id, one, shown.get(id))
        return told

    def _judged(self, result: Result, looked: float, usual: float = -inf) -> list[HealRecord]:
        """Say of a heal that waits to be verified what a result shows of it; nothing where none does, or it waits on.

        Args:
            looked: when the result was seen, in seconds since the epoch. usual: seconds that it has to take effect
            where its rule says nothing.
        """
        one = verifying.pending(self._state, self._report.place).get(result.id)
        if one is None or self._audit.worse(one.number) or not self._tells(result, one, looked):
            return []
        if self._audit.undone(one.number):  # somebody has done that, and knows
            verifying.remove(self._state, self._report.place, result.id)
            return []
        rule, beside = self._rule(one), Beside(self._means, one.beside)
        sight = self._seen(result, rule, one, beside, looked < self._takes_effect(rule, one.rung, one.ended, usual))
        said = verdict(sight)
        if words := self._unknowable(one, sight, said):
            return self._not_verified(result.id, one, words, result, free=True)
        if said == WAITS:
            self._waits_on(result.id, one, sight)
            return []
        record = replace(self._record(result, rule, one), seen=looked)
        if said == WORSE:
            return [self._told_worse(record, one, sight, beside)]
        told = self._told(record, one, looked)
        verifying.remove(self._state, self._report.place, result.id)
        return [told]

    def _finished(self, id: str, one: Unverified, said: Mapping[str, Any], shown: Result | None) -> list[HealRecord]:
        """Do what is left to do of a verdict that is on record, by a run that was killed before it had told it."""
        if self._means.drilled and not one.drill:
            return []
        told = list[HealRecord]()
        if not (said.get("verified") or said.get("gone")):
            rule, seen = self._rule(one), shown or result_of(id, one.was)
            words = "it did not help, as a check before has seen"
            record = replace(self._record(seen, rule, one), before=seen, after=None, error=words)
            if not one.drill:
                self._loses(rule, f"a heal of {id} did not help")
            told = [record if well(seen) else self._ended_here(record)]
        verifying.remove(self._state, self._report.place, id)
        return told

    def _waiting(self, result: Result, looked: float) -> list[HealRecord]:
        """Return the record of a heal of which nobody knows yet whether it has helped, although its result is well."""
        one = verifying.pending(self._state, self._report.place).get(result.id)
        if one is None or self._audit.worse(one.number):
            return []
        record = self._record(result, self._rule(one), one)
        return [replace(record, verifying=True, error=one.error, seen=looked, known=True)]

    def _unknowable(self, one: Unverified, sight: Sight, said: str) -> str:
        """Return why nobody will ever know whether it has helped, in words; empty where somebody does, or may."""
        if said == UNKNOWABLE:
            words = f"{one.red}, and is ok now" if one.red else f"it turned ok while {sight.people}"
            return f"{words}: nobody knows whether it helped"
        if said == HELPED:
            return f"it had failed ({clean(one.error, 200)}), and all is well by itself" if one.error else ""
        # How long it has to take effect nobody knows without its rule, nor how it is undone.
        return "" if one.rule in self._known else "its rule is there no longer: nobody knows whether it helped"

    def _seen(self, result: Result, rule: HealRule, one: Unverified, beside: Beside, early: bool) -> Sight:
        """Return what is seen of it. What takes time is looked at only where it can matter, and once in a run.

        Others wait for the stack's lock; of those that are seen worse now a later check knows since when.
        """
        sight = Sight(well=well(result), early=early, red=bool(one.red))
        if sight.well or not early:
            sight = self._seen_beside(sight, one, beside, 0.0)
        sight, settle = self._asked(sight, result, beside), self._means.limits.settle
        if early or sight.rests or not (sight.unseen or (sight.worse and not sight.stays)):
            return sight
        if self._left() > settle + LOOK and not self._waited:
            self._waited = True
            sight = self._asked(self._seen_beside(sight, one, beside, settle), result, beside)
        return sight

    def _asked(self, sight: Sight, result: Result, beside: Beside) -> Sight:
        """Ask what people want, of what is worse beside it, too."""
        rest = self._rests(result, beside)
        return replace(sight, rests=rest is not None, people="" if rest is None else rest.people)

    def _seen_beside(self, sight: Sight, one: Unverified, beside: Beside, seconds: float) -> Sight:
        """Look at the neighbours, for so long while one is worse. A look that our end cuts says nothing."""
        if one.beside and not self._left():
            return replace(sight, unseen=True)
        worse = beside.worse(Deadline(seconds))
        if worse and not self._left():
            return replace(sight, unseen=True)
        now, settle = self._means.clock(), self._means.limits.settle
        since = {id: min(one.worse.get(id, now), now) for id in worse}
        stay = tuple(id for id in worse if seconds >= settle or now - since[id] >= settle)
        return replace(sight, worse=stay or worse, since=since, stays=bool(stay), unseen=beside.unseen)

    def _waits_on(self, id: str, one: Unverified, sight: Sight) -> None:
        """Note what was found, and do nothing more for the result in this run while its neighbours are not known."""
        # What a look has found that was cut since is known nevertheless.
        worse, rests = {**one.worse, **sight.since} if sight.unseen else {**sight.since}, one.rests
        if sight.rests:  # who is at work there may be why it is worse
            worse, rests = {}, self._means.clock()
        how = BESIDE_WAS_WORSE if sight.well else IT_WAS_RED
        red = one.red or (f"{how} while {sight.people}" if sight.people and (sight.worse or not sight.well) else "")
        found = replace(one, worse={} if sight.early else worse, rests=rests, red=red)
        if found != one:
            verifying.keep(self._state, self._report.place, id, found)
        if sight.worse and sight.rests:
            self._unjudged[id] = f"what is beside it and worse since {one.remedy} is to be left alone"
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
        if gone:
            return self._not_verified(id, one, gone, None, free=True)
        if self._in_time(one) or (shown is None and not self._left()):
            return told
        if shown is None:
            now, shown = self._means.clock(), self._look(result_of(id, one.was))
            told = self._judged(shown, now)
        left = verifying.pending(self._state, self._report.place).get(id)
        if left is None or self._audit.worse(one.number) or self._in_time(left):
            return told
        if shown.state in (SKIPPED, WAIVED):
            words = f"it is {shown.state} since: nobody knows whether it helped"
            return [*told, *self._not_verified(id, one, words, shown, free=True)]
        if self._rests(shown, Beside(self._means, {})):
            verifying.keep(self._state, self._report.place, id, replace(left, rests=self._means.clock()))
            return told
        what = "how what is beside it is" if well(shown) else "whether it helped"
        words = f"nobody could see for {human(self._within(one), 's')} {what}"
        return [*told, *self._not_verified(id, one, words, shown, free=one.rule not in self._known)]

    def _in_time(self, one: Unverified) -> bool:
        """Whether a verdict is waited for. What was found since gives it as long once more."""
        now = self._means.clock()
        found = [at for at in (one.rests, *one.worse.values()) if at <= now + AHEAD]  # of a clock that was not set back
        return now < max(self._audit.until(one.number, one.ended), *found) + self._within(one)

    def _within(self, one: Unverified) -> float:
        rule = self._known.get(one.rule)
        return self._means.limits.verify + (rule.settle(one.rung, 0.0) if rule is not None else 0.0)

    def _not_verified(
        self, id: str, one: Unverified, words: str, shown: Result | None, *, free: bool
    ) -> list[HealRecord]:
        """End one of which nobody knows whether it helped. Args: shown: as seen now. free: that costs nothing."""
        rule, seen = self._rule(one), shown or result_of(id, one.was)
        self._audit.told(one, False, self._means.clock(), words, gone=free)
        record = replace(self._record(seen, rule, one), before=seen, after=None, error=words)
        if not one.drill and not free:
            self._loses(rule, f"of a heal of {id} by {one.remedy} {words}")
        self._settled(id, rule, one, False)
        self._tell(record)
        told = record if free or well(seen) else self._ended_here(record)
        verifying.remove(self._state, self._report.place, id)
        return [told]

    def _gone(self, id: str, one: Unverified) -> str:
        """Return why what a heal was for is never looked at again, in words; empty where it may be."""
        now, host = self._means.clock(), why_gone(id, self._means.hosts, lambda feature: None)
        if host or any(result.id == id for result in self._report.results):
            return host
        if id.startswith(WAY) or now <= max(one.ended, one.sought) + self._means.limits.report_age:
            return ""  # what was done just now is only not looked at in this run; features are not read in every one
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
        if result.host not in self._means.hosts:  # by an old report
            return False
        if self._means.drilled and not one.drill:
            return False
        # An end in the future is of a clock that was set back since.
        return looked > one.ended or one.ended > self._means.clock() + AHEAD
