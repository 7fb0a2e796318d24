"""What the heal engine does once every gate is open: one remedy under the host's healing mark, verified, on record.

The base of the engine (`healing`), which decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import inf

from infratest.deadline import Deadline
from infratest.errors import HealError, InfratestError
from infratest.heal import verifying
from infratest.heal.audit import Audit
from infratest.heal.environment import hook_environment
from infratest.heal.gates import OPENED_BY_APPROVAL, Answer, Stored, refusals
from infratest.heal.looking import Looks, well
from infratest.heal.mark import Mark, Taken, healer
from infratest.heal.means import Means
from infratest.heal.neighbours import NEIGHBOURS, Beside
from infratest.heal.records import PROPOSED, RECOVERED, REFUSED, HealRecord
from infratest.heal.undoing import LEAST, kept, longest, undo
from infratest.hosts import Host
from infratest.model import Report, Result
from infratest.remedies.base import Remedy, Surroundings
from infratest.stack.declared import HealRule
from infratest.store import events
from infratest.store import failures as counts
from infratest.store.directory import StateDir
from infratest.transports.base import Transport

#: Asks every gate of a result once more, given when that was seen, in seconds since the epoch.
Ask = Callable[[Result, float], tuple[Answer, ...]]
#: Seconds that looking at what a rule collects may take.
COLLECTING = 20.0
#: Seconds in which a connection for a remedy must come about, and that another healer is waited for.
OPENING, PATIENCE = 15.0, 10.0
#: Seconds at the end of a run in which nothing is begun: how things ended is written down in them.
ENDING = 0.5
#: The gate that the engine itself asks: whether another healer is at work.
MARK = "healing mark"


@dataclass(frozen=True, kw_only=True)
class _Way:
    """A connection to a host, or why there is none; and the mark that is put there."""

    mark: Mark
    transport: Transport | None = None
    error: InfratestError | None = None


class Acts(Looks):
    """What one run of the engine acts with and writes to, under the stack's lock."""

    def __init__(
        self,
        report: Report,
        state: StateDir,
        means: Means,
        audit: Audit,
        rows: Mapping[str, counts.Row],
        history: Mapping[str, Stored],
        dry_run: bool,
    ) -> None:
        super().__init__(report, means, history)
        self._state = state
        self._audit = audit
        self._rows = dict(rows)
        self._dry = dry_run

    def _left(self) -> float:
        """Return the seconds left for acts, the last ones of the run kept for writing down how they ended."""
        deadline = self._means.deadline
        return inf if deadline is None else max(0.0, deadline.left - ENDING)

    def _last(self) -> Deadline:
        """Return the deadline for what is left behind on a host, although the time of this run may be over."""
        return Deadline(min(PATIENCE, self._left() + ENDING))

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
            taken = way.mark.take(deadline.seconds, lambda: clock() - looked, patience, settled=True)
            try:
                return self._marked(record, remedy, deadline, way, taken, looked, ask)
            finally:
                way.mark.give_back(self._last())

    def _marked(
        self, record: HealRecord, remedy: Remedy, deadline: Deadline, way: _Way, taken: Taken, looked: float, ask: Ask
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
        self, record: HealRecord, remedy: Remedy, deadline: Deadline, way: _Way, ask: Callable[[], tuple[Answer, ...]]
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
        begun = time.monotonic()
        try:
            done = self._looked_after(record, remedy, deadline, way, number, beside)
        except KeyboardInterrupt as stop:
            if not verifying.has(self._state, self._report.env, number):
                words = f"interrupted by {_signal(stop)}, and ended"
                self._audit.end(replace(record, error=words, duration=time.monotonic() - begun), number)
            raise
        except Exception as error:  # nothing acts any more: a defect of a remedy leaves no try that may still run
            words = str(error) if isinstance(error, InfratestError) else f"a defect: {type(error).__name__}: {error}"
            self._audit.end(replace(record, error=words, duration=time.monotonic() - begun), number)
            verifying.forget(self._state, self._report.env, number)
            raise
        ended = self._ended(replace(done, duration=time.monotonic() - begun), number)
        if not ended.verifying:
            way.mark.settles(0.0)
        return ended

    def _looked_after(
        self, record: HealRecord, remedy: Remedy, deadline: Deadline, way: _Way, number: str, beside: Beside
    ) -> HealRecord:
        """Apply a remedy, and look at what came of it. What is interrupted while it looks is left to a later check."""
        begun = time.monotonic()
        done, ended = self._applied(record, remedy, deadline, way, number), self._means.clock()
        if not done.error:  # before the looks, so that it is known whatever ends this run, and to other healers
            way.mark.settles(self._settles_for(done, ended))
            self._waits(done, number, ended, beside)
        try:
            way.mark.keep(self._last())
            after, cut = self._verified(done)
            done = self._beside(done, beside, remedy, way, number)
            after = self._look(record.before) if done.worse else after
        except KeyboardInterrupt as stop:
            if verifying.has(self._state, self._report.env, number):
                words = f"{done.words}; interrupted by {_signal(stop)} before it was seen whether it helped"
                left = replace(done, verifying=True, words=words, duration=time.monotonic() - begun)
                self._audit.end(replace(left, seen=self._means.clock()), number)
            raise
        done = replace(done, after=after, verifying=cut or done.verifying)
        if done.verifying and done.error:
            way.mark.settles(self._settles_for(done, ended))
            self._waits(done, number, ended, beside)
        return done

    def _settles_for(self, record: HealRecord, ended: float) -> float:
        """Return the seconds that what was done has yet to take effect, where its rule says so for its rung."""
        return max(0.0, ended + record.rule.settle(record.rung, 0.0) - self._means.clock())

    def _settled(self, host: str, rule: HealRule, rung: int, ended: float) -> None:
        """Let other healers at a host again, where it is known before a rung's time is over what came of it.

        Args:
            ended: when it was done, in seconds since the epoch.
        """
        if host in self._means.hosts and self._means.clock() < ended + rule.settle(rung, 0.0):
            limit = Deadline(min(OPENING / 3, self._left()))
            with self._connection(self._means.hosts[host], rule, limit) as way:
                way.mark.settled(limit)

    def _ended(self, record: HealRecord, number: str) -> HealRecord:
        """Keep how a try ended, and what it costs its rule."""
        seen = self._means.clock()
        done = replace(record, seen=seen)
        if done.verified:
            self._settle(done.before.id, seen)
        if not done.verifying:
            verifying.forget(self._state, self._report.env, number)
        self._audit.end(done, number)
        self._tell(done)
        if done.worse or not (done.verified or done.verifying):
            how = f"made {done.worse[0]} worse" if done.worse else "did not help"
            self._loses(done.rule, f"a heal of {done.before.id} by {done.remedy} {how}")
        return done

    def _waits(self, record: HealRecord, number: str, ended: float, beside: Beside) -> None:
        """Note that a try is to be verified; one of before that waits for the same result ends as red then."""
        env = self._report.env
        before = verifying.pending(self._state, env).get(record.before.id)
        verifying.add(self._state, env, record, number, ended, beside.before)
        if before is not None:
            self._audit.told(before, False, ended, f"red, and {record.remedy} was done after it")

    def _loses(self, rule: HealRule, why: str) -> None:
        """Take from a rule that it may act by itself. A drill breaks things on purpose: it costs no rule anything."""
        if not self._means.drilled:
            self._means.lost(rule, why)

    def _applied(self, record: HealRecord, remedy: Remedy, deadline: Deadline, way: _Way, number: str) -> HealRecord:
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

    def _surroundings(
        self, result: Result, remedy: Remedy, way: _Way, number: str, settle: float = 0.0, settles: float = 0.0
    ) -> Surroundings:
        """Return what a remedy works with, for the try of that number.

        Args:
            settle: seconds that it has to take effect. settles: of these, what its rule says for its rung.
        """

        def connect(deadline: Deadline) -> Transport:
            opened = self._opened(host, deadline)
            way.mark.follow(opened, settles)
            return opened

        means, host = self._means, self._means.hosts[result.host]
        failures = self._rows.get(result.id, counts.Row()).failures
        environment = hook_environment(self._report.stack, self._report.env, result, failures, True)
        return Surroundings(
            host=host,
            transport=way.transport if remedy.on_host else None,
            folder=means.folder,
            provision=means.provision,
            environment={**means.variables, **environment},
            began=lambda pid: self._audit.process(number, pid),
            connect=connect,
            start=lambda deadline: means.start(host.name, deadline),
            power=means.power(host.name),
            replacing=means.replacing(host.name),
            proven=lambda deadline: self._why_not_well(result, settle, deadline),
        )

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

    def _taken_back(self, result: Result, rule: HealRule, remedy: Remedy, number: str, by: str) -> str:
        host = self._means.hosts.get(result.host)
        if host is None:
            raise HealError(f"{result.host} is no host of the stack now")
        deadline = Deadline(remedy.seconds)
        limit = deadline.at_most(OPENING if remedy.on_host else OPENING / 3)
        with self._connection(host, rule, limit) as way:
            taken = way.mark.take(deadline.seconds, lambda: 0.0, deadline.at_most(PATIENCE))
            try:
                if taken.held:
                    raise HealError(taken.held)
                around = self._surroundings(result, remedy, way, number)
                now, left, command = self._means.clock(), self._left(), self._means.command
                return undo(remedy, result, around, self._audit, number, by, now, left, command=command)
            finally:
                way.mark.give_back(Deadline(PATIENCE))

    def _beside(self, record: HealRecord, beside: Beside, remedy: Remedy, way: _Way, number: str) -> HealRecord:
        """Look at the neighbours; where one is worse, undo what can be undone. Whatever came of it, it is given up.

        What is worse when the time of this run is over may only not have been seen, or not yet be as before: the next
        check tells.
        """
        worse, over = self._worse(beside, self._settle_of(record))
        if not worse:
            return replace(record, verifying=over)
        around = self._surroundings(record.before, remedy, way, number)
        by, words = f"the healer: {', '.join(worse[:3])} is worse", ""
        try:
            held = way.mark.renew(max(LEAST, remedy.seconds), Deadline(min(PATIENCE, self._left())))
            if held:
                raise HealError(held)
            now, left, command = self._means.clock(), self._left(), self._means.command
            done = undo(remedy, record.before, around, self._audit, number, by, now, left, command=command)
            words = f"undone, {done}"
            beside.worse(Deadline(0.0))  # as they are since, for the report
        except HealError as error:
            words = f"not undone, {error}"
        return replace(record, worse=worse, beside=beside.seen, undone=words)

    def _worse(self, beside: Beside, seconds: float) -> tuple[tuple[str, ...], bool]:
        """Return the neighbours that are worse, and stay so for so long; and whether looking ended before that could
        be told."""
        looking, cut = self._looking(seconds)
        if cut and not self._left():
            return (), bool(beside.before)
        worse = beside.worse(Deadline(looking))
        over = bool(worse) and (cut or not self._left())
        return () if over else worse, over

    @contextmanager
    def _connection(self, host: Host, rule: HealRule, limit: Deadline) -> Iterator[_Way]:
        """Connect to the host: for the healing mark, and for a remedy that works there."""
        name = f"{self._report.stack} {self._report.env} {host.name}"
        marked = (host, name, rule.name, healer(self._state), self._means.marks, partial(self._opened, host))
        try:
            transport = self._means.open_transport(host, limit)
        except InfratestError as error:
            yield _Way(mark=Mark(None, *marked), error=error)
            return
        try:
            yield _Way(mark=Mark(transport, *marked), transport=transport)
        finally:
            transport.close()

    def _opened(self, host: Host, deadline: Deadline) -> Transport:
        """Return a new connection to a host as it is now."""
        return self._means.open_transport(self._means.now(host, deadline), deadline)

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
        counts.settle(self._state, self._report.env, id, at)
        self._rows[id] = counts.Row(last=at)


def _signal(stop: KeyboardInterrupt) -> str:
    return str(stop) or "SIGINT"
