"""What ends by itself, unless it is said again: open problems at receivers that forget them, and the stack's own lease.

An alert of Alertmanager is over when its lease is: a monitor that stands still is noticed by that, and one that works
says it again in time. Such a message is none of the ledger: it tells nothing new.
"""

from __future__ import annotations

from collections.abc import Collection
from threading import Thread

from infratest.alerting.ledger import FLAPPING, PROBLEM, UNSTABLE, Entry, Notice
from infratest.alerting.moments import Moment
from infratest.lifecycle.lease import renew
from infratest.monitor.book import Book
from infratest.project.session import Session
from infratest.states import OK

#: The part of a lease after which it is renewed: two messages may be lost.
OFTEN = 1 / 3
#: Seconds between two looks at the stack's lease, which lasts a day.
STACK = 600.0


class Leases:
    """Which problems are to be said again, and when they were."""

    def __init__(self) -> None:
        self._renewed: dict[tuple[str, str], float] = {}

    def due(self, book: Book, busy: Collection[str], now: Moment) -> list[tuple[Notice, ...]]:
        """Return what is to be handed over again now, a message each receiver; those that are busy are left out."""
        found = []
        for name, receiver in book.receivers.items():
            if receiver.lease and name not in busy:
                notices = self._of(book, name, receiver.lease * OFTEN, now.steady)
                if notices:
                    found.append(notices)
        return found

    def _of(self, book: Book, name: str, often: float, now: float) -> tuple[Notice, ...]:
        open_ones = {
            key: entry
            for key, entry in book.entries.items()
            if key[0] == name and entry.level != OK and entry.pending is None
        }
        for key in [key for key in self._renewed if key[0] == name and key not in open_ones]:
            del self._renewed[key]
        due = [key for key, entry in open_ones.items() if now - max(entry.at, self._renewed.get(key, 0.0)) >= often]
        self._renewed.update(dict.fromkeys(due, now))
        return tuple(_again(book, key, open_ones[key]) for key in sorted(due))


def _again(book: Book, key: tuple[str, str], entry: Entry) -> Notice:
    name, id = key
    status = book.statuses.get(id)
    kind = FLAPPING if entry.level == UNSTABLE else PROBLEM
    reason = status.reason if status is not None else ""
    return Notice(name, id, entry.problem, entry.begun, entry.number, kind, entry.level, reason=reason)


class StackLease:
    """Renews the lease of the stack itself while it is watched; in a thread, since its lock may be held by others."""

    def __init__(self, session: Session) -> None:
        self._session, self._next = session, 0.0

    def tend(self, now: Moment) -> None:
        """Renew it, where that is due."""
        if now.steady >= self._next:
            self._next = now.steady + STACK
            stack = self._session.stack
            Thread(target=renew, args=(self._session.state, stack.name, stack.env), name="lease", daemon=True).start()
