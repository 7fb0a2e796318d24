"""What healing did, or why it did nothing: the record of one decision, the words for a line, the report after it.

Made by the heal engine; read by the audit, the outputs and the command line. Values only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infratest.cleaning import clean
from infratest.heal.gates import BUDGET, GROUP_BUDGET, MODE, ONE_CAUSE, QUALIFY, SETTLING, Answer, moment, refusals
from infratest.heal.rules import same_failure
from infratest.model import Report, Result
from infratest.quoting import command_line
from infratest.stack.declared import HealRule
from infratest.states import OK
from infratest.units import human

REFUSED, WOULD, PROPOSED, TRIED, RECOVERED = "refused", "would", "proposed", "tried", "recovered"
#: How it begins who let it act, of a drill.
A_DRILL = "a drill by "
HEALED, FAILED, VERIFYING = "healed", "failed", "verifying"

#: Bytes of a command's own words that the audit keeps of each fact.
EVIDENCE_LIMIT = 1000


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What was seen of one thing that a rule collects, or why it could not be."""

    what: str
    words: str = ""
    error: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it for the audit: masked, and bounded."""
        found = {"what": clean(self.what, 200), "words": clean(self.words, EVIDENCE_LIMIT, lines=True)}
        return found | ({"error": clean(self.error, 200)} if self.error else {})


@dataclass(frozen=True, kw_only=True)
class HealRecord:
    """One decision about one result.

    Args:
        time: when, in seconds since the epoch. outcome: REFUSED by a gate; WOULD act, if it were allowed to; PROPOSED
        to a person; TRIED; or RECOVERED, found ok when looked at again before acting. rung: index in the ladder.
        remedy: in a few words. command: what was run. problem: when the problem began. before, after: the result then;
        after is None where nobody looked again. error: why the remedy could not be applied, or empty. words: the
        remedy's own. dry: nothing was done nor stored, by the user's wish. verifying: there was no time left to see
        whether it helped, or people want nothing done there: a later check tells, and undoes what made something worse.
        again: when a rule that has given up begins again, in seconds since the epoch. flapping: how often it has healed
        this host before within its window, where that is often. later: a check before has done it, and this one has
        seen what came of it. by: who let it act, where that is not its mode.
        proposal: the id of the proposal that waits, or was used, empty without one. paged: who was told that the ladder
        is at its end, empty where it is not, or they knew. collected: what was seen of what the rule collects, before
        anything was touched. worse: ids of neighbours that are worse since; beside: those as seen last. undone: what
        came of undoing it, or empty. kept: the provider's id of what an undo would bring back, or empty. drill:
        a drill was under way, of whatever rule: what it breaks says nothing of other days. seen: of one that was TRIED,
        when it had been looked at how it went, in seconds since the epoch; None where nobody has come to that; where it
        is `later`, when `after` was seen. earlier: when problems before this one began whose failures confirm it, too:
        it flaps. ended: when the act had, in seconds since the epoch; None where there was none, or it has failed.
        known: it is told once more, and nothing was seen since.
    """

    time: float
    rule: HealRule
    outcome: str
    gates: tuple[Answer, ...]
    rung: int
    remedy: str
    before: Result
    problem: float | None = None
    command: str = ""
    words: str = ""
    error: str = ""
    after: Result | None = None
    duration: float = 0.0
    dry: bool = False
    verifying: bool = False
    again: float | None = None
    flapping: int = 0
    later: bool = False
    by: str = ""
    proposal: str = ""
    paged: str = ""
    collected: tuple[Collected, ...] = ()
    worse: tuple[str, ...] = ()
    beside: tuple[Result, ...] = ()
    undone: str = ""
    kept: str = ""
    drill: bool = False
    seen: float | None = None
    earlier: tuple[float, ...] = ()
    ended: float | None = None
    known: bool = False

    @property
    def verified(self) -> bool:
        """Whether the act was done, and the failed scenario held after it, and no neighbour is worse or unseen."""
        return self._holds and not self.error

    @property
    def by_itself(self) -> bool:
        """Whether the act has failed, and all is well nevertheless: nobody knows why, and it is no heal."""
        return self._holds and bool(self.error)

    @property
    def _holds(self) -> bool:
        holds = self.outcome == TRIED and self.after is not None and self.after.state == OK
        return holds and not self.worse and not self.verifying

    @property
    def ending(self) -> str:
        """Return how it ended in one word: healed, failed, recovered by itself, or the outcome of what was not done."""
        if self.outcome != TRIED or self.by_itself:
            return RECOVERED if self.by_itself else self.outcome
        return HEALED if self.verified else VERIFYING if self._open else FAILED

    @property
    def _open(self) -> bool:
        """Whether the act was done, and nobody has seen yet what came of it."""
        return self.verifying and not self.worse and not self.error

    @property
    def reason(self) -> str:
        """Return why nothing was done, or else what the remedy said."""
        refused = next((answer.reason for answer in self.gates if not answer.passed), "")
        return clean(self.error or refused or self.words, 500)

    @property
    def approved_by(self) -> str:
        return self.by or f"mode {self.rule.mode} of rule {self.rule.name} in {self.rule.where or 'the stack file'}"

    def as_dict(self, place: Mapping[str, str]) -> dict[str, Any]:
        """Return the audit's record. Args: place: whose it is, by `stack` and `env`."""
        return {
            "time": self.time,
            "event": self.outcome,
            **place,
            "rule": self.rule.name,
            "id": self.before.id,
            "host": self.before.host,
            "gates": [{"name": a.name, "passed": a.passed, "reason": a.reason} for a in self.gates],
            "rung": self.rung,
            "remedy": clean(self.remedy),
            "command": clean(self.command),
            "words": clean(self.words),
            "error": clean(self.error),
            "problem": self.problem,
            "before": _seen(self.before),
            "after": None if self.after is None else _seen(self.after),
            "verified": self.verified,
            "verifying": self.verifying,
            "duration": round(self.duration, 3),
            "seen": self.seen,
            "ended": self.ended,
            "mode": self.rule.mode,
            "approved_by": self.approved_by,
            "proposal": self.proposal,
            "worse": list(self.worse),
            "undone": clean(self.undone),
            "kept": clean(self.kept),
            "drill": self.drill,
            **({"gone": True} if self.by_itself else {}),
        }


