"""What came in and is not written yet: bounded, counted, never waited for. Between intakes' threads and a monitor's.

Intakes `offer` from any thread. The monitor takes all that is there with each turn, writes it in that turn's commit,
and says then what became of it: who sent by a way that answers is told that it is kept once it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Lock
from time import monotonic

from infratest.intakes._admission import FULL, OWN, SERIES, UNKNOWN_HEARTBEAT
from infratest.store.events import Event

#: Events that wait at most, and signals of heartbeats.
MOST, MOST_SIGNALS = 100_000, 10_000
#: Series that one sender may begin in an hour.
NEW_SERIES, HOUR = 10_000, 3600.0


class Ticket:
    """What became of something that was offered: known once the turn that takes it has ended."""

    def __init__(self) -> None:
        self._ended, self._kept = Flag(), False

    def end(self, kept: bool) -> None:
        """It is kept, or could not be."""
        self._kept = kept
        self._ended.set()

    def kept(self, seconds: float) -> bool:
        """Return whether it is kept, waiting for that so long at most."""
        return self._ended.wait(seconds) and self._kept


@dataclass
class Taken:
    """All that came since the turn before. signals: of heartbeats, by name and kind, in the order that they came."""

    events: list[Event] = field(default_factory=list)
    signals: list[tuple[str, str]] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)


class Arrivals:
    """The one place that all intakes put what they took.

    Args:
        known: keys that are kept already. own: how the keys of the monitor's own numbers begin: nobody else may say
        them. labels: that each event gets. wake: called, by any thread, when something came after nothing had.
    """

    def __init__(
        self,
        known: Iterable[str] = (),
        own: str = "\n",
        labels: Mapping[str, str] | None = None,
        wake: Callable[[], None] = lambda: None,
        most: int = MOST,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self.own, self.labels, self.wake = own, dict(labels or {}), wake
        self.heartbeats: frozenset[str] = frozenset()
        self._known = {key for key in known if not key.startswith(own)}
        self._most, self._now = most, now
        self._lock, self._waiting = Lock(), Taken()
        self._begun: dict[str, tuple[float, int]] = {}
        #: How many events each intake took, and what it refused, by reason.
        self.taken: Counter[str] = Counter()
        self.refusals: Counter[tuple[str, str]] = Counter()

    def offer(self, intake: str, events: Sequence[Event], sender: str = "") -> tuple[Counter[str], Ticket]:
        """Give events; what is refused of them is counted.

        Args:
            intake: its word. sender: the name of who sent it, where that is known: new series are counted by it.
        Returns:
            How many were refused, by reason; and what says when the others are kept.
        """
        refused: Counter[str] = Counter()
        ticket = Ticket()
        with self._lock:
            before, labels = len(self._waiting.events), self.labels | {"from": intake}
            shared: dict[int, Mapping[str, str]] = {}  # those that many events have are made once
            waiting, most, known = self._waiting.events, self._most, self._known
            for event in events:
                usual = event.key in known and len(waiting) < most
                if not usual and (reason := self._reason(event, sender or intake)):
                    refused[reason] += 1
                    continue
                its = shared.get(id(event.labels))
                if its is None:
                    its = shared[id(event.labels)] = {**event.labels, **labels}
                waiting.append(Event(event.time, event.key, event.value, event.unit, its))
            self._waiting.tickets.append(ticket)
            self.taken[intake] += len(self._waiting.events) - before
            self._count(intake, refused)
        self.wake()
        return refused, ticket

    def signal(self, intake: str, name: str, kind: str) -> tuple[str, Ticket]:
        """Give a signal of a heartbeat. Return why it is refused, empty where it is not."""
        ticket, reason = Ticket(), ""
        with self._lock:
            if name not in self.heartbeats:
                reason = UNKNOWN_HEARTBEAT
            elif len(self._waiting.signals) >= MOST_SIGNALS:
                reason = FULL
            if reason:
                self._count(intake, {reason: 1})
                return reason, ticket
            self._waiting.signals.append((name, kind))
            self._waiting.tickets.append(ticket)
            self.taken[intake] += 1
        self.wake()
        return "", ticket

    def refuse(self, intake: str, reason: str, count: int = 1) -> None:
        """Count what an intake refused, or lost, before it was an event."""
        with self._lock:
            self._count(intake, {reason: count})

    def take(self) -> Taken:
        """Return all that waits, no longer kept here."""
        with self._lock:
            taken, self._waiting = self._waiting, Taken()
        return taken

    @property
    def waiting(self) -> int:
        """How many events wait to be written."""
        return len(self._waiting.events)

    def _reason(self, event: Event, sender: str) -> str:
        """Return why an event is not taken, empty where it is."""
        if len(self._waiting.events) >= self._most:
            return FULL
        if event.key.startswith(self.own):
            return OWN
        if event.key in self._known:
            return ""
        began, count = self._begun.get(sender, (-HOUR, 0))
        now = self._now()
        if now - began >= HOUR:
            began, count = now, 0
        if count >= NEW_SERIES:
            return SERIES
        self._begun[sender] = began, count + 1
        self._known.add(event.key)
        return ""

    def _count(self, intake: str, refused: Mapping[str, int]) -> None:
        for reason, count in refused.items():
            self.refusals[intake, reason] += count
