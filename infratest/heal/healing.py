"""The heal engine: from a report to acts, one at a time, each behind every gate, verified and on record.

Called by `check --heal` and `infratest heal`, through `infratest.project.heal`. Everything it acts with is handed in:
the hosts, a way to open a connection, to provision, and to run scenarios again. It holds the stack's lock from the
first look at the counts to the last verification, so no host is ever healed by two runs at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from math import inf

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.heal import proposals, verifying
from infratest.heal.afterwards import Afterwards
from infratest.heal.audit import Audit, window
from infratest.heal.desk import PROPOSAL, Answered, Desk
from infratest.heal.falling import falls_back
from infratest.heal.gates import (
    FRESH,
    OPENED_BY_APPROVAL,
    SETTLING,
    SUPPRESSED,
    Answer,
    Situation,
    Stored,
    Try,
    begins_again,
    flapping,
    gates,
    refusals,
)
from infratest.heal.gates.result import confirmation
from infratest.heal.ladder import remedies, rung_due
from infratest.heal.looking import overlaid, well
from infratest.heal.means import Means
from infratest.heal.neighbours import NEIGHBOURS
from infratest.heal.paging import GIVEN_UP
from infratest.heal.pause import paused_until
from infratest.heal.people import who
from infratest.heal.records import A_DRILL, PROPOSED, RECOVERED, REFUSED, TRIED, WOULD, HealRecord
from infratest.heal.rules import rule_for, same_failure
from infratest.heal.undoing import least
from infratest.heal.ways import ENDING
from infratest.model import Report, Result
from infratest.remedies.base import Remedy
from infratest.stack.declared import OBSERVE, HealRule
from infratest.states import OK, SKIPPED, WAIVED
from infratest.store import failures as counts
from infratest.store.directory import StateDir
from infratest.waivers import is_finding

#: Seconds in which a provider must say whether a host is out of service.
FENCE = 30.0


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
    ladders = {rule.name: remedies(rule) for _, rule in work}
    if not work and not dry_run and not verifying.waits(state, report.place):
        # A check that finds all well waits for nobody who is at work on the stack.
        counts.record_run(state, report, means.clock(), bool(means.drilled))
        Audit(state, report.place, means.clock(), window(rules), looking=True)
        return []
    if means.deadline is not None:
        wait = min(wait, max(0.0, means.deadline.left - ENDING))
    with nullcontext() if dry_run else state.lock(wait, "heal"):
        healer = _Healer(report, rules, state, means, history, dry_run)
        told = [] if dry_run else healer.verified_now(counts.started(report))
        for at, (result, rule) in enumerate(work):
            behind = [other.id for other, _ in work[at + 1 :] if other.host == result.host]
            told.extend(healer.attend(result, rule, ladders[rule.name], behind))
        return told if dry_run else [*healer.tell_again(), *told]  # once all looks are done


def covered(report: Report, rules: Sequence[HealRule]) -> list[tuple[Result, HealRule]]:
    """Return the results that are not well, each with the rule for it.

    Raises:
        UserError: a tag `@heal:NAME` that names no rule, whatever the state of its result; or a result whose id is
        of another host than it says itself: one of the two would be healed, and the other looked at.
    """
    found = []
    for result in report.results:
        rule = rule_for(result, rules)
        if rule is not None and result.state not in (OK, SKIPPED, WAIVED) and not is_finding(result):
            if result.id.rpartition("@")[2] != result.host:
                words = f"result {clean(result.id, 200)!r} says that it is of host {clean(result.host, 100)!r}"
                raise UserError(f"report: {words}: it was edited; check again")
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
    acted: float = -inf


class _Healer(Afterwards):
    """One run of the engine over one report, under the lock."""

    def __init__(
        self,
        report: Report,
        rules: Sequence[HealRule],
        state: StateDir,
        means: Means,
        history: Mapping[str, Stored],
        dry_run: bool,
    ) -> None:
        looked = counts.started(report)
        drill = bool(means.drilled)
        if dry_run:
            rows = counts.counted(counts.load(state, report.place), report, drill)
        else:
            rows = counts.record_run(state, report, means.clock(), drill)
        audit = Audit(state, report.place, means.clock(), window(rules), looking=dry_run)
        super().__init__(report, state, means, audit, rows, overlaid(history, report, looked), dry_run)
        self._looked, self._known = looked, {rule.name: rule for rule in rules}
        self._proposals = Desk(state, report.place, means.keys, means.reads)

    def attend(
        self, result: Result, rule: HealRule, ladder: Sequence[Remedy], behind: Sequence[str] = ()
    ) -> list[HealRecord]:
        """Decide and act until the result is well, a gate refuses, or no rung is left; return each decision.

        Args:
            behind: ids of those of its host that are attended to after it.
        """
        case, told = _Case(result=result, rule=rule, ladder=ladder, looked=self._looked), list[HealRecord]()
        if self._due_for_another_look(case):
            now, again = self._looked_again(result, behind)
            told = self._judged(again, now, self._means.limits.settle)
            if well(again):
                return told or self._waiting(again, now) or [self._recovered(result, case, again, now)]
            if self._rows.get(result.id, counts.Row()).last <= case.looked:
                case = replace(case, result=again, looked=now)
        records = [*told, self._decide(case)]
        while self._climbs(records[-1], ladder):
            last = records[-1]
            # What the rung did to the others of the group, too, is looked at before the next, stronger one.
            self._look_at_group(last.before)
            case = replace(
                case, result=last.after or result, looked=self._means.clock(), climbing=True, acted=last.time
            )
            records.append(self._decide(case))
        if not (self._dry or result.id in self._unjudged):
            records[-1] = self._ended_here(records[-1])
        return records

    def _due_for_another_look(self, case: _Case) -> bool:
        """After an act on its host, which may have mended it too; else before acting on what is not quite new."""
        if self._dry:
            return False
        if case.result.host in self._acted_on:
            return True
        situation = self._situation(case)
        closed = {answer.name for answer in refusals(self._answers(case.rule, case.result, situation))}
        age, until = situation.now - case.looked, situation.settling
        # What was done has had its time since this was seen: as it is now tells whether it helped.
        settled = closed & {SETTLING} and until is not None and until <= situation.now
        closed -= {SETTLING} if settled else set()
        if FRESH in closed and situation.row.last > case.looked and 0 <= age <= self._means.limits.look_again:
            # Overtaken by another run while this one waited: that may have mended it, and its try and its failures
            # are what closes other gates now.
            return True
        # What waits for a person may have been approved, and it is done as soon as that is asked.
        observes = OBSERVE in (case.rule.mode, situation.trust[0])
        may_act = not closed or (closed <= {*OPENED_BY_APPROVAL} and not observes)
        return (age > self._means.limits.look_again or bool(self._acted_on or settled)) and may_act

    @staticmethod
    def _climbs(record: HealRecord, ladder: Sequence[Remedy]) -> bool:
        if record.outcome != TRIED or record.worse or record.verifying or record.after is None:
            return False
        return same_failure(record.rule, record.before, record.after) and record.rung + 1 < len(ladder)

    def _answers(self, rule: HealRule, result: Result, situation: Situation) -> tuple[Answer, ...]:
        """Ask every gate; whether people want it left alone at last, where nothing refuses but a person may open it.

        That is asked of a monitor or its database, which may take seconds. What was not asked is not among the answers.
        """
        answers = gates(rule, result, situation)
        if {answer.name for answer in refusals(answers)} - {*OPENED_BY_APPROVAL}:
            return tuple(answer for answer in answers if answer.name != SUPPRESSED)
        if situation.drilled == rule.name:  # what people want of it changes nothing
            return tuple(answers)
        return tuple(gates(rule, result, replace(situation, suppressed=self._means.suppressed(result))))

    def _situation(self, case: _Case) -> Situation:
        now, row = self._means.clock(), self._rows.get(case.result.id, counts.Row())
        begun = self._audit.tries
        tries = tuple(one for one in begun if one.time >= self._means.since or not one.ended)
        return Situation(
            now=now,
            looked=case.looked,
            row=row,
            hosts=self._means.hosts,
            history=self._history,
            tries=tries,
            begun=begun,
            fence=self._fence(case, tries, now if row.since is None else row.since),
            paused=paused_until(self._state, now, self._means.resume),
            resume=self._means.resume,
            left=self._left(),
            least=self._least(case, tries, now if row.since is None else row.since),
            climbing=case.climbing,
            settling=self._settling(case, tries),
            acted=case.acted,
            unseen=tuple(self._means.unseen(case.result)),
            drilled=self._means.drilled,
            production=self._means.production,
            proof=self._means.proven(case.rule),
            trust=self._means.trusted(case.rule),
            witness=self._means.witness(),
            traits=self._means.traits(),
            changes=self._means.changes(case.rule, case.result),
            limits=self._means.limits,
        )

    def _settling(self, case: _Case, tries: Sequence[Try]) -> float | None:
        """Return until when what a rule did to a host has to take effect, where a result was seen before that.

        What has helped one result may have yet to help another one of the host.
        """
        rule, host = case.rule, case.result.host
        waiting = verifying.pending(self._state, self._report.place).items()
        done = [(one.rung, one.ended) for id, one in waiting if (one.rule, id.rpartition("@")[2]) == (rule.name, host)]
        helped = (one for one in tries if one.verified and (self._means.drilled or not one.drill))
        done += [(one.rung, one.acted) for one in helped if (one.rule, one.host) == (rule.name, host)
                 and one.id != case.result.id and one.acted is not None]  # fmt: skip
        ends = [self._takes_effect(rule, *each) for each in done]
        return max((end for end in ends if case.looked < end), default=None)

    def _fence(self, case: _Case, tries: Sequence[Try], since: float) -> tuple[bool, str] | None:
        """Ask its provider whether a host is out of service, where the rung that is due needs that."""
        host = case.result.host
        remedy = case.ladder[self._rung_due(case, tries, since)]
        if host not in self._means.hosts or not remedy.fenced or self._left() < self._least(case, tries, since):
            return None
        return self._means.replacing(host).fenced(Deadline(min(FENCE, self._left())))

    def _least(self, case: _Case, tries: Sequence[Try], since: float) -> float:
        """Return the seconds that the rung that is due is begun with at least."""
        rung, usual = self._rung_due(case, tries, since), self._means.limits.settle
        return least(case.ladder[rung], case.rule, case.rule.settle(rung, usual), usual)

    def _rung_due(self, case: _Case, tries: Sequence[Try], since: float) -> int:
        return rung_due(case.rule, case.result.host, tries, since, bool(self._means.drilled))

    def _decide(self, case: _Case) -> HealRecord:
        """Ask every gate, and act if all are open."""
        self._fall_back(case)
        situation = self._situation(case)
        answers = self._answers(case.rule, case.result, situation)
        problem = situation.row.since
        rung = self._rung_due(case, situation.tries, situation.now if problem is None else problem)
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
            by=f"{A_DRILL}{who()}" if self._means.drilled == case.rule.name else "",
            again=begins_again(case.rule, case.result, situation),
            flapping=flapping(case.rule, case.result, situation),
            drill=bool(self._means.drilled),
            earlier=situation.row.problems(case.rule.confirm_of) if case.rule.confirm_of else (),
        )
        closed = {answer.name for answer in refusals(answers)}
        gave_up, unjudged = self._audit.gave_up(record), self._unjudged.get(case.result.id, "")
        denied = "" if closed else self._denied(case.rule, case.result, problem)
        if gave_up or unjudged or denied:
            name = GIVEN_UP if gave_up else NEIGHBOURS if unjudged else PROPOSAL
            gate = Answer(name=name, passed=False, reason=gave_up or unjudged or denied)
            return self._written(replace(record, outcome=REFUSED, gates=(gate, *answers)))
        if not closed and not self._dry:
            done = self._act(record, case.ladder[rung], case.looked, partial(self._asked_again, case, None))
            if done.outcome != PROPOSED:
                return done
            situation, record = self._situation(case), replace(record, before=done.before, gates=done.gates)
        elif closed - {*OPENED_BY_APPROVAL}:
            return self._written(replace(record, outcome=REFUSED))
        if (not closed and self._dry) or OBSERVE in (case.rule.mode, situation.trust[0]):
            return self._written(replace(record, outcome=WOULD))
        return self._proposed(case, situation, record)

    def _denied(self, rule: HealRule, result: Result, problem: float | None) -> str:
        """Return who has denied this in this problem and why, in words; empty where nobody has.

        Asked of what would act by itself: what a person said no to while it waited for them is not done once nothing
        else is in its way. Where it waits for them still, the desk tells. Raises StateError: a proposal cannot be read.
        """
        for one in proposals.every(self._state, self._report.place):
            if one.state == proposals.DENIED and one.same_problem == (rule.name, result.id, problem):
                return f"proposal {one.id} was {one.answer}; it rests until this is well again"
        return ""

    def _asked_again(self, case: _Case, approved: Answered | None, result: Result, looked: float) -> tuple[Answer, ...]:
        """Ask every gate right before the act, as all is now; where none refuses, the approval is used.

        Args:
            approved: what has let it act, where that was people.
        """
        by = "" if approved is None else approved.approved
        situation = replace(self._situation(replace(case, result=result, looked=looked)), approved=by)
        answers = self._answers(case.rule, result, situation)
        if refusals(answers):
            return answers
        why = self._denied(case.rule, result, situation.row.since)
        if approved is not None and not why:
            with proposals.lock(self._state):
                why = self._proposals.use(approved.id, case.rule.approvers, situation.now)
        return (Answer(name=PROPOSAL, passed=False, reason=why), *answers) if why else answers

    def _fall_back(self, case: _Case) -> None:
        """Take from a rule what its heals over time have cost it, before it is asked how much it may do."""
        rule, result, row = case.rule, case.result, self._rows.get(case.result.id, counts.Row())
        confirmed = confirmation(rule, result, row)[0]
        if self._dry or case.climbing or self._means.drilled or not confirmed:
            return
        now = self._means.clock()
        began = now if row.since is None else row.since
        why = falls_back(rule, result.host, self._audit.tries, began, now, self._means.granted(rule))
        if why:
            self._loses(rule, why)

    def _proposed(self, case: _Case, situation: Situation, record: HealRecord) -> HealRecord:
        """Propose what a person may let it do; where that was approved, ask all gates once more and act."""
        if self._dry:
            return replace(record, outcome=PROPOSED)
        with proposals.lock(self._state):
            answer = self._proposals.answered(record, case.rule, situation)
        if answer.denied:
            gate = Answer(name=PROPOSAL, passed=False, reason=answer.denied)
            return self._written(replace(record, outcome=REFUSED, gates=(gate, *record.gates)))
        if not answer.approved:
            return self._written(replace(record, outcome=PROPOSED, proposal=answer.id))
        answers = self._answers(case.rule, case.result, replace(situation, approved=answer.approved))
        record = replace(record, gates=answers, proposal=answer.id, by=f"approved by {answer.approved}")
        if refusals(answers):
            return self._written(replace(record, outcome=REFUSED))
        again = partial(self._asked_again, case, answer)
        return self._act(record, case.ladder[record.rung], case.looked, again)

    def _recovered(self, before: Result, case: _Case, after: Result, now: float) -> HealRecord:
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
                after=after,
                drill=bool(self._means.drilled),
            )
        )
