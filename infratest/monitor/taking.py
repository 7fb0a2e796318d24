"""What comes from outside, put into the monitor's book with each turn: numbers, and signals of heartbeats.

Asked by the loop's one thread. What intakes took waits in `Arrivals`; it is written in the commit of the turn that
takes it, and only then is who sent it told that it is kept.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from infratest.alerting.moments import Moment
from infratest.errors import UserError
from infratest.intakes._arrivals import Arrivals, Taken
from infratest.monitor.book import Book
from infratest.stack.monitor import Monitor
from infratest.store.events import METRIC, Event, part

log = logging.getLogger(__name__)

#: Seconds between two numbers that say how much was refused.
COUNTED = 60.0


class Taking:
    """Takes what came.

    Args:
        declared: what the stack says of its monitor now.
    """

    def __init__(self, arrivals: Arrivals, declared: Callable[[], Monitor]) -> None:
        self.arrivals = arrivals
        self._declared = declared
        self._listen = declared().listen
        self._taken = Taken()
        self._counted = -COUNTED
        self._refusals: Counter[tuple[str, str]] = Counter()

    def take(self, book: Book, now: Moment) -> None:
        """Put all that came since the turn before into the book."""
        declared = self._declared()
        self.arrivals.heartbeats = frozenset(declared.heartbeats)
        if declared.listen != self._listen:
            self._listen = declared.listen
            log.warning("monitor: `listen` has changed: start the monitor anew to have it so")
        self._taken = self.arrivals.take()
        book.changes.events += self._taken.events
        for name, kind in self._taken.signals:
            with suppress(UserError):  # none of that name is expected any longer
                book.pulses.hear(name, kind, now)
        if now.steady - self._counted >= COUNTED:
            self._count(book, now)

    def ended(self, kept: bool) -> None:
        """The turn has ended, and what it took is written, or is not."""
        for ticket in self._taken.tickets:
            ticket.end(kept)
        self._taken = Taken()

    def _count(self, book: Book, now: Moment) -> None:
        """Have what was refused be a number, where anything was: so that a sentence can ask for it."""
        self._counted, before = now.steady, self._refusals
        self._refusals = Counter(self.arrivals.refusals)
        for (intake, reason), count in (self._refusals - before).items():
            key = f"{self.arrivals.own}-.monitor.refused.{part(intake)}.{part(reason)}"
            labels = {**self.arrivals.labels, "kind": METRIC, "intake": intake, "reason": reason}
            book.changes.events.append(Event(now.wall, key, float(count), "", labels))
