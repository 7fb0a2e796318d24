"""What the monitor saw, sent to other tools: each has a queue and a thread of its own, so that none delays a check.

A queue is bounded: where a tool stays away for long, the oldest of what waits for it is lost, counted, and told as a
problem of the monitor. Asked by the loop's one thread; only the threads here wait for anybody.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Condition, Thread
from time import monotonic
from typing import Protocol

from infratest.alerting.subject import of_sender
from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.engine.apart import defects_told
from infratest.errors import InfratestError
from infratest.gherkin.suite import Scenario
from infratest.model import Result
from infratest.plan.tasks import NO_HOST, Task, reachable_id
from infratest.project.exported import service_names
from infratest.project.prepare import Prepared
from infratest.senders.base import Handed, Seen, Sender, Service
from infratest.stack.monitor import SenderEntry
from infratest.states import CRITICAL, OK, WARNING
from infratest.store import events
from infratest.store.events import METRIC, RESULT, Event, part
from infratest.units import counted

log = logging.getLogger(__name__)

#: What waits for one sender at most.
MOST = 20_000
#: Seconds that handing over some of it may take; between two tries, first and at most.
SECONDS, FIRST_PAUSE, LONGEST_PAUSE = 30.0, 1.0, 60.0
#: Tries in a row that failed, after which it is told.
DEAD = 3
#: Seconds for which it is told that something was lost, or left out, behind the last of it.
TOLD_FOR = 300.0
#: Seconds between two numbers that say how much was lost.
COUNTED = 60.0
#: Seconds that a tool which is sent nothing any longer has for what waits for it.
LAST = 30.0


@dataclass(frozen=True)
class Figures:
    """How one sender does: what it has sent, lost and left out so far, and what waits for it."""

    sent: int
    lost: int
    left: int
    waiting: int


class Way:
    """The queue of one sender, and its thread.

    Args:
        most: what waits at most. pause: seconds behind the first try that failed.
    """

    def __init__(self, sender: Sender, most: int = MOST, pause: float = FIRST_PAUSE) -> None:
        self.sender = sender
        self._most, self._pause = most, pause
        self._waiting: deque[Seen] = deque()
        self._changed = Condition()
        self._ended = False
        self._sent = self._lost = self._left = self._tries = self._in_hand = 0
        self._why, self._why_left = "", ""
        self._lost_at = self._left_at = -TOLD_FOR
        self._thread: Thread | None = None

    def offer(self, seen: Iterable[Seen]) -> None:
        """Have these sent; waits for nobody. What is too much is lost, the oldest first."""
        with self._changed:
            if self._thread is None:
                self._thread = Thread(target=self._work, name=f"send {self.sender.word}", daemon=True)
                self._thread.start()
            self._waiting.extend(seen)
            while len(self._waiting) + self._in_hand > self._most and self._waiting:
                self._waiting.popleft()
                self._lost += 1
                self._lost_at = monotonic()
            self._changed.notify()

    def end(self, deadline: Deadline) -> None:
        """Send what waits until the deadline, and nothing behind it: that is lost."""
        with self._changed:
            self._changed.wait_for(lambda: self._tries > 0 or not (self._waiting or self._in_hand), deadline.left)
            self._ended = True
            self._lost += len(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()

    @property
    def done(self) -> bool:
        """Whether it has ended, and nothing is in hand any longer."""
        with self._changed:
            return self._ended and not self._in_hand

    @property
    def figures(self) -> Figures:
        """How it does."""
        with self._changed:
            return Figures(self._sent, self._lost, self._left, len(self._waiting) + self._in_hand)

    def judged(self) -> tuple[str, str]:
        """Return a state and a reason: whether all that was to be sent is taken."""
        with self._changed:
            now = monotonic()
            if now - self._lost_at < TOLD_FOR:
                why = self._why or "it takes less than is seen"
                words = f"{counted(self._lost, 'result')} lost since the monitor began, for more wait than may: {why}"
                return CRITICAL, f"{self.sender.describe()}: {words}"
            if self._tries >= DEAD:
                words = f"it has not taken what it was sent, {self._tries} times: {self._why}"
                return CRITICAL, f"{self.sender.describe()}: {words}"
            if now - self._left_at < TOLD_FOR:
                words = f"{counted(self._left, 'result')} left out since the monitor began: {self._why_left}"
                return WARNING, f"{self.sender.describe()}: {words}"
            return OK, ""

    # The thread's.

    def _work(self) -> None:
        while some := self._next():
            handed = self._handed(some)
            self._note(some, handed)

    def _next(self) -> tuple[Seen, ...]:
        """Return what is to be sent next, once there is something; nothing when it has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._waiting)
            if self._ended:
                return ()
            some = tuple(islice(self._waiting, self.sender.at_once))
            for _ in some:
                self._waiting.popleft()
            self._in_hand = len(some)
            return some

    def _handed(self, some: Sequence[Seen]) -> Handed:
        try:
            return defects_told(self.sender.send)(some, Deadline(SECONDS))
        except (InfratestError, OSError) as error:
            return Handed(0, why=str(error) or type(error).__name__)

    def _note(self, some: Sequence[Seen], handed: Handed) -> None:
        with self._changed:
            self._in_hand = 0
            self._sent += handed.done - handed.left
            if handed.left:
                self._left, self._left_at = self._left + handed.left, monotonic()
                self._why_left = clean(handed.why, 500)
            rest = some[handed.done :]
            self._tries = self._tries + 1 if rest and not handed.done else 0
            if rest:
                self._why = clean(handed.why, 500)
                if self._ended:
                    self._lost += len(rest)
                else:
                    self._waiting.extendleft(reversed(rest))
            self._changed.notify_all()
            if self._tries:
                pause = min(self._pause * 2 ** min(self._tries - 1, 10), LONGEST_PAUSE)
                self._changed.wait_for(lambda: self._ended, pause)


