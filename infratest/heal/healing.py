"""The heal engine: from a report to acts, one at a time, each behind every gate, verified and on record.

Called by `check --heal` and `infratest heal`, through `infratest.engine.faces`. Everything it acts with is handed in:
the hosts, a way to open a connection, to provision, and to run scenarios again. It holds the stack's lock from the
first look at the counts to the last verification, so no host is ever healed by two runs at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path

from infratest import events
from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InfratestError
from infratest.heal import counts
from infratest.heal.audit import Audit
from infratest.heal.base import Remedy, Surroundings
from infratest.heal.environment import hook_environment
from infratest.heal.gates import MODE, Answer, Limits, Seen, Situation, Stored, gates, refusals
from infratest.heal.ladder import remedies, rung_due
from infratest.heal.pause import paused_until
from infratest.heal.records import RECOVERED, REFUSED, TRIED, WOULD, HealRecord
from infratest.heal.rules import rule_for
from infratest.hosts import Host
from infratest.model import Report, Result
from infratest.stack.declared import OBSERVE, HealRule
from infratest.stack.state_dir import StateDir
from infratest.states import OK, SKIPPED, UNKNOWN
from infratest.transports.base import Transport

#: Seconds between two looks while a remedy is given time to take effect; they grow by half each time.
FIRST_LOOK, LONGEST_PAUSE = 0.2, 2.0
#: Seconds in which a connection for a remedy must come about.
OPENING = 15.0


@dataclass(frozen=True, kw_only=True)
class Means:
    """What the engine acts with.

    Args:
        hosts: all hosts of the stack by name, not only those checked. folder: of the stack file.
        open_transport: returns an open connection; it is closed here. provision: provisions one host by name again.
        rerun: runs the scenarios with these ids again, over new connections where it must.
        deadline: when the whole run must have ended, or None. clock: seconds since the epoch.
    """

    hosts: Mapping[str, Host]
    folder: Path
    open_transport: Callable[[Host, Deadline], Transport]
    provision: Callable[[str, Deadline], str]
    rerun: Callable[[Sequence[str]], Report]
    deadline: Deadline | None = None
    clock: Callable[[], float] = time.time
    limits: Limits = field(default_factory=Limits)


def heal(
    report: Report,
    rules: Sequence[HealRule],
    state: StateDir,
    means: Means,
    *,
    history: Mapping[str, Stored],
    dry_run: bool = False,
    wait: float = 10.0,
) -> list[HealRecord]:
    """Heal what a rule covers and every gate allows; return a record of each decision, in the order of the results.

    The report is counted here, unless it was before. A result may lead to several records: one for each rung.

    Args:
        history: the last stored results by id; those of the report stand over older ones.
        dry_run: say what would be done; nothing is done and nothing is stored.
        wait: seconds to wait for another run to let go of the state directory.
    Raises:
        UserError: a rule, a remedy or a `@heal:` tag is wrong; nothing has been done.
        StateError: the state directory is in use or cannot be written; nothing has been done that is not on record.
    """
    work = covered(report, rules)
    if not work and not dry_run:
        # A check that finds all well waits for nobody who is at work on the stack.
        counts.record_run(state, report, means.clock())
        return []
    ladders = {rule.name: remedies(rule) for _, rule in work}
    with nullcontext() if dry_run else state.lock(wait, "heal"):
        healer = _Healer(report, state, means, history, dry_run)
        return [record for result, rule in work for record in healer.attend(result, rule, ladders[rule.name])]


def covered(report: Report, rules: Sequence[HealRule]) -> list[tuple[Result, HealRule]]:
    """Return the results that are not well, each with the rule for it.

    Raises:
        UserError: a tag `@heal:NAME` that names no rule, whatever the state of its result.
    """
    found = []
    for result in report.results:
        rule = rule_for(result, rules)
        if rule is not None and result.state not in (OK, SKIPPED):
            found.append((result, rule))
    return found


@dataclass(frozen=True, kw_only=True)
class _Case:
    """A result that may be healed, as it was last seen. `climbing`: a milder rung has just failed."""

    result: Result
    rule: HealRule
    ladder: Sequence[Remedy]
    looked: float
    climbing: bool = False


class _Healer:
    """One run of the engine over one report, under the lock."""

    def __init__(
        self, report: Report, state: StateDir, means: Means, history: Mapping[str, Stored], dry_run: bool
    ) -> None:
        self._report = report
        self._state = state
        self._means = means
        self._dry = dry_run
        self._looked = counts.started(report)
        if dry_run:
            self._rows = counts.counted(counts.load(state, report.env), report)
        else:
            self._rows = counts.record_run(state, report, means.clock())
        self._history = _overlaid(history, report, self._looked)
        self._audit = Audit(state, report.env)
        self._acted_on: set[str] = set()

    def attend(self, result: Result, rule: HealRule, ladder: Sequence[Remedy]) -> list[HealRecord]:
        """Decide and act until the result is well, a gate refuses, or no rung is left; return each decision."""
        case = _Case(result=result, rule=rule, ladder=ladder, looked=self._looked)
        if self._due_for_another_look(case):
            now = self._means.clock()
            case = replace(case, result=self._look(result), looked=now)
            if _well(case.result):
                return [self._recovered(result, case, now)]
        records = [self._decide(case)]
        while self._climbs(records[-1], ladder):
            after = records[-1].after or result
            case = replace(case, result=after, looked=self._means.clock(), climbing=True)
            records.append(self._decide(case))
        return records

    def _due_for_another_look(self, case: _Case) -> bool:
        """After an act on its host, which may have mended it too; else before acting on what is not quite new."""
        if self._dry:
            return False
        if case.result.host in self._acted_on:
            return True
        old = self._means.clock() - case.looked > self._means.limits.look_again
        return (old or bool(self._acted_on)) and not refusals(self._answers(case, self._situation(case)))

    @staticmethod
    def _climbs(record: HealRecord, ladder: Sequence[Remedy]) -> bool:
        still = record.after is not None and record.after.state == record.rule.when_state
        return record.outcome == TRIED and still and record.rung + 1 < len(ladder)

    def _answers(self, case: _Case, situation: Situation) -> tuple[Answer, ...]:
        return tuple(gates(case.rule, case.result, situation))

    def _situation(self, case: _Case) -> Situation:
        now = self._means.clock()
        return Situation(
            now=now,
            looked=case.looked,
            row=self._rows.get(case.result.id, counts.Row()),
            hosts=self._means.hosts,
            history=self._history,
            tries=self._audit.tries,
            paused=paused_until(self._state, now),
            left=inf if self._means.deadline is None else self._means.deadline.left,
            climbing=case.climbing,
            limits=self._means.limits,
        )

    def _decide(self, case: _Case) -> HealRecord:
        """Ask every gate, and act if all are open."""
        situation = self._situation(case)
        answers = self._answers(case, situation)
        problem = situation.row.since
        rung = rung_due(case.rule, case.result.host, situation.tries, situation.now if problem is None else problem)
        record = HealRecord(
            time=situation.now,
            rule=case.rule,
            outcome=TRIED,
            gates=answers,
            rung=rung,
            remedy=case.ladder[rung].describe(),
            before=case.result,
            problem=problem,
            dry=self._dry,
        )
        closed = [answer.name for answer in refusals(answers)]
        if not closed and not self._dry:
            return self._act(record, case.ladder[rung])
        would = not closed or (closed == [MODE] and case.rule.mode == OBSERVE)
        return self._written(replace(record, outcome=WOULD if would else REFUSED))

    def _recovered(self, before: Result, case: _Case, now: float) -> HealRecord:
        self._settle(before.id, now)
        return self._written(
            HealRecord(
                time=now,
                rule=case.rule,
                outcome=RECOVERED,
                gates=(),
                rung=0,
                remedy=case.ladder[0].describe(),
                before=before,
                after=case.result,
            )
        )

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

    def _act(self, record: HealRecord, remedy: Remedy) -> HealRecord:
        """Apply a remedy and see whether it helped. The try is on record before, its end after."""
        left = inf if self._means.deadline is None else self._means.deadline.left
        deadline = Deadline(min(remedy.seconds, left))
        number = self._audit.begin(record, record.time + deadline.seconds)
        self._acted_on.add(record.before.host)
        begun = time.monotonic()
        done = self._applied(record, remedy, deadline)
        done = replace(done, after=self._verified(done), duration=time.monotonic() - begun)
        if done.verified:
            self._settle(record.before.id, self._means.clock())
        self._audit.end(done, number)
        self._tell(done)
        return done

    def _applied(self, record: HealRecord, remedy: Remedy, deadline: Deadline) -> HealRecord:
        result = record.before
        host = self._means.hosts[result.host]
        failures = self._rows[result.id].failures
        try:
            with self._connection(host, remedy, deadline) as transport:
                surroundings = Surroundings(
                    host=host,
                    transport=transport,
                    folder=self._means.folder,
                    provision=self._means.provision,
                    environment=hook_environment(self._report.stack, self._report.env, result, failures, True),
                )
                outcome = remedy.apply(result, surroundings, deadline)
        except InfratestError as error:
            return replace(record, error=str(error))
        return replace(record, words=outcome.words, command=outcome.command)

    @contextmanager
    def _connection(self, host: Host, remedy: Remedy, deadline: Deadline) -> Iterator[Transport | None]:
        if not remedy.on_host:
            yield None
            return
        transport = self._means.open_transport(host, deadline.at_most(OPENING))
        try:
            yield transport
        finally:
            transport.close()

    def _verified(self, record: HealRecord) -> Result:
        """Run the failed scenario again until it holds, or the time that a remedy is given to take effect is over."""
        deadline = Deadline(0.0 if record.error else self._means.limits.settle)
        pause = FIRST_LOOK
        after = self._look(record.before)
        while not _well(after) and not deadline.passed:
            time.sleep(min(pause, deadline.left))
            pause = min(pause * 1.5, LONGEST_PAUSE)
            after = self._look(record.before)
        return after

    def _look(self, result: Result) -> Result:
        """Run one scenario again; what cannot be seen is unknown."""
        try:
            report = self._means.rerun([result.id])
        except InfratestError as error:
            return _unseen(result, f"could not be run again: {clean(str(error))}")
        again = next((found for found in report.results if found.id == result.id), None)
        if again is None:
            again = _unseen(result, f"was not run again: {clean(report.problem) or 'no such scenario now'}")
        self._history[result.id] = _seen(again, self._means.clock())
        return again

    def _settle(self, id: str, at: float) -> None:
        counts.settle(self._state, self._report.env, id, at)
        self._rows[id] = counts.Row(last=at)


def _well(result: Result) -> bool:
    return result.state == OK and result.blocked_by is None


def _unseen(result: Result, reason: str) -> Result:
    unseen: Result = result.changed(state=UNKNOWN, reason=reason, steps=())
    return unseen


def _seen(result: Result, at: float) -> Seen:
    return Seen(host=result.host, state=result.state, time=at, blocked=result.blocked_by is not None)


def _overlaid(history: Mapping[str, Stored], report: Report, looked: float) -> dict[str, Stored]:
    """Return the last stored results with this report's over those that are older."""
    seen = dict(history)
    for result in report.results:
        if result.id not in seen or seen[result.id].time <= looked:
            seen[result.id] = _seen(result, looked)
    return seen
