"""May this result be healed now? Pure: every gate gets rule, result and situation, and answers with a reason.

The heal engine asks all of them before every single act, and the audit keeps every answer. Where one refuses, nothing
is done; where only those refuse that a person's approval opens, the record says what would have been done. What people
want (`SUPPRESSED`) may take seconds to learn, so that it is asked only where none of the others refuses for good.
A gate is a function in one of the files here, and a line in `GATES`.
"""

from __future__ import annotations

from collections.abc import Iterable

from infratest.heal.gates import autonomy, change, group, leave, outside, tries
from infratest.heal.gates import result as of_result
from infratest.heal.gates.situation import ALWAYS, Answer, Changes, Limits, Seen, Situation, Stored, Try, moment
from infratest.heal.gates.tries import begins_again, flapping, settling_time, waiting_time
from infratest.model import Result
from infratest.stack.declared import HealRule

__all__ = (
    "ALWAYS", "BLAST_RADIUS", "BUDGET", "CHANGE", "FLOOR", "FRESH", "GATES", "GROUP_BUDGET", "MODE", "ONE_CAUSE",
    "OPENED_BY_APPROVAL", "PROOF", "QUALIFY", "SEEN", "SETTLING", "SUPPRESSED", "TRUST", "WAIT", "Answer", "Changes",
    "Limits", "Seen", "Situation", "Stored", "Try", "begins_again", "flapping", "gates", "moment", "refusals",
    "settling_time", "waiting_time",
)  # fmt: skip

MODE = "mode"
SETTLING = "settling"
BUDGET, GROUP_BUDGET, WAIT = "budget", "group budget", "wait"
QUALIFY = "qualify"
FRESH = "fresh"
SUPPRESSED = "suppressed"
PROOF, TRUST = "proof", "trust"
SEEN, ONE_CAUSE, CHANGE = "seen", "one cause", "change"
BLAST_RADIUS, FLOOR = "blast radius", "floor"
#: The gates that a person's approval opens.
OPENED_BY_APPROVAL = (PROOF, TRUST, CHANGE, MODE)
#: In the order in which they are asked; the first that refuses is what a line says.
GATES = {
    QUALIFY: of_result.qualify,
    FRESH: of_result.fresh,
    "target": of_result.target,
    "confirm": of_result.confirm,
    SUPPRESSED: leave.suppressed,
    "pause": leave.pause,
    "witness": outside.witness,
    SEEN: outside.seen,
    ONE_CAUSE: outside.one_cause,
    BLAST_RADIUS: group.blast_radius,
    FLOOR: group.floor,
    "concurrency": tries.concurrency,
    SETTLING: tries.settling,
    "together": tries.together,
    BUDGET: tries.budget,
    GROUP_BUDGET: tries.group_budget,
    WAIT: tries.wait,
    "time": leave.time,
    "fence": outside.fence,
    PROOF: autonomy.proof,
    TRUST: autonomy.trust,
    CHANGE: change.change,
    MODE: autonomy.mode,
}


def gates(rule: HealRule, result: Result, situation: Situation) -> list[Answer]:
    """Return every gate's answer, in their order."""
    return [
        Answer(name=name, passed=passed, reason=reason)
        for name, gate in GATES.items()
        for passed, reason in (gate(rule, result, situation),)
    ]


def refusals(answers: Iterable[Answer]) -> list[Answer]:
    """Return the gates that refused."""
    return [answer for answer in answers if not answer.passed]
