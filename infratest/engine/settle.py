"""Sentences asked until they settle: once, or again and again for `within` and `for`. Collects and judges in rounds.

A round asks, of every location at once, only what the sentences still open need. Where somebody wants to know early,
a sentence is judged as soon as all that it needs is there, by the thread that collects; else when the round is over.
"""

from __future__ import annotations

import gc
import time

from infratest.check import CONTROLLER
from infratest.engine.judge import Verdict, judge
from infratest.plan.tasks import needs_of
from infratest.states import OK, UNKNOWN, WARNING
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Protocol

    from infratest.collect.asked import Batch, Facts, OnBatch
    from infratest.deadline import Deadline
    from infratest.errors import TransportError
    from infratest.facts.base import Need
    from infratest.model import Cost
    from infratest.plan.tasks import CheckStep

if TYPE_CHECKING:

    class Collects(Protocol):
        """What asks for facts: the collector of many hosts, or of this machine alone."""

        @property
        def cost(self) -> Cost: ...

        def collect(
            self, needs: Mapping[str, Iterable[Need]], deadline: Deadline, on_batch: OnBatch | None = None
        ) -> Facts: ...

        def close(self) -> None: ...


#: Seconds between two rounds: short at first, since most things come up soon, and never longer than the last.
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.0)

#: Seconds that one round may take; a host that answers nothing for so long is not answering.
ROUND_SECONDS = 60.0


class Uncollected:
    """A block within which no cycles are looked for; where nobody did before, nobody does after.

    The collector of cycles walks through all objects that live, plan and imports included, each time enough new ones
    have been made, and every answer makes many: with 200 hosts it cost a fifth of a cycle's CPU, and made a cycle
    dearer for each host the more hosts there are. What a round makes holds next to no cycles; they are found after it.
    """

    def __enter__(self) -> None:
        self._collects = gc.isenabled()
        gc.disable()

    def __exit__(self, *failure: object) -> None:
        if self._collects:
            gc.enable()


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


def settle(
    items: Sequence[Item],
    collector: Collects,
    deadline: Deadline,
    blocked: dict[str, TransportError],
    settled: Callable[[Item], None] | None = None,
) -> None:
    """Ask until every item has its final verdict, at the latest at the deadline. Verdicts are put into the items.

    Args:
        blocked: gets the locations that could not be asked, and why; one that could be later stays.
        settled: called with items whose verdicts are final while others are still being asked, not of those after them.
    """
    started = time.monotonic()
    pending = list(items)
    round_number = 0
    while pending:
        begun = time.monotonic() - started
        with Uncollected():
            needs, until = needs_of(item.step for item in pending), deadline.at_most(ROUND_SECONDS)
            early = None
            if settled is not None and (len(needs) > 1 or CONTROLLER in needs):
                early = _Early(pending, started, deadline, blocked, settled)
            facts = collector.collect(needs, until, early) if early else collector.collect(needs, until)
            blocked.update(facts.blocked)
            elapsed = time.monotonic() - started
            left = early.left() if early else pending
            pending = [item for item in left if not _settled(item, facts, begun, elapsed, deadline)]
        if pending:
            pause = PAUSES[min(round_number, len(PAUSES) - 1)]
            time.sleep(min(pause, deadline.left, *(_left(item, elapsed) for item in pending)))
        round_number += 1


class _Early:
    """The items of one round, each judged when the last of what it waits for has come."""

    def __init__(
        self,
        items: Sequence[Item],
        started: float,
        deadline: Deadline,
        blocked: dict[str, TransportError],
        settled: Callable[[Item], None],
    ) -> None:
        self._items = items
        self._started = started
        self._begun = time.monotonic() - started
        self._deadline = deadline
        self._blocked = blocked
        self._on_settled = settled
        self._settled: set[int] = set()
        self._waiting: dict[Batch, list[Item]] = {}
        self._missing: dict[int, int] = {}
        for item in items:
            batches = {need if place == CONTROLLER else place for place, need in item.step.needed}
            self._missing[id(item)] = len(batches)
            for batch in batches:
                self._waiting.setdefault(batch, []).append(item)

    def __call__(self, batch: Batch, facts: Facts) -> None:
        """Judge what waited for this batch alone."""
        if isinstance(batch, str) and batch in facts.blocked:
            self._blocked[batch] = facts.blocked[batch]
        for item in self._waiting.pop(batch, ()):
            self._missing[id(item)] -= 1
            if not self._missing[id(item)] and self._final(item, facts):
                self._settled.add(id(item))
                self._on_settled(item)

    def _final(self, item: Item, facts: Facts) -> bool:
        return _settled(item, facts, self._begun, time.monotonic() - self._started, self._deadline)

    def left(self) -> list[Item]:
        """Return what has not settled."""
        return [item for item in self._items if id(item) not in self._settled]


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