def in_drill(record: Mapping[str, Any]) -> bool:
    """Whether a record of the audit is from a drill. Older ones say so of the drilled rule alone."""
    return bool(record.get("drill")) or str(record.get("approved_by", "")).startswith(A_DRILL)


def _seen(result: Result) -> dict[str, Any]:
    """Return a result's state and what it rests on: the sentences that do not hold, with what the host answered."""
    failing = [step for step in result.steps if step.state != OK]
    return {
        "state": result.state,
        "reason": clean(result.reason),
        "steps": [
            {
                "text": clean(step.text),
                "reason": clean(step.reason),
                "evidence": [
                    evidence.as_dict() | {"output": clean(evidence.output, EVIDENCE_LIMIT, lines=True)}
                    for evidence in step.evidence
                ],
            }
            for step in failing
        ],
    }


def _command(*words: str) -> str:
    return command_line(["infratest", *words])


def note(records: Sequence[HealRecord], command: Callable[..., str] = _command) -> list[str]:
    """Return the words for a status line: what was healed, given up, only observed or refused, each once.

    Only the last decision about a result counts, but what a heal has made worse is said before what follows. Hosts are
    named where more than one is concerned. A result that a gate finds unknown or blocked is said by the line already,
    so nothing is added.

    Args:
        command: returns the command line of these words, as a person has to type it.
    """
    last = {record.before.id: record for record in records}
    last |= {record.before.id: record for record in records if record.worse}
    milder = {
        id: [one.remedy for one in records if one.before.id == id and one.outcome == TRIED and one is not record]
        for id, record in last.items()
    }
    several = len({record.before.host for record in last.values()}) > 1
    mended = {record.before.host for record in last.values() if record.verified}
    found = []
    for record in last.values():
        if record.outcome == RECOVERED and record.before.host in mended:
            continue  # the act that healed its neighbour has healed it too, and is said already
        words = _words(record, f" on {record.before.host}" if several and record.before.host != "-" else "", command)
        missed = sum(bool(one.error) for one in record.collected)
        if words and missed:
            words += f"; {missed} of {len(record.collected)} of `collect:` could not be seen"
        # It may be a verdict on the act before this decision that was told.
        told = next((one.paged for one in reversed(records) if one.before.id == record.before.id and one.paged), "")
        if words and told:
            words += f"; page: {clean(told, 200)}"
        if words and milder[record.before.id]:
            words += f"; before it {' and '.join(milder[record.before.id])} did not help"
        if words and words not in found:
            found.append(words)
    return found


