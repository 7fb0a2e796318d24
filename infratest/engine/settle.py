"""Sentences asked until they settle: once, or again and again for `within` and `for`, each at its own pace. Judges.

What is asked together is a lane: all of a host, which has one connection, or one question from the controller. A lane
makes one round trip at a time, for whatever its sentences still need, and waits for no other lane: a sentence is judged
as soon as all that it needs is there, and asked again when it is due, whoever else is still waited for.
"""

from __future__ import annotations

import gc

from infratest.check import CONTROLLER
from infratest.collect.asked import Facts
from infratest.engine.judge import judge
from infratest.engine.looks import Item, at_its_end, failed, is_over, not_known, pause, settled, too_late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from infratest.collect.asked import Batch, Ended
    from infratest.collect.base import Collects
    from infratest.deadline import Deadline
    from infratest.errors import TransportError
    from infratest.facts.base import Need


#: Seconds that one round trip may take; a host that answers nothing for so long is not answering. Where a sentence
#: gives a server longer, it has so many behind that.
TRIP_SECONDS, BEHIND = 60.0, 10.0


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


class Lane:
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
    answered: set[str] | None = None,
) -> None:
    """Ask until every item has its final verdict, at the latest at the deadline. Verdicts are put into the items.

    Args:
        blocked: gets the locations that could not be asked, and why; one that could be later stays.
        settled: called with items as their verdicts are final, where there is more than one host to wait for.
        measured: what is known, by acts, and not asked for. answered: gets the locations that answered.
    """
    there: set[str] = set() if answered is None else answered
    _Settling(items, collector, deadline, blocked, settled, measured or {}, there).run()


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
        answered: set[str],
    ) -> None:
        self._deadline = deadline
        self._blocked, self._answered = blocked, answered
        self._measured = measured
        self._started = deadline.now()
        self._lanes: dict[Batch, Lane] = {}
        for item in items:  # written out, as it is done for every sentence of a monitor's every cycle
            for place, need in item.step.needed:
                if need in measured:
                    continue
                batch = need if place == CONTROLLER else place
                if batch not in self._lanes:
                    self._lanes[batch] = Lane(batch)
                lane = self._lanes[batch]
                if item in lane.questions:
                    lane.questions[item] += (need,)
                else:
                    lane.questions[item] = (need,)
                    item.lanes += (lane,)
                    item.size += 1
        self._resting = list(items)  # those between two looks
        self._ready: dict[Lane, None] = {}  # those that somebody may wait for
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
            over = [item for item in due if not item.size or (item.looks and self._is_over(item, elapsed))]
            for item in over:
                self._concluded(item, elapsed)
            self._look([item for item in due if item not in over] if over else due)
        ready, self._ready = self._ready, {}
        for lane in ready:
            if lane.waiting and not lane.riders:
                self._trip(lane)

    def _is_over(self, item: Item, elapsed: float) -> bool:
        return is_over(item, elapsed) or too_late(item, self._deadline)

    def _look(self, items: Iterable[Item]) -> None:
        """Begin a look of each: let it wait for its lanes."""
        for item in items:
            item.missing, item.parts, item.begun, item.alone = item.size, [], float("inf"), True
            item.latest = 0.0
            for lane in item.lanes:
                lane.waiting[item] = None
                self._ready[lane] = None

    def _trip(self, lane: Lane) -> None:
        """Ask for all that wait for this lane, and for those that rest: by one script more is no dearer."""
        elapsed = self._elapsed()
        for item in [item for item in lane.waiting if item.looks and item.size == 1 and is_over(item, elapsed)]:
            del lane.waiting[item]
            self._concluded(item, elapsed)
        if not lane.waiting:
            return
        if self._resting:
            along = [item for item in lane.questions if item.size == 1 and item not in lane.waiting]
            along = [item for item in along if not is_over(item, elapsed)]
            self._resting = [item for item in self._resting if item not in along]
            self._look(along)
        riders, lane.waiting = lane.waiting, {}
        lane.riders = riders
        needs = [need for item in riders for need in lane.questions[item]]
        patient = [need for need in needs if need.seconds]  # the one question of two that may take longer goes first
        needs = [*sorted(patient, key=lambda need: -need.seconds), *needs] if patient else needs
        seconds = max(TRIP_SECONDS, needs[0].seconds + BEHIND) if patient else TRIP_SECONDS
        self._under_way += 1
        self._trips.begin(lane.batch, dict.fromkeys(needs), self._deadline.at_most(seconds))

    def _take(self, ended: Ended | None) -> None:
        """Judge what waited for this batch alone."""
        if ended is None:
            return
        batch, facts, began = ended
        lane = self._lanes[batch]
        riders, lane.riders = lane.riders, {}
        self._under_way -= 1
        self._ready[lane] = None
        if isinstance(batch, str):
            self._reached(batch, facts)
        if self._measured:
            facts.at(CONTROLLER).update(self._measured)
        elapsed, began = self._elapsed(), began - self._started
        crowded = isinstance(batch, str) and len(riders) > 1
        for item in riders:
            item.missing -= 1
            if crowded:
                item.alone = False
            if began < item.begun:
                item.begun = began
            if began > item.latest:
                item.latest = began
            if item.size > 1:
                item.parts.append((batch, facts))
            if not item.missing:
                self._seen(item, self._joined(item) if item.parts else facts, elapsed)

    def _reached(self, place: str, facts: Facts) -> None:
        if place in facts.blocked:
            self._blocked[place] = facts.blocked[place]
        else:
            self._answered.add(place)

    def _joined(self, item: Item) -> Facts:
        facts = Facts()
        for batch, part in item.parts:
            facts.take(batch, part)
        if self._measured:
            facts.at(CONTROLLER).update(self._measured)
        return facts

    def _seen(self, item: Item, facts: Facts, elapsed: float) -> None:
        item.looks += 1
        if not settled(item, facts, elapsed, self._deadline):
            item.before, item.ended, item.alone_before = item.begun, elapsed, item.alone
            left = min(self._deadline.left, item.deadline.left)
            item.due = elapsed + min(left, pause(item, elapsed))
            self._resting.append(item)
            return
        for lane in item.lanes:
            del lane.questions[item]
        if self._on_settled is not None:
            self._on_settled(item)

    def _concluded(self, item: Item, elapsed: float) -> None:
        """Close an item that is not asked any more: our own deadline has passed, or acts have measured all of it."""
        if item.size and item.verdict is not None and is_over(item, elapsed):
            item.verdict = at_its_end(item, item.verdict, elapsed)
        elif item.size:
            item.verdict = item.failed if failed(item, elapsed) else not_known(item, elapsed, self._deadline)
        else:
            facts = Facts()
            facts.at(CONTROLLER).update(self._measured)
            item.verdict = judge(item.step, facts, item.severity)
        for lane in item.lanes:
            del lane.questions[item]
        if self._on_settled is not None:
            self._on_settled(item)
