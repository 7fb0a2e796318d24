"""How a receiver does: a result of the monitor's own, told to the other receivers. Called by the monitor's loop."""

from __future__ import annotations

from infratest.alerting.subject import of_receiver
from infratest.model import Result
from infratest.monitor.book import Book
from infratest.states import CRITICAL, OK, WARNING

#: Failures in a row after which a receiver is a problem of its own.
DEAD = 3


def reception(book: Book, receiver: str) -> Result:
    """Return whether a receiver takes what it is sent, and for all whom it is for."""
    id, tries = of_receiver(receiver), book.failing(receiver)
    before = book.results.get(id)
    # After a restart it is known from then, until another message is taken.
    missed = book.missed.get(receiver, before.reason if before is not None and before.state == WARNING else "")
    state, reason = WARNING if missed else OK, missed
    if tries >= DEAD:
        state, reason = CRITICAL, f"it has not taken what it was sent, {tries} times"
    return Result(id, "", f"receiver {receiver}", 0, "-", state, reason)
