"""What `within` and `for` make of the looks at a sentence: when it is looked at again, and the verdict on it. Pure.

What `for` did not look at is not known to have held. A look tells how things were at some moment between its begin and
its end: one that its host was asked with others, at any; one that was asked alone, at the same part of each answer.
So between two looks as much was not looked at as lies between the begin of the first and the end of the other, or
where both were asked alone, between their begins, or their ends.
"""

from __future__ import annotations

from infratest.check import CONTROLLER
from infratest.engine.judge import Verdict, judge
from infratest.states import OK, UNKNOWN, WARNING
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.collect.asked import Batch, Facts
    from infratest.deadline import Deadline
    from infratest.engine.settle import Lane
    from infratest.plan.tasks import CheckStep


#: Seconds between two looks: short at first, since most things come up soon, and never longer than the last.
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.0)

#: Seconds that `for` may leave unseen at a stretch: the longer where it lasts at least twice as long. The pace alone
#: leaves one second; the rest is for answers that take their time, and for machines that are busy.
UNSEEN = (2.0, 3.0)


#: Seconds before the end of `within` at which it is looked at for the last time.
SOONER = 0.1


class Item:
    """A sentence that is being asked. `limit`: seconds of `@timeout:`; an answer that took longer is not taken."""

    def __init__(self, step: CheckStep, severity: str, deadline: Deadline, limit: float | None = None) -> None:
        self.step = step
        self.severity = severity
        self.deadline = deadline
        self.limit = limit
        self.verdict: Verdict | None = None
        self.lanes: tuple[Lane, ...] = ()
        self.size = 0
        # All moments are in seconds after the start.
        self.due = 0.0  # when it is asked next
        self.looks = 0
        self.missing = 0  # lanes that have not answered this look
        self.parts: list[tuple[Batch, Facts]] = []  # what came of this look, where it takes several lanes
        self.begun = self.latest = 0.0  # when this look was, and the last of its places
        self.origin = 0.0  # of `within`: the begin of its first look
        self.alone = True  # whether it was asked of its places with nothing else
        self.before = self.ended = 0.0  # when the look before it was begun, and when it ended
        self.alone_before = True
        self.first: float | None = None  # of `for`: the end of the look from which on it is known to hold
        self.unseen = 0.0  # of `for`: how long nobody looked, where that is too long
        self.mild: Verdict | None = None  # of `for`: its first warning, while nothing worse is seen
        self.failed: Verdict | None = None  # the last verdict where that was a failure, of a look that was its own
        self.took = 0.0  # seconds of that look


def too_late(item: Item, deadline: Deadline) -> bool:
    return min(deadline.left, item.deadline.left) < 0.01


def is_over(item: Item, elapsed: float) -> bool:
    """Whether the time of `within` is over for a sentence that was looked at: it is asked no more."""
    within = item.step.tail.within
    return within is not None and item.looks > 0 and elapsed > item.origin + within - 0.001


def pause(item: Item, elapsed: float) -> float:
    """Return the seconds until an item is asked again, after a look that ended now."""
    pause = PAUSES[min(item.looks, len(PAUSES)) - 1]
    if item.step.tail.within is not None:
        left = item.origin + item.step.tail.within - elapsed
        last = left - max(SOONER, 1.5 * (elapsed - item.begun))  # so that what takes no longer answers in time
        return min(pause, max(0.01, last if last > 0 else left))
    # From begin to begin: what takes its time is looked at as often as what does not.
    pause = max(PAUSES[0], pause - (elapsed - item.begun))
    return min(pause, max(0.01, (item.step.tail.during or 0.0) - (elapsed - (item.first or 0.0))))


def _timely(item: Item, facts: Facts, verdict: Verdict) -> Verdict:
    """Return the verdict, or unknown where an answer (of a command, of a server) took longer than its scenario may."""
    if item.limit is None:
        return verdict
    took = _took(item, facts)
    if took <= item.limit:
        return verdict
    late: Verdict = verdict.changed(
        state=UNKNOWN, reason=f"our own deadline of {human(item.limit, 's')} passed: the answer took {human(took, 's')}"
    )
    return late


def _took(item: Item, facts: Facts) -> float:
    """Return the seconds that the longest of its answers took, as far as they say."""
    values = (facts.at(look.location).get(need) for look in item.step.looks for need in look.check.needed)
    return max((getattr(value, "seconds", None) or 0.0 for value in values), default=0.0)


def settled(item: Item, facts: Facts, elapsed: float, deadline: Deadline) -> bool:
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
        if item.looks == 1:
            item.origin = item.begun
        verdict = _in_time(item, facts, verdict, elapsed, item.origin + tail.within)
        final = verdict.state == OK or is_over(item, elapsed)
    else:
        final, verdict = _throughout(item, verdict, elapsed, tail.during or 0.0)
    if verdict.state != OK:
        verdict = verdict.changed(reason=verdict.reason + _told(item, elapsed))
    item.verdict, late = verdict, too_late(item, deadline)
    if verdict.state == UNKNOWN and (late or _short(item, elapsed, deadline)) and failed(item, elapsed):
        item.verdict = item.failed
        return True
    if verdict.state != UNKNOWN or not late:
        item.failed = verdict if verdict.state not in (OK, UNKNOWN) and _own(item, facts, elapsed) else None
        item.took = elapsed - item.begun
    if late and not final:
        item.verdict = item.failed if failed(item, elapsed) else not_known(item, elapsed, deadline)
        return True
    return final or (late and verdict.state == UNKNOWN)


