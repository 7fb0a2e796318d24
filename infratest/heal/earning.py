"""Which approved heals count towards autonomy: those that helped, in a row, and after which it stayed calm. Pure.

Asked by `infratest heal trust`. What was seen is what checks and the monitor have kept; of what nobody has looked at,
nobody knows whether it was calm, and what is not known counts for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import inf

from infratest.heal.gates import moment
from infratest.heal.neighbours import RANKS
from infratest.states import CRITICAL, OK, WAIVED, WARNING

#: States by which a look says how a result was. One that is unknown or blocked says nothing.
SEEN = (OK, WAIVED, WARNING, CRITICAL)


@dataclass(frozen=True, kw_only=True)
class Approved:
    """A heal that somebody approved and that helped. at: when that was seen, in seconds since the epoch."""

    id: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a result was at a time."""

    time: float
    id: str
    state: str


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is kept of how results were.

    Args:
        since: from when on all that was looked at is kept. watched: times of heals from which on a monitor has watched
        all that counts for them, for as long as they had to stay calm or until `since`. problem: why some of it cannot
        be read, or empty.
    """

    looks: Sequence[Look] = ()
    since: float = -inf
    watched: Collection[float] = ()
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Earned:
    """What a rule has earned.

    Args:
        count: how many heals in a row count. waiting: of those that do not count yet, from when on they may, the newest
        last. broken: why the one before all these does not count, or empty.
    """

    count: int
    waiting: tuple[float, ...] = ()
    broken: str = ""

    @property
    def missing(self) -> str:
        """Return what the others lack, in words; empty where there are no others."""
        words = []
        if self.waiting:
            number = len(self.waiting)
            which = "the last counts" if number == 1 else f"the last {number} count, the newest of them"
            words.append(f"{which} from {moment(self.waiting[-1])} on if it stays calm")
        return "; ".join([*words, *([self.broken] if self.broken else [])])


def earned(heals: Sequence[Approved], neighbours: Collection[str], kept: Kept, calm: float, now: float) -> Earned:
    """Return what heals that helped, in a row, have earned.

    Args:
        heals: oldest first. neighbours: ids of those of the rule. calm: seconds after a heal in which nothing may
        happen; 0 asks for none.
    """
    if not calm:
        return Earned(count=len(heals))
    count, waiting = 0, list[float]()
    for one in reversed(heals):
        due = one.at + calm
        why = _why_not_calm(one, due, neighbours, kept.looks)
        if not why and now >= due:
            why = _why_not_known(one, due, kept)
        if why:
            return Earned(count=count, waiting=tuple(reversed(waiting)), broken=why)
        if now < due:
            waiting.append(due)
        else:
            count += 1
    return Earned(count=count, waiting=tuple(reversed(waiting)))


def _why_not_calm(one: Approved, due: float, neighbours: Collection[str], looks: Iterable[Look]) -> str:
    """Return what happened before the calm was over, in words; empty where nothing did."""
    before: dict[str, Look] = {}
    for look in sorted(looks, key=lambda look: look.time):
        if look.state not in SEEN or look.time >= due:
            continue
        if look.time <= one.at:
            before[look.id] = look
            continue
        since = f"after the one at {moment(one.at)}"
        if look.id == one.id and RANKS[look.state]:
            return f"{look.id} was {look.state} again at {moment(look.time)}, {since}"
        was = before[look.id].state if look.id in before else OK
        if look.id in neighbours and RANKS[look.state] > RANKS[was]:
            return f"{look.id} beside it turned {look.state} at {moment(look.time)}, {since}"
    return ""


def _why_not_known(one: Approved, due: float, kept: Kept) -> str:
    """Return why nobody can say whether it was calm, in words; empty where it was.

    Somebody must have looked meanwhile; else it is the first look after that by which it was well or not.
    """
    of = f"of the one at {moment(one.at)} nobody knows whether it stayed calm"
    if kept.problem:
        return f"{of}: {kept.problem}"
    if kept.since > one.at and one.at not in kept.watched:
        return f"{of}: what was seen is kept since {moment(kept.since)} alone"
    looks = [look for look in kept.looks if look.id == one.id and look.state in SEEN and look.time > one.at]
    first = min(looks, key=lambda look: look.time, default=None)
    if first is None:
        return f"{of}: nobody has looked at {one.id} since"
    return f"{of}: {one.id} was {first.state} when it was looked at next" if RANKS[first.state] else ""
