"""What was so of a result at any minute of the past, and who was told of it: from the store alone.

The store keeps each change of a hard state, what became of each notice, and why who was not told; and between the
monitor's own marks it is known that somebody watched. Where nobody did, nothing is known of that time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infratest.monitor.keeping import BEGINS, ENDED, MYSELF
from infratest.states import OK, UNKNOWN
from infratest.store.database import changes, ledger, meta, people
from infratest.store.database.base import Transaction
from infratest.store.database.changes import Change
from infratest.store.database.ledger import ATTEMPTED, QUEUED, WITHDRAWN, WITHHELD, Delivery
from infratest.store.database.people import Note

#: Notices and notes that are told at most, the newest.
MANY = 50
#: Seconds before a time in which what people noted is worth telling.
NOTED = 3600.0


@dataclass(frozen=True)
class Notification:
    """What became of one notice up to a time.

    Args:
        queued: when it was put on its way. at, outcome, reason: of the newest that is known of it.
    """

    receiver: str
    kind: str
    level: str
    route: str
    queued: float
    at: float
    outcome: str
    reason: str


def explained(t: Transaction, id: str, wall: float, fresh: float) -> dict[str, Any]:
    """Return all that is known of a result at a time, in seconds since the epoch.

    Args:
        fresh: seconds for which what a monitor knew holds after its end.
    """
    change = changes.last(t, id, wall)
    state, since, reason = _state(t, id, change, wall)
    if change is not None and not watched_at(t, wall, fresh):
        reason = f"nobody watched at that time; the last that is known: {state}" + (f": {reason}" if reason else "")
        state = UNKNOWN
    deliveries = ledger.deliveries(t, id, end=_just_after(wall))
    return {
        "id": id,
        "at": wall,
        "state": state,
        "since": since,
        "reason": reason,
        "evidence": list(change.evidence) if change is not None else [],
        "told": [vars(each) for each in told(deliveries)[-MANY:]],
        "withheld": withheld(deliveries),
        "notes": [
            {"at": each.at.wall, "by": each.author, "host": each.host, "text": each.text}
            for each in people.notes(t, wall - NOTED, _just_after(wall), MANY)
        ],
    }


def known(t: Transaction) -> list[str]:
    """Return the ids of all results that the store knows of, also of those that are watched no longer."""
    rows = t.rows("SELECT id FROM subject UNION SELECT id FROM status ORDER BY id")
    return [id for (id,) in rows]


def watched_at(t: Transaction, wall: float, fresh: float) -> bool:
    """Whether a monitor watched at a time, or had ended so little before that what it knew held still."""
    until = meta.watched(t)
    if until is None or wall > until + fresh:
        return False
    own = [each for each in people.notes(t, end=_just_after(wall)) if _of_life(each)]
    if own:
        return own[-1].text == BEGINS
    # The notes of that time are kept no longer: somebody did where a monitor ended later.
    later = (each for each in people.notes(t, begin=wall) if _of_life(each))
    first = next(later, None)
    return first is None or first.text == ENDED


def _of_life(note: Note) -> bool:
    """Whether a note says that a monitor began or ended; it notes other things, too, as hosts that came."""
    return note.author == MYSELF and note.text in (BEGINS, ENDED)


def told(deliveries: Sequence[Delivery]) -> list[Notification]:
    """Return what became of each notice, in the order in which they were put on their way."""
    found: dict[str, Notification] = {}
    for each in deliveries:
        if each.outcome in (WITHHELD, WITHDRAWN) or not each.key:
            continue
        before = found.get(each.key)
        queued = each.at.wall if before is None else before.queued
        reason = "" if each.outcome in (QUEUED, ATTEMPTED) else each.reason
        found[each.key] = Notification(
            each.receiver, each.kind, each.level, each.route, queued, each.at.wall, each.outcome, reason
        )
    return list(found.values())


def withheld(deliveries: Sequence[Delivery]) -> dict[str, str]:
    """Return why who was not told, as it stood at the end; `-` for all."""
    reasons: dict[str, str] = {}
    for each in deliveries:
        if each.outcome == WITHHELD:
            reasons[each.receiver] = each.reason
    return {name: reason for name, reason in sorted(reasons.items()) if reason}


def _state(t: Transaction, id: str, change: Change | None, wall: float) -> tuple[str, float | None, str]:
    """Return the hard state of a result at a time, since when, and why."""
    if change is not None:
        return change.after, change.at.wall, change.reason if change.after != OK else ""
    marked = changes.marked(t, id, wall)
    if marked is not None:
        return marked, None, "its beginning is kept no longer"
    return UNKNOWN, None, "it was not watched at that time, or that is kept no longer"


def _just_after(wall: float) -> float:
    """Return the end of a span of time that has this one in it: spans are without their ends."""
    return wall + 1e-6
