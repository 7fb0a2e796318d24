"""What the heal engine does once every gate is open: one remedy under the host's healing mark, verified, on record.

The base of the engine (`healing`), which decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from infratest.deadline import Deadline
from infratest.errors import HealError, InfratestError, StateError
from infratest.heal import verifying
from infratest.heal.gates import OPENED_BY_APPROVAL, Answer, refusals
from infratest.heal.looking import well
from infratest.heal.mark import Taken
from infratest.heal.neighbours import NEIGHBOURS, Beside
from infratest.heal.records import PROPOSED, RECOVERED, REFUSED, HealRecord
from infratest.heal.resting import BESIDE_WAS_WORSE, IT_WAS_RED, Rest, Resting
from infratest.heal.undoing import LEAST, can_undo, kept, longest, undo
from infratest.heal.ways import OPENING, PATIENCE, Way
from infratest.model import Result
from infratest.remedies.base import Remedy
from infratest.stack.declared import HealRule
from infratest.store import events
from infratest.store import failures as counts

#: Asks every gate of a result once more, given when that was seen, in seconds since the epoch.
Ask = Callable[[Result, float], tuple[Answer, ...]]
#: Seconds that looking at what a rule collects may take.
COLLECTING = 20.0
#: The gate that the engine itself asks: whether another healer is at work.
MARK = "healing mark"
#: Why an undo is not begun.
LEFT_ALONE = "heals are paused by now, or what it is for, or beside it, is to be left alone"


class Acts(Resting):
    """What one run of the engine does, under the stack's lock."""

    def _looking(self, seconds: float) -> tuple[float, bool]:
        """Return how many of the seconds, in which a remedy takes effect, can be looked at, and whether that is less.

        Nobody else can work on the stack meanwhile, so that one who comes again by itself does not look for hours. A
        drill looks as long as it takes: it ends in a verdict.
        """
        resident = self._means.deadline is None and not self._means.drilled
        most = self._means.limits.looking if resident else self._left()
        return min(seconds, most), seconds > most

    def _written(self, record: HealRecord) -> HealRecord:
        if not self._dry and self._audit.decided(record):
            self._tell(record)
        return record

    def _tell(self, record: HealRecord) -> None:
        """Make an event of a decision that the audit holds."""
        more = {"rule": record.rule.name, "remedy": record.remedy, "mode": record.rule.mode, "reason": record.reason}
        report = self._report
        events.append(
            self._state, [events.heal(report.stack, report.env, record.before, record.ending, record.time, **more)]
        )

    def _act(self, record: HealRecord, remedy: Remedy, looked: float, ask: Ask) -> HealRecord:
        """Apply a remedy under the host's healing mark, and see whether it helped.

        Args:
            looked: when the result was seen, in seconds since the epoch. ask: asks every gate once more.
        Returns:
            The record; PROPOSED where only a person may let it act now, which is not on record yet.
        """
        settle = self._settle_of(record)
        after = kept(remedy, record.rule, min(settle, self._means.limits.settle))
        deadline = Deadline(min(longest(remedy, settle), max(0.0, self._left() - after)))
        host = self._means.hosts[record.before.host]
        # One that works from here may be for a host that is down: it is not kept waiting for long.
        limit = deadline.at_most(OPENING if remedy.on_host else OPENING / 3)
        with self._connection(host, record.rule, limit) as way:
            clock = self._means.clock
            patience = deadline.at_most(min(PATIENCE, deadline.left / 2))
            taken = way.mark.take(deadline.seconds, lambda: clock() - looked, patience, record.before.id)
            try:
                return self._marked(record, remedy, deadline, way, taken, looked, ask)
            finally:
                way.mark.give_back(self._last())

    def _marked(
        self, record: HealRecord, remedy: Remedy, deadline: Deadline, way: Way, taken: Taken, looked: float, ask: Ask
    ) -> HealRecord:
        """Act, unless another healer does or has done so just now, or may do so and nobody can tell."""
        if taken.held:
            answer = Answer(name=MARK, passed=False, reason=taken.held)
            return self._written(replace(record, outcome=REFUSED, gates=(*record.gates, answer)))
        if taken.waited:
            looked, again = self._means.clock(), self._look(record.before)
            if well(again):
                self._settle(again.id, looked)
                return self._written(replace(record, time=looked, outcome=RECOVERED, gates=(), after=again))
            record = replace(record, before=again, after=again)
        passed, words = self._alone(record, remedy, taken.problem)
        record = replace(record, gates=(*record.gates, Answer(name=MARK, passed=passed, reason=words)))
        if not passed:
            return replace(record, outcome=PROPOSED)
        return self._tried(record, remedy, deadline, way, partial(ask, record.before, looked))

    def _alone(self, record: HealRecord, remedy: Remedy, problem: str) -> tuple[bool, str]:
        """Return whether no other healer may do this at the same time, and why or why not.

        Args:
            problem: why no mark could be put, or empty.
        """
        if not problem:
            return True, "nobody else heals it"
        words = f"no healing mark could be put on it: {problem}"
        if remedy.by_provider:
            return True, f"{words}; its provider does this for nobody but who has made it, and that is locked here"
        if self._means.others and not record.by:
            return False, f"{words}, and {self._means.others} may heal it too: a person decides"
        return True, f"{words}; {record.by or 'no other monitor is known of'}"

    def _tried(
        self, record: HealRecord, remedy: Remedy, deadline: Deadline, way: Way, ask: Callable[[], tuple[Answer, ...]]
    ) -> HealRecord:
        """Apply a remedy and see whether it helped. The try is on record before, its end after."""
        host, limit = self._means.hosts[record.before.host], deadline.at_most(min(COLLECTING, deadline.left / 4))
        beside = Beside.now(self._means, record.rule, record.before.id)
        if beside.problem:
            answer = Answer(name=NEIGHBOURS, passed=False, reason=beside.problem)
            return self._written(replace(record, outcome=REFUSED, gates=(*record.gates, answer)))
        record = replace(record, collected=tuple(self._means.collect(record.rule, host, way.transport, limit)))
        # All of that took its time: what somebody has paused, suppressed, denied or begun to deploy meanwhile stays.
        record = replace(record, gates=(*ask(), record.gates[-1]))
        closed = {answer.name for answer in refusals(record.gates)}
        if closed and closed <= {*OPENED_BY_APPROVAL} and not record.by:
            return replace(record, outcome=PROPOSED)
        if closed:
            return self._written(replace(record, outcome=REFUSED))
        number = self._audit.begin(record, record.time + deadline.seconds)
        self._acts_on(record.before.host)
        ended = self._ended(self._looked_after(record, remedy, deadline, way, number, beside), number)
        if ended.verified:
            way.mark.helped(ended.before.id)
        elif not ended.verifying:
            way.mark.settles(0.0)
        return ended

    def _looked_after(
        self, record: HealRecord, remedy: Remedy, deadline: Deadline, way: Way, number: str, beside: Beside
    ) -> HealRecord:
        """Apply a remedy, and look at what came of it. What ends that early is on record with what is known by then."""
        begun, done = time.monotonic(), record
        try:
            done, ended = self._applied(record, remedy, deadline, way, number), self._means.clock()
            if not done.error:  # before the looks, so that it is known whatever ends this run, and to other healers
                done = replace(done, ended=ended)
                way.mark.settles(self._settles_for(done, ended))
                with suppress(StateError):  # where that cannot be written now, it is looked at all the same
                    self._waits(done, number, ended, beside)
            way.mark.keep(self._last())
            after, cut = self._verified(done)
            done = self._beside(done, beside, number, ended)
            if done.worse:
                done = self._given_up(done, beside, remedy, way, number)
                after = self._look(record.before)
            done = replace(done, after=after, verifying=done.verifying or (cut and not done.worse))
            if not (done.worse or done.error or done.verified or done.verifying):
                done = replace(done, verifying=self._rests_as(number, self._rests(after, beside), IT_WAS_RED))
            if done.verifying and not verifying.has(self._state, self._report.place, number):
                way.mark.settles(self._settles_for(done, ended))
                self._waits(done, number, ended, beside)
        except KeyboardInterrupt as stop:
            self._cut_off(replace(done, duration=time.monotonic() - begun), number, f"interrupted by {_signal(stop)}")
            raise
        except Exception as error:  # nothing acts any more: a defect of a remedy leaves no try that may still run
            words = str(error) if isinstance(error, InfratestError) else f"a defect: {type(error).__name__}: {error}"
            self._audit.end(replace(done, error=words, duration=time.monotonic() - begun), number)
            if not done.worse:
                verifying.forget(self._state, self._report.place, number)
            raise
        return replace(done, duration=time.monotonic() - begun)

    def _cut_off(self, done: HealRecord, number: str, how: str) -> None:
        """Keep what is known of a try as a signal ends this run. What may have helped is left to a later check."""
        if done.worse:  # it is noted still: a later check tells people
            undone = done.undone or self._audit.undone(number) or f"not undone, {how} before"
            done = replace(done, undone=undone)
        elif verifying.has(self._state, self._report.place, number):
            words = f"{done.words}; {how} before it was seen whether it helped"
            done = replace(done, verifying=True, words=words, seen=self._means.clock())
        else:
            done = replace(done, error=f"{how}, and ended")
        self._audit.end(done, number)

    def _settles_for(self, record: HealRecord, ended: float) -> float:
        """Return the seconds that what was done has yet to take effect, where its rule says so for its rung."""
        return max(0.0, ended + record.rule.settle(record.rung, 0.0) - self._means.clock())

    def _ended(self, record: HealRecord, number: str) -> HealRecord:
        """Keep how a try ended, and what it costs its rule."""
        seen = self._means.clock()
        done = replace(record, seen=seen)
        if done.verified or done.by_itself:
            self._settle(done.before.id, seen)
        self._audit.end(done, number)
        self._tell(done)
        if not (done.worse or done.verified or done.by_itself or done.verifying):
            self._loses(done.rule, f"a heal of {done.before.id} by {done.remedy} did not help")
        if not (done.worse or done.verifying):
            verifying.forget(self._state, self._report.place, number)
        return done

    def _waits(self, record: HealRecord, number: str, ended: float, beside: Beside) -> None:
        """Note that a try is to be verified; one of before that waits for the same result ends as red then.

        What a drill has broken says nothing of what was done before it.
        """
        place = self._report.place
        before = verifying.pending(self._state, place).get(record.before.id)
        verifying.add(self._state, place, record, number, ended, beside.before)
        if before is not None:
            gone = bool(self._means.drilled) and not before.drill
            self._audit.told(before, False, ended, f"red, and {record.remedy} was done after it", gone=gone)

    def _loses(self, rule: HealRule, why: str) -> None:
        """Take from a rule that it may act by itself. A drill breaks things on purpose: it costs no rule anything."""
        if not self._means.drilled:
            self._means.lost(rule, why)

    def _loses_by(self, record: HealRecord, number: str) -> None:
        """Take its autonomy from a rule that has made something worse, once, whatever a person grants after that."""
        self._loses(record.rule, f"a heal of {record.before.id} by {record.remedy} made {record.worse[0]} worse")
        verifying.change(self._state, self._report.place, number, lost=True)

    def _applied(self, record: HealRecord, remedy: Remedy, deadline: Deadline, way: Way, number: str) -> HealRecord:
        result = record.before
        settles = record.rule.settle(record.rung, 0.0)
        surroundings = self._surroundings(result, remedy, way, number, self._settle_of(record), settles)
        try:
            if remedy.on_host and way.error is not None:
                raise way.error
            outcome = remedy.apply(result, surroundings, deadline)
        except (InfratestError, OSError) as error:  # a disk of ours that is full fails the act, and not the check
            return replace(record, error=str(error))
        return replace(record, words=outcome.words, command=outcome.command, kept=outcome.kept)

    def _settle_of(self, record: HealRecord) -> float:
        """Return the seconds that its rung has to take effect."""
        return record.rule.settle(record.rung, self._means.limits.settle)

    def take_back(self, result: Result, rule: HealRule, remedy: Remedy, number: str, by: str) -> str:
        """Undo a try that somebody wants back, under the host's healing mark, and return what was done, in words.

        Raises:
            HealError: it cannot be, was before, or another healer is at work there.
        """
        before = self._audit.undone(number)
        try:
            return self._taken_back(result, rule, remedy, number, by)
        finally:
            # What was undone before has cost it then; somebody may have granted it anew since.
            if not before and self._audit.undone(number) and not self._audit.of_a_drill(number):
                self._means.lost(rule, f"a heal of {result.id} by {remedy.describe()} was undone by {by}")
            if self._audit.undone(number):  # the next check would tell of it as if it still stood
                verifying.forget(self._state, self._report.place, number)

    def _taken_back(
        self,
        result: Result,
        rule: HealRule,
        remedy: Remedy,
        number: str,
        by: str,
        rests: Callable[[], Rest | None] = lambda: None,
    ) -> str:
        """Undo a try. Args: rests: asked directly before. Raises HealError: as `take_back`; or it says so."""
        host = self._means.hosts.get(result.host)
        if host is None:
            raise HealError(f"{result.host} is no host of the stack now")
        deadline = Deadline(remedy.seconds)
        limit = deadline.at_most(OPENING if remedy.on_host else OPENING / 3)
        with self._connection(host, rule, limit) as way:
            taken = way.mark.take(deadline.seconds, lambda: 0.0, deadline.at_most(PATIENCE))
            try:
                if taken.held or rests():
                    raise HealError(taken.held or LEFT_ALONE)
                around = self._surroundings(result, remedy, way, number)
                return undo(remedy, result, around, self._audit, number, by, self._means.clock(), self._left())
            finally:
                if self._audit.undone(number):  # of what was done nothing has yet to take effect
                    way.mark.settles(0.0)
                way.mark.give_back(Deadline(PATIENCE))

    def _beside(self, record: HealRecord, beside: Beside, number: str, ended: float) -> HealRecord:
        """Look at the neighbours. Where one is worse that is on record before anything is undone.

        What is worse when the time of this run is over may only not have been seen, or not yet be as before, and an
        undo is an act, which waits for what people want: a later check tells.
        """
        worse, over = self._worse(beside, self._settle_of(record))
        if not worse or self._rests_as(number, self._rests(record.before, beside), BESIDE_WAS_WORSE):
            return replace(record, verifying=over or bool(worse))
        if not verifying.has(self._state, self._report.place, number):  # people are to be told whatever ends this run
            with suppress(StateError):  # and it is undone although that could not be noted
                self._waits(record, number, ended, beside)
        record = replace(record, worse=worse, beside=beside.seen)
        self._audit.told_worse(record, number)
        return record

    def _given_up(self, record: HealRecord, beside: Beside, remedy: Remedy, way: Way, number: str) -> HealRecord:
        """Take its autonomy from a rule that has made something worse, and undo what can be undone.

        Whatever comes of that, or ends this run meanwhile, it is given up.
        """
        around = self._surroundings(record.before, remedy, way, number)
        by, words = f"the healer: {', '.join(record.worse[:3])} is worse", ""
        try:
            self._loses_by(record, number)
        finally:
            try:
                held = way.mark.renew(max(LEAST, remedy.seconds), Deadline(min(PATIENCE, self._left())))
                if held or self._rests(record.before, beside):
                    raise HealError(held or LEFT_ALONE)
                now = self._means.clock()
                done = undo(remedy, record.before, around, self._audit, number, by, now, self._left())
                words = f"undone, {done}"
                beside.worse(Deadline(0.0))  # as they are since, for the report
            except HealError as error:
                words = self._not_undone(remedy, number, error)
        return replace(record, beside=beside.seen, undone=words)

    def _not_undone(self, remedy: Remedy | None, number: str, error: HealError) -> str:
        """Say why something was not undone, and how people do that where it can be."""
        later = remedy is not None and can_undo(remedy) and not self._audit.undone(number)
        return f"not undone, {error}" + (f"; `{self._means.command('heal', 'undo', number)}` does" if later else "")

    def _worse(self, beside: Beside, seconds: float) -> tuple[tuple[str, ...], bool]:
        """Return the neighbours that are worse, and stay so for so long; and whether looking ended before that could
        be told."""
        looking, cut = self._looking(seconds)
        if cut and not self._left():
            return (), bool(beside.before)
        worse = beside.worse(Deadline(looking))
        over = beside.unseen or (bool(worse) and (cut or not self._left()))
        return () if over else worse, over

    def _verified(self, record: HealRecord) -> tuple[Result, bool]:
        """Run the failed scenario again until it holds, or the time that a remedy is given to take effect is over.

        Returns:
            What was seen last, and whether looking ended before that time's end.
        """
        seconds, cut = self._looking(0.0 if record.error else self._settle_of(record))
        if cut and not self._left():
            return record.before, True
        after = self._look_until(record.before, Deadline(seconds), cut)
        return after, cut and not well(after)

    def _settle(self, id: str, at: float) -> None:
        counts.settle(self._state, self._report.place, id, at)
        self._rows[id] = counts.Row(last=at)


def _signal(stop: KeyboardInterrupt) -> str:
    return str(stop) or "SIGINT"
