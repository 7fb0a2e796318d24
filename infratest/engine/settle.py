"""Sentences asked until they settle: once, or again and again for `within` and `for`, each at its own pace. Judges.

What is asked together is a lane: all of a host, which has one connection, or one question from the controller. A lane
makes one round trip at a time, for whatever its sentences still need, and waits for no other lane: a sentence is judged
as soon as all that it needs is there, and asked again when it is due, whoever else is still waited for.

What `for` did not look at is not known to have held. A look tells how things were at some moment between its begin and
its end; so between two looks as much was not looked at as lies between the begin of the first and the end of the other.
"""

from __future__ import annotations

import gc

from infratest.check import CONTROLLER
from infratest.collect.asked import Facts
from infratest.engine.judge import Verdict, judge
from infratest.states import OK, UNKNOWN, WARNING
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from infratest.collect.asked import Batch, Ended
    from infratest.collect.base import Collects
    from infratest.deadline import Deadline
    from infratest.errors import TransportError
    from infratest.facts.base import Need
    from infratest.plan.tasks import CheckStep


#: Seconds between two looks: short at first, since most things come up soon, and never longer than the last.
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.0)

#: Seconds that one round trip may take; a host that answers nothing for so long is not answering.
TRIP_SECONDS = 60.0

#: Seconds that `for` may leave unseen at a stretch: the longer where it lasts at least twice as long. The pace alone
#: leaves one second; the rest is for answers that take their time, and for machines that are busy.
UNSEEN = (2.0, 3.0)


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
    """A sentence that is being asked. `limit`: seconds of `@timeout:`; an answer that took longer is not taken."""

    def __init__(self, step: CheckStep, severity: str, deadline: Deadline, limit: float | None = None) -> None:
        self.step = step
        self.severity = severity
        self.deadline = deadline
        self.limit = limit
        self.verdict: Verdict | None = None
        self.lanes: tuple[_Lane, ...] = ()
        self.size = 0
        # All moments are in seconds after the start.
        self.due = 0.0  # when it is asked next
        self.looks = 0
        self.missing = 0  # lanes that have not answered this look
        self.parts: list[tuple[Batch, Facts]] = []  # what came of this look, where it takes several lanes
        self.begun = 0.0  # when this look was
        self.before = 0.0  # when the look before it was begun
        self.first: float | None = None  # of `for`: the end of the look from which on it is known to hold
        self.unseen = 0.0  # of `for`: how long nobody looked, where that is too long
        self.mild: Verdict | None = None  # of `for`: its first warning, while nothing worse is seen
        self.failed: Verdict | None = None  # the last verdict where that was a failure


