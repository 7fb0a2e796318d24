"""What is a problem of its own, what only follows from one, and why nobody is to be told of it now. Pure.

`suppression` is the one place that says why not: maintenance of every kind of result, acknowledgement, a cause that
stands in the way and a pause are asked there, for results of hosts, heartbeats and the monitor's own alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from infratest.alerting.downtime import Downtime
from infratest.alerting.moments import Moment
from infratest.alerting.status import Status
from infratest.alerting.subject import Subject
from infratest.states import CRITICAL, OK, UNKNOWN

PAUSED, DOWNTIME, BLOCKED, ACKNOWLEDGED = "paused", "downtime", "blocked", "acknowledged"


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why nobody is to be told. kind: of those above. reason: for people, who asks `explain`."""

    kind: str
    reason: str


@dataclass(frozen=True)
class Picture:
    """Everything that is watched, as it is at one moment.

    Args:
        subjects, statuses: by id; a subject without a status was never begun. downtimes: all that are planned.
        paused: until when nobody is told anything, in the monitor's own time; None where it is not paused.
        left: by host, why what was watched on it is watched no longer, where that is known. wrong: the ids of all that
        is `wrong`, where somebody keeps count of them; None where every status is to be looked at.
    """

    now: Moment
    subjects: Mapping[str, Subject]
    statuses: Mapping[str, Status]
    downtimes: Sequence[Downtime] = ()
    paused: float | None = None
    left: Mapping[str, str] = field(default_factory=dict)
    wrong: Iterable[str] | None = None


def in_downtime(id: str, downtimes: Iterable[Downtime], wall: float) -> Suppression | None:
    """Return the downtime that a result is in; None without one. wall: seconds since the epoch."""
    found = (each for each in downtimes if id in each.ids and each.window.until(wall) is not None)
    return next((_of_downtime(each) for each in found), None)


def acknowledged(status: Status) -> Suppression | None:
    """Return who has a result, as it is now; None where nobody does."""
    if status.ack is None or not status.ack.covers(status.state):
        return None
    return Suppression(ACKNOWLEDGED, f"acknowledged by {status.ack.by}: {status.ack.comment}")


def _of_downtime(downtime: Downtime) -> Suppression:
    return Suppression(DOWNTIME, f"downtime {downtime.name!r} by {downtime.by or 'nobody'}: {downtime.comment}")


def wrong(status: Status) -> bool:
    """Whether something may be owed of a status that nobody was ever told of: its hard state is not ok, or it flaps."""
    return status.unknown or status.failure != OK or status.unstable is not None


class Problems:
    """What follows from a picture: causes, what they stand in the way of, and what is silent. Made once for each."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._silent: dict[str, Downtime] = {}
        for downtime in picture.downtimes:
            if downtime.window.until(picture.now.wall) is not None:
                for id in downtime.ids:
                    self._silent.setdefault(id, downtime)
        self._causes: dict[str, str | None] = {}
        self.members: dict[str, list[str]] = {}
        known = picture.wrong
        #: All that fails, is not known or flaps; without those that only flap.
        self.wrong = sorted([id for id, one in picture.statuses.items() if wrong(one)] if known is None else known)
        self.failing = [id for id in self.wrong if picture.statuses[id].state != OK]
        for id in self.failing:
            if (cause := self.cause(id)) is not None:
                self.members.setdefault(cause, []).append(id)

    def suppression(self, id: str) -> Suppression | None:
        """Return why nobody is to be told how a result is; None where they are."""
        picture = self.picture
        if picture.paused is not None and picture.now.steady < picture.paused:
            return Suppression(PAUSED, f"paused for {picture.paused - picture.now.steady:.0f} s more")
        if (downtime := self._in_downtime(id)) is not None:
            return downtime
        if (cause := self.cause(id)) is not None:
            return Suppression(BLOCKED, f"blocked by {cause}")
        return self._acknowledged(id)

    def left_alone(self, id: str) -> Suppression | None:
        """Return why people want a result left alone: a downtime, or that somebody has it; None where nobody does."""
        return self._in_downtime(id) or self._acknowledged(id)

    def _in_downtime(self, id: str) -> Suppression | None:
        return None if (downtime := self._silent.get(id)) is None else _of_downtime(downtime)

    def _acknowledged(self, id: str) -> Suppression | None:
        # What is watched no longer nobody can have: that it is over is told.
        status = self.picture.statuses.get(id) if id in self.picture.subjects else None
        return None if status is None else acknowledged(status)

    def cause(self, id: str) -> str | None:
        """Return the id of what stands in a result's way at the end of the chain; None where nothing does."""
        if id not in self._causes:
            self._causes[id] = self._root(id)
        return self._causes[id]

    def _root(self, id: str) -> str | None:
        chain = [id]
        while (need := self._in_the_way(chain[-1])) is not None:
            if need in chain:  # they need each other in a circle: the first of them by name is the cause of all
                circle: list[str] = chain[chain.index(need) :]
                return None if min(circle) == id else min(circle)
            chain.append(need)
        return chain[-1] if len(chain) > 1 else None

    def _in_the_way(self, id: str) -> str | None:
        """Return the first of what a result needs that does not hold."""
        subject, status = self.picture.subjects.get(id), self.picture.statuses.get(id)
        if subject is None or status is None:
            return None
        blocker: tuple[str, ...] = () if status.blocked_by is None else (status.blocked_by,)
        for need in (*blocker, *subject.needs):
            if need != id and self._stands(need, subject, status):
                return need
        return None

    def _stands(self, need: str, subject: Subject, status: Status) -> bool:
        """Whether what is needed does not hold, or has held only since the result was looked at last.

        Until the result is looked at again nobody knows how it is by itself. Where that look does not come, it is
        stale, and that is told.
        """
        its = self.picture.statuses.get(need)
        if its is None or need not in self.picture.subjects:
            return False  # what nobody watches is in nobody's way, or all would be silent for ever
        if its.state in (CRITICAL, UNKNOWN) or (its.soft and its.seen in (CRITICAL, UNKNOWN)):
            return True
        recovered = its.trouble in (CRITICAL, UNKNOWN) and its.since.steady > _looked(status)
        return recovered and not status.stale(subject.policy, self.picture.now)


def _looked(status: Status) -> float:
    return status.watched if status.looked is None else status.looked
