"""Sentences asked until they settle: once, or again and again for `within` and `for`. Collects and judges in rounds.

A round asks, of every location at once, only what the sentences still open need.
"""

from __future__ import annotations

import time

from infratest.engine.judge import Verdict, judge
from infratest.engine.tasks import needs_of
from infratest.states import OK, UNKNOWN, WARNING
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Protocol

    from infratest.deadline import Deadline
    from infratest.engine.asked import Facts
    from infratest.engine.tasks import CheckStep
    from infratest.errors import TransportError
    from infratest.facts.base import Need
    from infratest.model import Cost

if TYPE_CHECKING:

    class Collects(Protocol):
        """What asks for facts: the collector of many hosts, or of this machine alone."""

        @property
        def cost(self) -> Cost: ...

        def collect(self, needs: Mapping[str, Iterable[Need]], deadline: Deadline) -> Facts: ...

        def close(self) -> None: ...


#: Seconds between two rounds: short at first, since most things come up soon, and never longer than the last.
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.0)

#: Seconds that one round may take; a host that answers nothing for so long is not answering.
ROUND_SECONDS = 60.0


class Item:
    """A sentence that is being asked: of which severity, until when at most, and its verdict so far.

    `limit`: seconds of `@timeout:`, or None; a single answer that took longer is not taken.
    """

    def __init__(self, step: CheckStep, severity: str, deadline: Deadline, limit: float | None = None) -> None:
        self.step = step
        self.severity = severity
        self.deadline = deadline
        self.limit = limit
        self.verdict: Verdict | None = None
        self.first: float | None = None  # seconds after the start at which its first answers were all there
        self.mild: Verdict | None = None  # of `for`: its first warning, while nothing worse is seen


class Settled:
    """What came of a stretch: locations that could not be asked in the last round that asked them."""

    def __init__(self) -> None:
        self.blocked: dict[str, TransportError] = {}


def settle(items: Sequence[Item], collector: Collects, deadline: Deadline) -> Settled:
    """Ask until every item has its final verdict, at the latest at the deadline. Verdicts are put into the items."""
    outcome = Settled()
    started = time.monotonic()
    pending = list(items)
    round_number = 0
    while pending:
        begun = time.monotonic() - started
        facts = collector.collect(needs_of(item.step for item in pending), deadline.at_most(ROUND_SECONDS))
        outcome.blocked = {**{k: v for k, v in outcome.blocked.items() if k not in _asked(pending)}, **facts.blocked}
        elapsed = time.monotonic() - started
        pending = [item for item in pending if not _settled(item, facts, begun, elapsed, deadline)]
        if pending:
            pause = PAUSES[min(round_number, len(PAUSES) - 1)]
            time.sleep(min(pause, deadline.left, *(_left(item, elapsed) for item in pending)))
        round_number += 1
    return outcome


def _asked(pending: Sequence[Item]) -> set[str]:
    return {look.location for item in pending for look in item.step.looks}


def _left(item: Item, elapsed: float) -> float:
    if item.step.tail.within is not None:
        return max(0.01, item.step.tail.within - elapsed)
    return max(0.01, (item.step.tail.during or 0.0) - (elapsed - (item.first or 0.0)))


def _timely(item: Item, facts: Facts, verdict: Verdict) -> Verdict:
    """Return the verdict, or unknown where an answer (of a command, of a server) took longer than its scenario may."""
    if item.limit is None:
        return verdict
    values = (facts.at(look.location).get(need) for look in item.step.looks for need in look.check.needed)
    took = max((getattr(value, "seconds", None) or 0.0 for value in values), default=0.0)
    if took <= item.limit:
        return verdict
    late: Verdict = verdict.changed(
        state=UNKNOWN, reason=f"our own deadline of {human(item.limit, 's')} passed: the answer took {human(took, 's')}"
    )
    return late


def _settled(item: Item, facts: Facts, begun: float, elapsed: float, deadline: Deadline) -> bool:
    """Judge an item on new facts; return whether its verdict is final.

    Args:
        begun, elapsed: seconds after the start at which this round was asked, and at which its answers were there.
    """
    verdict = _timely(item, facts, judge(item.step, facts, item.severity))
    tail = item.step.tail
    if tail.within is not None:
        # Not given up before a round that began when the time was over: a slow one tells how it was at its begin.
        final = verdict.state == OK or begun >= tail.within
        told = f" (asked for {human(elapsed, 's')}, within {human(tail.within, 's')})"
    elif tail.during is not None:
        # Known to hold from the end of the first round to the begin of this one, however long each of them takes.
        item.first = elapsed if item.first is None else item.first
        item.mild = item.mild or (verdict if verdict.state == WARNING else None)
        final = verdict.state not in (OK, WARNING) or begun - item.first >= tail.during
        verdict = item.mild if final and item.mild and verdict.state == OK else verdict
        told = f" (after {human(elapsed, 's')} of the {human(tail.during, 's')} it must hold)"
    else:
        item.verdict = verdict
        return True
    if not final and (deadline.passed or item.deadline.passed):
        final = True
        seconds = item.deadline.seconds if item.deadline.passed else deadline.seconds
        verdict = Verdict(
            state=UNKNOWN,
            reason=f"our own deadline of {human(seconds, 's')} passed before it could be known{told}",
            observations=verdict.observations,
            evidence=verdict.evidence,
        )
    elif verdict.state != OK:
        verdict = Verdict(
            state=verdict.state,
            reason=verdict.reason + told,
            observations=verdict.observations,
            evidence=verdict.evidence,
            blocked=verdict.blocked,
        )
    item.verdict = verdict
    return final