def _throughout(item: Item, verdict: Verdict, elapsed: float, during: float) -> tuple[bool, Verdict]:
    """Return whether the verdict on `for` is final, and which it is.

    It is known to hold from the end of the first look to the begin of this one, if none was long in coming. The first
    look is one with all that is asked once: where that took too long, the time begins with the second.
    """
    gap = elapsed - item.before
    if item.alone and item.alone_before:
        gap = max(item.begun - item.before, elapsed - item.ended)
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


def _in_time(item: Item, facts: Facts, verdict: Verdict, elapsed: float, end: float) -> Verdict:
    """Return the verdict on `within`, or another where it holds by an answer that came after the end.

    An answer that says how long it took came late by its own fault. One that does not was looked at by a moment after
    its begin; what only the controller asks is given the time that a busy one may need.
    """
    if verdict.state not in (OK, WARNING):
        return _at_end(item, verdict, elapsed, _own(item, facts, elapsed))
    if item.looks > 1 and item.latest > end + 0.001:
        words = f"it was not looked at between {human(item.ended, 's')} and {human(item.latest, 's')}, and held by then"
        return verdict.changed(state=UNKNOWN, reason=f"{words}: what is asked beside it takes too long")
    came = item.begun + _took(item, facts)
    if came > end and (item.looks == 1 or item.failed is not None):
        words = f"it holds by an answer that came after {human(came - item.origin, 's')}"
        return verdict.changed(state=item.severity, reason=words)
    if came > end or (_outside(item) and elapsed > end + UNSEEN[0]):
        words = f"it did not hold after {human(item.before, 's')}, and held" if item.looks > 1 else "it held"
        words = f"{words} after {human(item.begun, 's')} by an answer that came after {human(elapsed, 's')}"
        return verdict.changed(state=UNKNOWN, reason=f"{words}: the answer took too long to look in between")
    return verdict


def _at_end(item: Item, verdict: Verdict, elapsed: float, own: bool) -> Verdict:
    """Return a failure, or unknown where the time is over and a look beside others left too much of it unseen."""
    end = item.origin + (item.step.tail.within or 0.0)
    if verdict.state == UNKNOWN or own or not is_over(item, elapsed) or item.begun >= end - UNSEEN[0]:
        return verdict
    words = f"it was not looked at between {human(round(item.begun, 2), 's')} and {human(elapsed, 's')}"
    changed: Verdict = verdict.changed(
        state=UNKNOWN, reason=f"{words}: what its host was asked beside it takes too long; before, {verdict.reason}"
    )
    return changed


def at_its_end(item: Item, verdict: Verdict, elapsed: float) -> Verdict:
    """Return the verdict of a sentence whose `within` ended between two looks: that of the last, if not long ago."""
    end = item.origin + (item.step.tail.within or 0.0)
    if item.failed is not None and item.ended >= end - UNSEEN[0]:
        return item.failed
    return _at_end(item, verdict, elapsed, own=False)


def _outside(item: Item) -> bool:
    return all(place == CONTROLLER for place, _ in item.step.needed)


def _may_be_unseen(during: float) -> float:
    return min(UNSEEN[1], max(UNSEEN[0], during / 2))


def _own(item: Item, facts: Facts, elapsed: float) -> bool:
    """Whether what took a look its time was the answer to this sentence, and nothing that was asked beside it."""
    return item.alone or _outside(item) or _took(item, facts) >= elapsed - item.begun - UNSEEN[0]


def _short(item: Item, elapsed: float, deadline: Deadline) -> bool:
    """Whether a look had less time than the failed one before it took; a host's script ends a second sooner."""
    return elapsed + min(deadline.left, item.deadline.left) - item.begun < item.took + 1.0


def failed(item: Item, elapsed: float) -> bool:
    """Whether `within` failed, though our deadline lets nobody ask once more: its time is over, and all looks were no.

    So it is where its questions are its own: then it was asked all the time. Beside others, nobody asked in between.
    """
    within = item.step.tail.within
    return within is not None and elapsed >= within and item.failed is not None


def _told(item: Item, elapsed: float) -> str:
    tail = item.step.tail
    if tail.within is not None:
        return f" (asked for {human(elapsed, 's')}, within {human(tail.within, 's')})"
    during = human(tail.during or 0.0, "s")
    if item.first is None or item.begun <= item.first:
        return f" (it must hold for {during})"
    return f" (after {human(item.begun - item.first, 's')} of the {during} it must hold)"


def not_known(item: Item, elapsed: float, deadline: Deadline) -> Verdict:
    """Return the verdict on what our own deadline cut off."""
    seconds = min(item.deadline, deadline, key=lambda one: one.left).seconds
    last = item.verdict
    return Verdict(
        state=UNKNOWN,
        reason=f"our own deadline of {human(seconds, 's')} ends before it can be known{_told(item, elapsed)}",
        observations=last.observations if last else (),
        evidence=last.evidence if last else (),
    )
