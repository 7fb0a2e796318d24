"""What another policy would have told of a time that is over, beside the one that is in force. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from infratest.alerting.policy import Policy
from infratest.alerting.subject import Subject
from infratest.monitor.recorded import Recorded
from infratest.monitor.replay import Problem, Receipt, Replayed
from infratest.units import counted, human

#: Seconds by which an outage has to be seen later to count as that.
LATER = 1.0


@dataclass(frozen=True, slots=True)
class Delay:
    """An outage that is seen later than it was, by so many seconds."""

    id: str
    begin: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Missed:
    """A problem of which nobody is told any longer. lasted: seconds; None where it is not over."""

    id: str
    begin: float
    lasted: float | None


def figures(made: Replayed, begin: float) -> dict[str, Any]:
    """Return how much there was to tell: problems of their own, and notices by receiver and kind."""
    problems = [each for each in made.problems if each.begin.wall >= begin]
    own = sum(not each.follows or bool(each.told) for each in problems)
    return {"problems": own, "notices": counts(each for each in made.notices if each.at.wall >= begin)}


def counts(notices: Iterable[Receipt]) -> dict[str, dict[str, int]]:
    """Return how many notices of which kind each receiver has."""
    made: dict[str, Counter[str]] = {}
    for each in notices:
        made.setdefault(each.receiver, Counter())[each.kind] += 1
    return {name: dict(sorted(made[name].items())) for name in sorted(made)}


def delays(before: Replayed, after: Replayed, begin: float) -> list[Delay]:
    """Return what is seen later by the one than by the other, the longest first."""
    theirs, found = _by_id(after.problems), []
    for each in before.problems:
        if each.begin.wall >= begin and (match := _match(each, theirs.get(each.id, ()))) is not None:
            seconds = match.begin.steady - each.begin.steady
            if seconds >= LATER:
                found.append(Delay(each.id, each.begin.wall, seconds))
    return sorted(found, key=lambda one: (-one.seconds, one.begin, one.id))


def missed(before: Replayed, after: Replayed, begin: float) -> list[Missed]:
    """Return what somebody is told of by the one and nobody by the other, what lasted longest first."""
    theirs, found = _by_id(after.problems), []
    for each in before.problems:
        if each.begin.wall < begin or not each.told:
            continue
        if not any(other.told for other in theirs.get(each.id, ()) if _overlap(each, other)):
            lasted = None if each.end is None else each.end.steady - each.begin.steady
            found.append(Missed(each.id, each.begin.wall, lasted))
    return sorted(found, key=lambda one: (one.lasted is not None, -(one.lasted or 0.0), one.begin, one.id))


def summary(found: Sequence[Delay]) -> dict[str, Any]:
    """Return how many outages are seen later, and by how much, in seconds."""
    seconds = [each.seconds for each in found]
    return {
        "outages": len(found),
        "most": max(seconds, default=None),
        "median": median(seconds) if seconds else None,
    }


def grounds(recorded: Recorded, before: Sequence[Subject], after: Sequence[Subject]) -> list[str]:
    """Return what all this stands on, and what it cannot know, a sentence each."""
    made = [
        f"{counted(recorded.changes, 'change')} of hard states in that time, which the store keeps; it keeps no single "
        "looks: those between two changes are taken as unchanged, at the policy's interval",
        "scenarios, policy and rules are those of the files now, and a notice is taken to arrive at once: where they "
        "were others, or a receiver took nothing, what was told then differs",
    ]
    if recorded.unwatched >= LATER:
        made.append(f"in {human(recorded.unwatched, 's')} of it nobody watched, and nothing is known")
    if recorded.past.silences:
        made.append("downtimes, pauses and acknowledgements are those that kept a notice back then")
    if recorded.flapped:
        times = counted(len(recorded.flapped), "time")
        made.append(f"{times} a result flapped: its single changes are not kept, so the fewest are taken that fit")
    if recorded.left:
        made.append(f"{counted(len(recorded.left), 'result')} that failed then and are watched no longer are left out")
    if eager(before, after):
        made.append(
            "what was not confirmed then is not kept: where fewer looks decide, what would have been told is at least "
            "this much"
        )
    return made


def eager(before: Sequence[Subject], after: Sequence[Subject]) -> bool:
    """Whether anything is told sooner, or looked at more often, than it was: of that the store does not know all."""
    known: Mapping[str, Policy] = {each.id: each.policy for each in before}
    return any(_sooner(known[each.id], each.policy) for each in after if each.id in known)


def _sooner(before: Policy, after: Policy) -> bool:
    fewer = after.attempts.failures < before.attempts.failures or after.recover < before.recover
    fewer = fewer or after.retry < before.retry
    more = after.attempts.failures <= before.attempts.failures and after.attempts.of > before.attempts.of
    return fewer or more or after.interval < before.interval or after.stale < before.stale


def _by_id(problems: Iterable[Problem]) -> dict[str, list[Problem]]:
    made: dict[str, list[Problem]] = {}
    for each in problems:
        made.setdefault(each.id, []).append(each)
    return made


def _match(one: Problem, others: Iterable[Problem]) -> Problem | None:
    """Return the first of some problems that is at the same time as one."""
    return next((other for other in others if _overlap(one, other)), None)


def _overlap(one: Problem, other: Problem) -> bool:
    return (other.end is None or one.begin.steady <= other.end.steady) and (
        one.end is None or other.begin.steady <= one.end.steady
    )