class _Lane:
    """What is asked by one round trip at a time. `questions`: of each sentence that is open. `riders`: under way."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.questions: dict[Item, tuple[Need, ...]] = {}
        self.waiting: dict[Item, None] = {}
        self.riders: dict[Item, None] = {}


def settle(
    items: Sequence[Item],
    collector: Collects,
    deadline: Deadline,
    blocked: dict[str, TransportError],
    settled: Callable[[Item], None] | None = None,
    measured: Mapping[Need, object] | None = None,
) -> None:
    """Ask until every item has its final verdict, at the latest at the deadline. Verdicts are put into the items.

    Args:
        blocked: gets the locations that could not be asked, and why; one that could be later stays.
        settled: called with items as their verdicts are final, where there is more than one host to wait for.
        measured: what is known, by acts, and not asked for.
    """
    _Settling(items, collector, deadline, blocked, settled, measured or {}).run()


class _Settling:
    """The lanes of one call of `settle`, and the sentences that are open."""

    def __init__(
        self,
        items: Sequence[Item],
        collector: Collects,
        deadline: Deadline,
        blocked: dict[str, TransportError],
        settled: Callable[[Item], None] | None,
        measured: Mapping[Need, object],
    ) -> None:
        self._deadline = deadline
        self._blocked = blocked
        self._measured = measured
        self._started = deadline.now()
        self._lanes: dict[Batch, _Lane] = {}
        for item in items:  # written out, as it is done for every sentence of a monitor's every cycle
            for place, need in item.step.needed:
                if need in measured:
                    continue
                batch = need if place == CONTROLLER else place
                if batch not in self._lanes:
                    self._lanes[batch] = _Lane(batch)
                lane = self._lanes[batch]
                if item in lane.questions:
                    lane.questions[item] += (need,)
                else:
                    lane.questions[item] = (need,)
                    item.lanes += (lane,)
                    item.size += 1
        self._resting = list(items)  # those between two looks
        self._ready: dict[_Lane, None] = {}  # those that somebody may wait for
        self._under_way = 0
        self._trips = collector.trips(len(self._lanes))
        # A host alone answers all at once: that is told in the plan's order, by the caller.
        alone = len(self._lanes) == 1 and isinstance(next(iter(self._lanes)), str)
        self._on_settled = None if alone else settled

    def run(self) -> None:
        """Ask and judge until all is settled."""
        while self._resting or self._under_way:
            with Uncollected():
                self._begin()
                if self._under_way:
                    self._take(self._trips.ended(self._left()))
                    continue
            if self._resting:
                self._trips.ended(self._left())

    def _elapsed(self) -> float:
        return self._deadline.now() - self._started

    def _left(self) -> float | None:
        """Return the seconds until the next item is due, or None if all are waited for."""
        if not self._resting:
            return None
        return max(0.0, min(item.due for item in self._resting) - self._elapsed())

    def _begin(self) -> None:
        """Begin the looks that are due, and the trips that they need."""
        elapsed = self._elapsed()
        due = [item for item in self._resting if item.due <= elapsed]
        if due:
            self._resting = [item for item in self._resting if item.due > elapsed]
            over = [item for item in due if not item.size or (item.looks and _too_late(item, self._deadline))]
            for item in over:
                self._concluded(item, elapsed)
            self._look([item for item in due if item not in over] if over else due)
        ready, self._ready = self._ready, {}
        for lane in ready:
            if lane.waiting and not lane.riders:
                self._trip(lane)

    def _look(self, items: Iterable[Item]) -> None:
        """Begin a look of each: let it wait for its lanes."""
        for item in items:
            item.missing, item.parts, item.begun = item.size, [], float("inf")
            for lane in item.lanes:
                lane.waiting[item] = None
                self._ready[lane] = None

    def _trip(self, lane: _Lane) -> None:
        """Ask for all that wait for this lane, and for those that rest: by one script more is no dearer."""
        if self._resting:
            along = [item for item in lane.questions if item.size == 1 and item not in lane.waiting]
            self._resting = [item for item in self._resting if item not in along]
            self._look(along)
        riders, lane.waiting = lane.waiting, {}
        lane.riders = riders
        needs = [need for item in riders for need in lane.questions[item]]
        patient = [need for need in needs if need.seconds]  # the one question of two that may take longer goes first
        needs = [*sorted(patient, key=lambda need: -need.seconds), *needs] if patient else needs
        self._under_way += 1
        self._trips.begin(lane.batch, dict.fromkeys(needs), self._deadline.at_most(TRIP_SECONDS))

    def _take(self, ended: Ended | None) -> None:
        """Judge what waited for this batch alone."""
        if ended is None:
            return
        batch, facts, began = ended
        lane = self._lanes[batch]
        riders, lane.riders = lane.riders, {}
        self._under_way -= 1
        self._ready[lane] = None
        if isinstance(batch, str) and batch in facts.blocked:
            self._blocked[batch] = facts.blocked[batch]
        if self._measured:
            facts.at(CONTROLLER).update(self._measured)
        elapsed, began = self._elapsed(), began - self._started
        for item in riders:
            item.missing -= 1
            if began < item.begun:
                item.begun = began
            if item.size > 1:
                item.parts.append((batch, facts))
            if not item.missing:
                self._seen(item, self._joined(item) if item.parts else facts, elapsed)

    def _joined(self, item: Item) -> Facts:
        facts = Facts()
        for batch, part in item.parts:
            facts.take(batch, part)
        if self._measured:
            facts.at(CONTROLLER).update(self._measured)
        return facts

    def _seen(self, item: Item, facts: Facts, elapsed: float) -> None:
        item.looks += 1
        if not _settled(item, facts, elapsed, self._deadline):
            item.before = item.begun
            left = min(self._deadline.left, item.deadline.left)
            item.due = elapsed + min(left, _pause(item, elapsed))
            self._resting.append(item)
            return
        for lane in item.lanes:
            del lane.questions[item]
        if self._on_settled is not None:
            self._on_settled(item)

    def _concluded(self, item: Item, elapsed: float) -> None:
        """Close an item that is not asked any more: our own deadline has passed, or acts have measured all of it."""
        if item.size:
            item.verdict = item.failed if _failed(item, elapsed) else _not_known(item, elapsed, self._deadline)
        else:
            facts = Facts()
            facts.at(CONTROLLER).update(self._measured)
            item.verdict = judge(item.step, facts, item.severity)
        for lane in item.lanes:
            del lane.questions[item]
        if self._on_settled is not None:
            self._on_settled(item)


def _too_late(item: Item, deadline: Deadline) -> bool:
    return min(deadline.left, item.deadline.left) < 0.01


def _pause(item: Item, elapsed: float) -> float:
    """Return the seconds until an item is asked again, after a look that ended now."""
    pause = PAUSES[min(item.looks, len(PAUSES)) - 1]
    if item.step.tail.within is not None:
        return min(pause, max(0.01, item.step.tail.within - elapsed))
    # From begin to begin: what takes its time is looked at as often as what does not.
    pause = max(PAUSES[0], pause - (elapsed - item.begun))
    return min(pause, max(0.01, (item.step.tail.during or 0.0) - (elapsed - (item.first or 0.0))))


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


def _settled(item: Item, facts: Facts, elapsed: float, deadline: Deadline) -> bool:
    """Judge an item on what a look brought; return whether its verdict is final.

    Args:
        elapsed: seconds after the start at which its answers were there.
    """
    verdict = _timely(item, facts, judge(item.step, facts, item.severity))
    tail = item.step.tail
    if tail.within is None and tail.during is None:
        item.verdict = verdict
        return True
    if tail.within is not None:
        # Not given up before a look that began when the time was over: a slow one tells how it was at its begin.
        final = verdict.state == OK or item.begun >= tail.within
        verdict = _in_time(item, verdict, tail.within)
    else:
        final, verdict = _throughout(item, verdict, elapsed, tail.during or 0.0)
    if verdict.state != OK:
        verdict = verdict.changed(reason=verdict.reason + _told(item, elapsed))
    item.verdict, late = verdict, _too_late(item, deadline)
    if verdict.state != UNKNOWN or not late:
        item.failed = None if verdict.state in (OK, UNKNOWN) else verdict
    if late and (not final or verdict.state == UNKNOWN):
        if _failed(item, elapsed):
            item.verdict = item.failed
        elif not final:
            item.verdict = _not_known(item, elapsed, deadline)
        return True
    return final


def _throughout(item: Item, verdict: Verdict, elapsed: float, during: float) -> tuple[bool, Verdict]:
    """Return whether the verdict on `for` is final, and which it is.

    It is known to hold from the end of the first look to the begin of this one, if none was long in coming. The first
    look is one with all that is asked once: where that took too long, the time begins with the second.
    """
    gap = elapsed - item.before
    if item.first is None or (item.looks == 2 and gap > _may_be_unseen(during)):
        item.first = elapsed
    elif gap > _may_be_unseen(during):
        item.unseen = max(item.unseen, gap)
    item.mild = item.mild or (verdict if verdict.state == WARNING else None)
    if verdict.state not in (OK, WARNING):
        return True, verdict
    if item.begun - item.first < during:
        return False, verdict
    if not item.unseen:
        return True, item.mild or verdict
    unseen: Verdict = verdict.changed(
        state=UNKNOWN,
        reason=f"it held whenever it was looked at, but for {human(item.unseen, 's')} at a stretch it was not: the "
        "answer, or what its host was asked beside it, takes too long",
    )
    return True, unseen


def _in_time(item: Item, verdict: Verdict, within: float) -> Verdict:
    """Return the verdict, or unknown where it holds by a look so late that nobody knows whether it held in time.

    The first look on a host is one with all that is asked once, however long that may take: its second always counts.
    """
    once = 1 if _outside(item) else 2
    if verdict.state not in (OK, WARNING) or item.looks <= once or item.begun <= within + UNSEEN[0]:
        return verdict
    words = f"it did not hold after {human(item.before, 's')}, and held after {human(item.begun, 's')}"
    return verdict.changed(state=UNKNOWN, reason=f"{words}: the answer took too long to look in between")


def _outside(item: Item) -> bool:
    return all(place == CONTROLLER for place, _ in item.step.needed)


def _may_be_unseen(during: float) -> float:
    return min(UNSEEN[1], max(UNSEEN[0], during / 2))


def _failed(item: Item, elapsed: float) -> bool:
    """Whether `within` failed, though our deadline lets nobody ask once more: its time is over, and all looks were no.

    So it is where its questions are its own: then it was asked all the time. Beside others, nobody asked in between.
    """
    within = item.step.tail.within
    return within is not None and elapsed >= within and item.failed is not None and _outside(item)


def _told(item: Item, elapsed: float) -> str:
    tail = item.step.tail
    if tail.within is not None:
        return f" (asked for {human(elapsed, 's')}, within {human(tail.within, 's')})"
    return f" (after {human(elapsed, 's')} of the {human(tail.during or 0.0, 's')} it must hold)"


def _not_known(item: Item, elapsed: float, deadline: Deadline) -> Verdict:
    """Return the verdict on what our own deadline cut off."""
    seconds = min(item.deadline, deadline, key=lambda one: one.left).seconds
    last = item.verdict
    return Verdict(
        state=UNKNOWN,
        reason=f"our own deadline of {human(seconds, 's')} passed before it could be known{_told(item, elapsed)}",
        observations=last.observations if last else (),
        evidence=last.evidence if last else (),
    )