class Sends(Protocol):
    """What is watched, and the senders that it is sent by (`start.Project`)."""

    @property
    def tasks(self) -> Mapping[str, Task]: ...
    @property
    def prepared(self) -> Prepared: ...
    @property
    def senders(self) -> Mapping[str, tuple[SenderEntry, Sender]]: ...


class Sending:
    """All senders of one monitor.

    Args:
        ways: by the names of their entries. stack, env: of the monitor.
    """

    def __init__(self, ways: Mapping[str, Way], stack: str, env: str) -> None:
        self.ways = dict(ways)
        #: Those that no entry is for any longer, until what they lost is counted.
        self._leaving: list[tuple[str, Way]] = []
        self._stack, self._env = stack, env
        self._services: dict[str, tuple[str, str]] = {}
        self._rows: dict[tuple[str, str], dict[str, Result]] = {}
        self._counted = -COUNTED
        self._told: dict[tuple[Way, str], int] = {}

    def watch(self, watched: Sends) -> None:
        """Send what is watched from now on, under the names by which others have it, by the senders that there are now.

        One that was there keeps its queue. What waits for one that is gone is still sent for a while, in a thread.
        """
        known = {way.sender: way for way in self.ways.values()}
        before, self.ways = self.ways, {}
        for name, (_, sender) in watched.senders.items():
            self.ways[name] = known.get(sender) or Way(sender)
        for name, way in before.items():
            if way not in self.ways.values():
                self._leaving.append((name, way))
                Thread(target=_let_go, args=(name, way), name=f"end send {name}", daemon=True).start()
        self.name(watched.tasks.values(), watched.prepared.plan.hosts, watched.prepared.scenarios)

    def name(self, tasks: Iterable[Task], hosts: Iterable[str], scenarios: Iterable[Scenario]) -> None:
        """Know by which names others have these."""
        own = f"infratest-{self._stack}-{self._env}" if self._env else f"infratest-{self._stack}"
        watched = [*tasks]
        names = service_names(watched, scenarios)
        self._services = {task.id: (own if task.host == NO_HOST else task.host, names[task.id]) for task in watched} | {
            reachable_id(host): (host, "") for host in hosts
        }
        self._rows = {}

    def offer(self, looked: Sequence[tuple[Result, float]], came: Sequence[Event]) -> None:
        """Have all that was seen sent.

        Args:
            looked: results, and when each was looked at, in seconds since the epoch. came: numbers from outside.
        """
        if not self.ways or not (looked or came):
            return
        seen = [self._seen(result, time) for result, time in looked]
        seen += [Seen(event.time, self._stack, self._env, (event,)) for event in came]
        for way in self.ways.values():
            way.offer(seen)

    def results(self) -> list[Result]:
        """Return for each sender whether all is taken."""
        made = []
        for name, way in self.ways.items():
            state, reason = way.judged()
            made.append(Result(of_sender(name), "", f"send {name}", 0, NO_HOST, state, reason))
        return made

    def figures(self) -> dict[str, Figures]:
        """Return how each does, by name."""
        return {name: way.figures for name, way in self.ways.items()}

    def losses(self, now: float, wall: float) -> list[Event]:
        """Return as numbers what was lost and left out since they were asked for, where anything was, once a minute.

        Args:
            now, wall: the monitor's own time, and seconds since the epoch.
        """
        if now - self._counted < COUNTED:
            return []
        self._counted, made = now, []
        gone = [each for each in self._leaving if each[1].done]
        for name, way in [*self.ways.items(), *self._leaving]:
            figures = way.figures
            for what, count in (("lost", figures.lost), ("left", figures.left)):
                more = count - self._told.get((way, what), 0)
                self._told[way, what] = count
                if more:
                    key = ".".join((part(self._stack), part(self._env), "-", "monitor", "send", what, part(name)))
                    labels = {"stack": self._stack, "env": self._env, "kind": METRIC, "sender": name}
                    made.append(Event(wall, key, float(more), "", labels))
        self._leaving = [each for each in self._leaving if each not in gone]
        self._told = {key: count for key, count in self._told.items() if key[0] not in [way for _, way in gone]}
        return made

    def end(self, seconds: float) -> None:
        """Send what waits, so long at most."""
        deadline = Deadline(seconds)
        for way in [*self.ways.values(), *(way for _, way in self._leaving)]:
            way.end(deadline)

    def _seen(self, result: Result, time: float) -> Seen:
        key, labels = events.series(self._stack, self._env, result, "state")
        more = {"blocked_by": result.blocked_by} if result.blocked_by is not None else {}
        state = {name: each for name, each in labels.items() if name != "name"}
        made = [Event(time, key, result.state, "", {**state, "kind": RESULT, **more})]
        for step in result.steps:
            for one in step.observations:
                if one.value is not None:
                    key, labels = events.series(self._stack, self._env, result, one.name)
                    made.append(Event(time, key, one.value, one.unit, labels))
        once = {event.key: event for event in reversed(made)}
        return Seen(time, self._stack, self._env, tuple(once.values())[::-1], result, self._service(result))

    def _service(self, result: Result) -> Service | None:
        on = self._services.get(result.id)
        if on is None:
            return None
        rows = self._rows.setdefault(on, {})
        rows[result.id] = result
        return Service(on[0], on[1], tuple(rows.values()))


def _let_go(name: str, way: Way) -> None:
    """Have one that is in the stack file no longer sent what waits for it, and say what is lost."""
    before = way.figures.lost
    way.end(Deadline(LAST))
    if lost := way.figures.lost - before:
        log.warning("monitor: %s is in `send` no longer: %s that waited for it lost", name, counted(lost, "result"))