def _words(record: HealRecord, on: str, command: Callable[..., str]) -> str:
    was = record.before.state.upper()
    if record.verified:
        often = (
            f"; flapping, healed {record.flapping} times before in {human(record.rule.per, 's')}"
            if record.flapping
            else ""
        )
        return f"healed: {record.remedy}{on}, was {was}{often}"
    if record.ending == VERIFYING:
        return f"verifying: {record.remedy}{on} is done, the next check tells whether it helped"
    if record.outcome == RECOVERED:
        return f"ok again before anything was done{on}, was {was}"
    if record.outcome == TRIED and record.later and record.after is None:
        return f"not verified: {record.remedy}{on}, {record.error}"
    if record.by_itself:
        return f"ok again by itself{on}, was {was}: {record.remedy} had failed ({clean(record.error, 200)})"
    if record.outcome == TRIED:
        now = record.after.state.upper() if record.after is not None else was
        why = f" ({clean(record.error, 200)})" if record.error else ""
        if record.worse:
            return f"{record.remedy}{on} made {', '.join(record.worse[:3])} worse, now {now}: {record.undone}; given up"
        return f"{record.remedy}{on} did not help{why}, now {now}{_otherwise(record)}"
    if record.outcome == WOULD:
        closed = next((one.reason for one in refusals(record.gates) if one.name != MODE), record.rule.mode)
        return f"would {record.remedy}{on} ({'dry run' if record.dry else clean(closed, 200)})"
    if record.outcome == PROPOSED:
        ask = f"`{command('heal', 'approve', record.proposal)}`"
        return (
            f"waits for approval: {clean(record.remedy, 120)}{on}; {ask}"
            if record.proposal
            else f"would propose {record.remedy}{on}"
        )
    return _words_of_refused(record, on)


def _otherwise(record: HealRecord) -> str:
    """Say that it fails in another way since an act, where it does."""
    rule, after = record.rule, record.after
    if after is None or after.state != rule.when_state or same_failure(rule, record.before, after):
        return ""
    return f" by another failure: {clean(after.reason, 200)}"


def _words_of_refused(record: HealRecord, on: str) -> str:
    refused = {answer.name: answer.reason for answer in refusals(record.gates)}
    if QUALIFY in refused and (record.before.blocked_by is not None or record.before.state != record.rule.when_state):
        return ""
    if SETTLING in refused:
        return f"not healed{on}: {refused[SETTLING]}"  # the last try of a budget may help yet
    if BUDGET in refused:
        again = "the rule allows none" if record.again is None else f"it begins again {moment(record.again)}"
        return f"healing gave up after {record.rule.tries} {'try' if record.rule.tries == 1 else 'tries'}{on}: {again}"
    if GROUP_BUDGET in refused:
        return f"healing gave up{on}: {refused[GROUP_BUDGET]}"
    if next(iter(refused), "") == ONE_CAUSE:
        return f"not healed: {refused[ONE_CAUSE]}"  # the same words for all of it: it is told as one
    return f"not healed{on}: {next(iter(refused.values()), 'no reason')}"


def applied(report: Report, records: Sequence[HealRecord], command: Callable[..., str] = _command) -> Report:
    """Return the report as it is after healing: healed results with their new state, and the words as notes.

    Args:
        command: as for `note`.
    """
    after = {record.before.id: record.after for record in records if record.after is not None}
    after |= {result.id: result for record in records for result in record.beside}
    asked = {result.id for result in report.results}
    results = [after.get(result.id, result) for result in report.results]
    # What a heal has made worse is told, although somebody asked for another scenario alone.
    results += [result for record in records for result in record.beside if result.id not in asked]
    healed: Report = report.changed(
        results=results,
        notes=(*report.notes, *note(records, command)),
        healed=sum(record.verified for record in records),
        tries=sum(record.outcome == TRIED and not record.later for record in records),
    )
    return healed


def looked_again(records: Sequence[HealRecord], looked: float, now: float) -> dict[str, float]:
    """Return by id when each result was seen at which the engine has looked itself, in seconds since the epoch.

    What was acted on, and what stands beside it, was looked at just now; what tells of a heal before, when that was.

    Args:
        looked: when the report was made.
    """
    found = dict[str, float]()
    for record in records:
        at = now if not record.later else looked if record.seen is None else record.seen
        if record.after is not None and not (record.later and at <= looked):
            found[record.before.id] = at
        found |= {result.id: now for result in record.beside}
    return found
