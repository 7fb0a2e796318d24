"""The end of a ladder: who is told, once a problem, when nothing on it has helped. Called by the heal engine.

A drill tells nobody, and neither does a stack whose monitor has no receivers: there the check's own line is all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import HealError, InfratestError
from infratest.heal.audit import Audit
from infratest.heal.gates import BUDGET, GROUP_BUDGET, OPENED_BY_APPROVAL, SUPPRESSED, WAIT, refusals
from infratest.heal.ladder import page, rungs
from infratest.heal.means import Means
from infratest.heal.neighbours import RANKS
from infratest.heal.records import FAILED, PROPOSED, REFUSED, TRIED, WOULD, HealRecord
from infratest.hosts import Host
from infratest.model import Result
from infratest.remedies.base import Surroundings
from infratest.stack.declared import OBSERVE

#: Seconds that all who are told have together.
SECONDS = 20.0


#: The gate that the engine asks: whether a heal like this was undone, or made something worse.
GIVEN_UP = "given up"
#: The gates that refuse where no try is left.
SPENT = (BUDGET, GROUP_BUDGET)


def ended(record: HealRecord, audit: Audit) -> bool:
    """Whether the ladder is at its end.

    Its last rung did not help, it has made something worse, or no try is left, here or for the group. That a rule may
    no longer act by itself, as after such an end, or waits for its next try, changes nothing of it: who could not be
    told at once is told then.
    """
    if record.worse:
        return True
    if record.outcome == TRIED:
        return record.ending == FAILED and not record.verifying and record.rung + 1 >= len(rungs(record.rule))
    if record.outcome not in (REFUSED, PROPOSED, WOULD) or record.rule.mode == OBSERVE:
        return False
    closed = {answer.name for answer in refusals(record.gates)} - {WAIT, *OPENED_BY_APPROVAL}
    if not closed:
        return audit.failed_rung(record) + 1 >= len(rungs(record.rule))
    return closed <= {*SPENT} | ({GIVEN_UP} if audit.made_worse(record) else set())


def paged(record: HealRecord, means: Means, audit: Audit, seconds: float) -> tuple[HealRecord, bool]:
    """Tell people, where this record is the end of its ladder: each of them who was not told of this problem before.

    Nobody is told of what is to be left alone. Where another gate has refused, that was not asked yet.

    Args:
        seconds: that are left.
    Returns:
        The record, with what came of that in words; and whether nobody is left who is yet to be told. There is nobody
        where the stack file names nobody.
    """
    pager = means.page
    if pager is None or means.drilled or not ended(record, audit):
        return record, True
    knew, told, waits = audit.paged(record), list[str](), False
    limit = Deadline(min(SECONDS, seconds))
    audit.goes_on(record, means.clock(), knew)

    def tell(result: Result, to: Sequence[str], deadline: Deadline) -> str:
        nonlocal waits
        names = [name for name in pager.receivers(to) if name not in knew]
        asked = SUPPRESSED in {answer.name for answer in record.gates}
        why = means.suppressed(record.before) if names and not asked else ""
        if why:
            waits = True
            return clean(f"nobody was told: {why}", 300)
        failed, missed = [], []
        for at, name in enumerate(names):
            try:
                # One that hangs leaves the others their share.
                out = pager.deliver(result, name, deadline.at_most(deadline.left / (len(names) - at)))
            except (InfratestError, OSError) as error:
                failed.append(f"{name}: {error}")
            else:
                audit.page(record, means.clock(), name)
                told.append(name)
                missed += [f"; {name}: {out}"] if out else []
        if failed:
            waits = True
            raise HealError("; ".join(failed) + "".join(missed))
        return clean(f"{_were_told(told)}{''.join(missed)}", 300)

    try:
        out = page(record.rule).apply(_news(_with_worse(record, audit)), _around(record, means, tell), limit)
    except InfratestError as error:
        why = clean(str(error), 200)
        who = f"{_were_told(told)}; not told: " if told else "not told: " if knew else "nobody could be told: "
        return replace(record, paged=f"{who}{why}"), not waits
    return replace(record, paged=out.words), not waits


def _around(record: HealRecord, means: Means, tell: Callable[[Result, Sequence[str], Deadline], str]) -> Surroundings:
    name = record.before.host
    host = means.hosts.get(name) or Host(name=name)  # of one that is gone by now it is told all the same
    return Surroundings(host=host, transport=None, folder=means.folder, provision=means.provision,
                        environment=means.variables, page=tell)  # fmt: skip


def _with_worse(record: HealRecord, audit: Audit) -> HealRecord:
    """Return the record of what was given up, as it is told late, with what was made worse and how that is undone."""
    found = {} if record.worse else audit.worse_in_problem(record)
    if not found or GIVEN_UP not in {answer.name for answer in refusals(record.gates)}:
        return record
    worse, remedy = tuple(map(str, found["worse"])), str(found.get("remedy"))
    return replace(record, worse=worse, remedy=remedy, undone=str(found.get("undone") or "not undone"))


def _news(record: HealRecord) -> Result:
    """Return the result as people are told of it: how it ended, in the state of what is worst by then."""
    seen = record.after or record.before
    failed = f"it did not help, now {seen.state}"
    words = f"{record.remedy}: {record.reason or failed}"
    if record.outcome != TRIED and not {one.name for one in refusals(record.gates)} & {*SPENT, GIVEN_UP}:
        words = f"{record.remedy}: {failed}"  # told late: what keeps the next try back is no news of this one
    if record.worse:
        words = f"{record.remedy} made {', '.join(record.worse[:3])} worse: {record.undone}"
    worst = max((seen.state, *(one.state for one in record.beside)), key=RANKS.__getitem__)
    state = worst if RANKS[worst] else record.before.state  # by an undo all may be well, and that is no news of it
    said = f"{seen.reason}; " if seen.reason else ""
    news: Result = seen.changed(state=state, reason=clean(f"{said}healing is at its end: {words}", 500))
    return news


def _were_told(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'was' if len(names) == 1 else 'were'} told" if names else ""
