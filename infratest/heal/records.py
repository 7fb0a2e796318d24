"""What healing did, or why it did nothing: the record of one decision, the words for a line, the report after it.

Made by the heal engine; read by the audit, the outputs and the command line. Values only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infratest.cleaning import clean
from infratest.heal.gates import BUDGET, QUALIFY, Answer, refusals
from infratest.model import Report, Result
from infratest.stack.declared import HealRule
from infratest.states import OK

REFUSED, WOULD, TRIED, RECOVERED = "refused", "would", "tried", "recovered"
HEALED, FAILED = "healed", "failed"

#: Bytes of a command's own words that the audit keeps of each fact.
EVIDENCE_LIMIT = 1000


@dataclass(frozen=True, kw_only=True)
class HealRecord:
    """One decision about one result.

    Args:
        time: when, in seconds since the epoch. outcome: REFUSED by a gate; WOULD act, if it were allowed to; TRIED;
        or RECOVERED, found ok when looked at again before acting. rung: index in the ladder. remedy: in a few words.
        command: what was run. problem: when the problem began. before, after: the result then; after is None where
        nobody looked again. error: why the remedy could not be applied, or empty. words: the remedy's own.
        dry: nothing was done nor stored, by the user's wish.
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

    @property
    def verified(self) -> bool:
        """Whether the failed scenario was run again after the act and held."""
        return self.outcome == TRIED and self.after is not None and self.after.state == OK

    @property
    def ending(self) -> str:
        """Return how it ended in one word: healed, failed, or the outcome where nothing was done."""
        if self.outcome != TRIED:
            return self.outcome
        return HEALED if self.verified else FAILED

    @property
    def reason(self) -> str:
        """Return why nothing was done, or else what the remedy said."""
        refused = next((answer.reason for answer in self.gates if not answer.passed), "")
        return clean(self.error or refused or self.words, 500)

    @property
    def approved_by(self) -> str:
        return f"mode {self.rule.mode} of rule {self.rule.name} in {self.rule.where or 'the stack file'}"

    def as_dict(self, env: str) -> dict[str, Any]:
        """Return the audit's record."""
        return {
            "time": self.time,
            "event": self.outcome,
            "env": env,
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
            "duration": round(self.duration, 3),
            "mode": self.rule.mode,
            "approved_by": self.approved_by,
        }


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


def note(records: Sequence[HealRecord]) -> list[str]:
    """Return the words for a status line: what was healed, given up, only observed or refused, each once.

    Only the last decision about a result counts. Hosts are named where more than one is concerned. A result that a
    gate finds unknown or blocked is said by the line already, so nothing is added.
    """
    last = {record.before.id: record for record in records}
    several = len({record.before.host for record in last.values()}) > 1
    mended = {record.before.host for record in last.values() if record.verified}
    found = []
    for record in last.values():
        if record.outcome == RECOVERED and record.before.host in mended:
            continue  # the act that healed its neighbour has healed it too, and is said already
        words = _words(record, f" on {record.before.host}" if several else "")
        if words and words not in found:
            found.append(words)
    return found


def _words(record: HealRecord, on: str) -> str:
    was = record.before.state.upper()
    if record.verified:
        return f"healed: {record.remedy}{on}, was {was}"
    if record.outcome == RECOVERED:
        return f"ok again before anything was done{on}, was {was}"
    if record.outcome == TRIED:
        now = record.after.state.upper() if record.after is not None else was
        why = f" ({clean(record.error, 200)})" if record.error else ""
        return f"{record.remedy}{on} did not help{why}, now {now}"
    if record.outcome == WOULD:
        return f"would {record.remedy}{on} ({'dry run' if record.dry else record.rule.mode})"
    refused = {answer.name: answer.reason for answer in refusals(record.gates)}
    if QUALIFY in refused:
        return ""
    if BUDGET in refused:
        return f"healing gave up after {record.rule.tries} tries{on}"
    return f"not healed{on}: {next(iter(refused.values()), 'no reason')}"


def applied(report: Report, records: Sequence[HealRecord]) -> Report:
    """Return the report as it is after healing: healed results with their new state, and the words as notes."""
    after = {record.before.id: record.after for record in records if record.after is not None}
    results = [after.get(result.id, result) for result in report.results]
    healed: Report = report.changed(results=results, notes=(*report.notes, *note(records)))
    return healed
