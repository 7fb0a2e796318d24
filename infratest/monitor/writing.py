"""What a monitor knows, written with each turn; a store that does not take it, and one that is damaged.

Where a store takes nothing, checking and telling go on: an on-call person needs them most when the disk is full. Where
it is damaged, a new one begins with all that is known here, and with it who was told what: nobody is told that again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from infratest.alerting.moments import Anchor, Moment
from infratest.errors import LeaseLost, StateError, StoreDamaged
from infratest.monitor.book import Book
from infratest.monitor.changes import Changes
from infratest.monitor.timepiece import Timepiece

log = logging.getLogger(__name__)

#: Seconds between two words that this is the monitor that works.
RENEW = 1.0
#: Seconds between two rounds of keeping the store small.
TEND = 10.0
#: Seconds between two stores that are set aside as damaged: a disk on which each one is damaged must not fill up.
ANEW = 3600.0


class Store(Protocol):
    """Where a monitor's changes are kept; where several could work, what says which of them does."""

    @property
    def ours(self) -> bool: ...
    def renew(self) -> None:
        """Stay the one that works. Raises LeaseLost, and StateError where nobody can say."""

    def write(self, changes: Changes, anchor: Anchor) -> None:
        """Write all of it, or nothing. Raises StateError, and StoreDamaged of a store that never takes it again."""

    def begin_anew(self, whole: Changes, anchor: Anchor) -> None:
        """Set a damaged store aside, and write all that is known into a new one. Raises StateError."""

    @property
    def aside(self) -> Sequence[str]:
        """Where damaged stores lie that were set aside, the newest last."""

    @property
    def overgrown(self) -> str:
        """Why it is larger than it may be, though all was taken away that may go; empty where it is not."""

    def tend(self, now: Moment, states: Mapping[str, str]) -> None:
        """Do a part of what keeps it small, told how each result is. Raises as `write`."""


class Writing:
    """Writes what a book has to say, and knows what of it is not written. Used by the loop's one thread."""

    def __init__(self, book: Book, store: Store, timepiece: Timepiece) -> None:
        self.book, self.store, self.timepiece = book, store, timepiece
        #: Why the newest changes are not in the store; empty where they are.
        self.unwritten = ""
        #: Why the store is damaged, where no new one could be begun in its place.
        self.damage = ""
        #: How often there was something new to say of damage.
        self.found = 0
        #: When a turn last ended of which all is written.
        self.kept = timepiece.now()
        self._renewed, self._tended, self._anew, self._untended = -RENEW, -TEND, -ANEW, ""

    def due(self, now: Moment) -> bool:
        """Whether the store is to be kept small with this turn."""
        return now.steady - self._tended >= TEND

    @property
    def damaged(self) -> str:
        """Why the store is not whole, or was not, until nothing of the damaged one is left; empty of a whole one."""
        return self.damage or self._lost

    @property
    def overgrown(self) -> str:
        """Why the store is not kept within its size; empty where it is."""
        return self._untended or self.store.overgrown

    def write(self, now: Moment) -> None:
        """Write what this turn has to say. Raises LeaseLost: another monitor works, which has what was kept."""
        changes = self.book.taken()
        try:
            if changes or self.due(now):  # the clocks, too: until when somebody watched
                self.store.write(changes, self.timepiece.anchor())
            elif now.steady - self._renewed >= RENEW:
                self._renewed = now.steady
                self.store.renew()
        except LeaseLost:
            raise
        except StoreDamaged as error:
            self._begin_anew(changes, error, now)
        except StateError as error:
            self._refused(changes, str(error))
        else:
            self._written(now)
            if self.due(now):
                self._tend(now)

    def _written(self, now: Moment) -> None:
        self.kept, self.unwritten, self.damage = now, "", ""

    def _refused(self, changes: Changes, why: str) -> None:
        self.book.put_back(changes)
        if why != self.unwritten:
            self.unwritten = why
            log.error("%s", why)

    def _tend(self, now: Moment) -> None:
        """Keep the store small. What was written before it is written, whatever comes of it."""
        self._tended, before, self._untended = now.steady, self._untended, ""
        try:
            self.store.tend(now, {id: self.book.statuses[id].state for id in self.book.subjects})
        except LeaseLost:
            raise
        except StoreDamaged as error:
            self._begin_anew(Changes(), error, now)
        except StateError as error:
            self._untended = str(error)
            if self._untended != before:
                log.error("%s", error)

    def _begin_anew(self, changes: Changes, damage: StoreDamaged, now: Moment) -> None:
        """Go on with a new store. changes: what the damaged one did not take."""
        whole = self.book.whole().behind(changes)
        if self.damage and now.steady - self._anew < ANEW:
            self._refused(whole, self.damage)
            return
        self.found += 1
        try:
            if now.steady - self._anew < ANEW:
                raise StateError("a new one was begun within the hour already, so that its disk may be at fault")
            self._anew = now.steady
            self.store.begin_anew(whole, self.timepiece.anchor())
        except LeaseLost:
            raise
        except StateError as error:
            self.damage = f"{damage}; {error}"
            self._refused(whole, self.damage)
        else:
            log.error("%s; what this monitor knows is in a new one; %s", damage, self._lost)
            self._written(now)

    @property
    def _lost(self) -> str:
        """What is to be done about a damaged store that was set aside; empty where none is there."""
        aside = self.store.aside
        if not aside:
            return ""
        words = "see to its disk, and move it away"
        return f"a damaged store was set aside, and the history in it is there alone: {aside[-1]}; {words}"
