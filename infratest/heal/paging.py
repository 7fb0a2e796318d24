"""The end of a ladder: who is told, once a problem, when nothing on it has helped. Called by the heal engine.

A drill tells nobody, and neither does a stack whose monitor has no receivers: there the check's own line is all.
"""

from __future__ import annotations

from dataclasses import replace

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InfratestError
from infratest.heal.audit import Audit
from infratest.heal.gates import BUDGET, refusals
from infratest.heal.ladder import page, rungs
from infratest.heal.means import Means
from infratest.heal.records import REFUSED, TRIED, HealRecord
from infratest.remedies.base import Surroundings

#: Seconds that all who are told have together.
SECONDS = 20.0


def ended(record: HealRecord) -> bool:
    """Whether the ladder is at its end: its last rung did not help, or no try is left."""
    if record.worse:
        return True
    if record.outcome == TRIED:
        return not record.verified and not record.verifying and record.rung + 1 >= len(rungs(record.rule))
    closed = {answer.name for answer in refusals(record.gates)}
    return record.outcome == REFUSED and BUDGET in closed and closed <= {BUDGET, "wait"}


def paged(record: HealRecord, means: Means, audit: Audit, seconds: float) -> HealRecord:
    """Tell people, where this record is the end of its ladder and they were not told of this problem before.

    Args:
        seconds: that are left.
    """
    if means.page is None or means.drilled or not ended(record) or audit.paged(record):
        return record
    host = means.hosts[record.before.host]
    around = Surroundings(host=host, transport=None, folder=means.folder, provision=means.provision,
                          environment=means.variables, page=means.page)  # fmt: skip
    seen = record.after or record.before
    words = record.error or record.reason
    told = seen.changed(reason=clean(f"{seen.reason}; healing is at its end: {record.remedy}: {words}", 500))
    try:
        outcome = page(record.rule).apply(told, around, Deadline(min(SECONDS, seconds)))
    except InfratestError as error:
        return replace(record, paged=f"nobody could be told: {clean(str(error), 200)}")
    audit.page(record, means.clock(), outcome.words)
    return replace(record, paged=outcome.words)
