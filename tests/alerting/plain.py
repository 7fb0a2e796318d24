"""What a monitor has to conclude, said a second time: slowly, from the whole history, and without a line of ours.

Nothing is remembered here but what happened. Each answer goes through all of it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

WORST = ("critical", "unknown", "warning", "ok")


@dataclass(frozen=True)
class Manner:
    """How one result is watched: numbers as in the stack file."""

    interval: float
    failures: int
    of: int
    recover: int
    stale: float
    changes: int
    within: float
    calm: float


@dataclass
class Known:
    """What follows from the history of one result."""

    failure: str = "ok"
    blind: bool = False
    since: float = 0.0
    trouble: str = "ok"
    unstable: float | None = None
    opened: float | None = None
    acked: tuple[float, str] | None = None
    last_look: float = 0.0
    newest: str = ""
    blocker: str = ""

    @property
    def state(self) -> str:
        return min(self.failure, "unknown" if self.blind else "ok", key=WORST.index)

    @property
    def level(self) -> str:
        return "unstable" if self.unstable is not None else self.state


@dataclass
class Past:
    """What was counted on the way through a history."""

    tail: list[str] = field(default_factory=list)
    counted: list[bool] = field(default_factory=list)
    moves: list[float] = field(default_factory=list)
    watched: float = 0.0
    acked_until: float | None = None


def run(tail: list[str], kind: str, passing: str = "") -> int:
    """Return how many of a kind stand at the end, looking through those that pass."""
    count = 0
    for each in reversed(tail):
        if each == kind:
            count += 1
        elif each != passing:
            break
    return count


@dataclass
class History:
    """All that happened to one result: (kind, time, ...) in order."""

    manner: Manner
    events: list[tuple] = field(default_factory=list)

    def known(self) -> Known:
        it, past = Known(), Past()
        for kind, time, *more in self.events:
            before = it.state
            if it.acked is not None and past.acked_until is not None and time >= past.acked_until:
                it.acked = None
            if it.unstable is not None and time - past.moves[-1] >= self.manner.calm:
                it.unstable, past.moves = None, []
            self._happens(it, past, kind, time, more)
            if it.state != before:
                self._moves(it, past, time)
        return it

    def _happens(self, it: Known, past: Past, kind: str, time: float, more: list) -> None:
        if kind == "begin":
            it.since = it.last_look = past.watched = time
        elif kind == "restart":
            past.watched = time
            it.last_look = it.last_look if it.newest else time
        elif kind == "tick":
            if not it.blind and time - max(past.watched, it.last_look) >= self.manner.stale * self.manner.interval:
                it.blind = True
                past.tail.append("stale")
        elif kind == "look":
            self._look(it, past.tail, past.counted, time, *more)
        elif kind == "ack":
            it.acked = (time, it.state)
            past.acked_until = None if more[0] is None else time + more[0]
        elif kind == "unack":
            it.acked = None

    def _moves(self, it: Known, past: Past, time: float) -> None:
        it.since = time
        past.moves.append(time)
        if it.state == "ok":
            it.opened = it.acked = None
            past.counted.clear()
        else:
            it.opened = time if it.opened is None else it.opened
            it.trouble = it.state
        recent = past.moves[-self.manner.changes :]
        if len(recent) == self.manner.changes and time - recent[0] <= self.manner.within:
            it.unstable = time if it.unstable is None else it.unstable

    def _look(self, it: Known, tail: list, counted: list, time: float, state: str, blocker: str, final: bool) -> None:
        it.last_look, it.newest, it.blocker = time, "unknown" if blocker and state != "skipped" else state, blocker
        if state == "skipped":
            return
        if blocker or state == "unknown":
            tail.append("blank")
            if final or run(tail, "blank", passing="stale") >= self.manner.failures:
                it.blind = True
        elif state in ("warning", "critical"):
            tail.append("red")
            counted.append(True)
            if final or it.failure != "ok" or sum(counted[-self.manner.of :]) >= self.manner.failures:
                it.failure, it.blind = state, False
        else:
            tail.append("green")
            counted.append(False)
            if final or run(tail, "green") >= self.manner.recover:
                it.failure, it.blind = "ok", False


@dataclass
class World:
    """All results, what they need, and the silences."""

    histories: dict[str, History]
    needs: Mapping[str, tuple[str, ...]]
    downtimes: dict[str, tuple[Callable[[float], bool], frozenset[str]]] = field(default_factory=dict)
    paused: float = -1.0
    gone: set[str] = field(default_factory=set)

    def all(self) -> dict[str, Known]:
        return {id: history.known() for id, history in self.histories.items()}

    def silence(self, id: str, all: Mapping[str, Known], steady: float, wall: float) -> str:
        """Return why nobody is told: a word, or nothing."""
        if steady < self.paused:
            return "paused"
        if any(holds(wall) for holds, ids in self.downtimes.values() if id in ids):
            return "downtime"
        if id in self.gone:
            return ""
        if self.cause(id, all, steady) != id:
            return "blocked"
        it = all[id]
        if it.acked is not None and WORST.index(it.state) >= WORST.index(it.acked[1]):
            return "acknowledged"
        return ""

    def cause(self, id: str, all: Mapping[str, Known], steady: float, path: tuple[str, ...] = ()) -> str:
        """Return what stands in its way in the end; itself where nothing does."""
        if id in path:
            return min(path[path.index(id) :])
        for need in ([all[id].blocker] if all[id].blocker else []) + list(self.needs[id]):
            if need != id and need in all and need not in self.gone and self.bars(need, id, all, steady):
                return self.cause(need, all, steady, (*path, id))
        return id

    def bars(self, need: str, id: str, all: Mapping[str, Known], steady: float) -> bool:
        its, mine, manner = all[need], all[id], self.histories[id].manner
        if its.state in ("critical", "unknown"):
            return True
        if its.newest in ("critical", "unknown"):
            return True  # a failure that is not confirmed yet
        since_then = its.trouble in ("critical", "unknown") and its.since > mine.last_look
        watched = max([mine.last_look] + [time for kind, time, *_ in self.histories[id].events if kind == "restart"])
        return since_then and steady - watched < manner.stale * manner.interval

    def followers(self, cause: str, all: Mapping[str, Known], steady: float) -> list[str]:
        return [
            id
            for id in all
            if id not in self.gone and id != cause and all[id].state != "ok" and self.cause(id, all, steady) == cause
        ]
