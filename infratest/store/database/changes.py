"""How results were, over time: each change of a hard state with its evidence, and once an hour how each one is.

An unchanged state costs one small row an hour, which says both that it was watched then and how it was: where the
changes before it are kept no longer, its state is known all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from infratest.alerting.moments import Moment, happened
from infratest.states import OK
from infratest.store.blocks import HOUR, hour_of
from infratest.store.database.base import Row, Transaction
from infratest.store.database.values import as_json, storable

#: Changes that one question answers with at most, the newest.
MOST = 10_000
#: Results that are marked in one commit.
SHARE = 2000

CHANGES_OF = (
    "SELECT subject.id, time, steady, before, after, reason, evidence FROM change "
    "JOIN subject ON subject.number = change.subject "
    "WHERE subject.id = ? AND time >= ? AND time < ? ORDER BY time DESC, change.number DESC LIMIT ?"
)
_CHANGES = (
    "SELECT subject.id, time, steady, before, after, reason, evidence FROM change "
    "JOIN subject ON subject.number = change.subject "
    "WHERE time >= ? AND time < ? ORDER BY time DESC, change.number DESC LIMIT ?"
)
LAST = (
    "SELECT subject.id, time, steady, before, after, reason, evidence FROM change "
    "JOIN subject ON subject.number = change.subject "
    # In the order in which they happened: a wall clock that was set back gives later ones earlier times. (`+ 0` has the
    # index of the times be asked, and not all changes from the newest on.)
    "WHERE change.number = (SELECT max(number + 0) FROM change "
    "WHERE subject = (SELECT number FROM subject WHERE id = ?) AND time <= ?)"
)
_LAST_MARK = (
    "SELECT hour, state FROM mark WHERE subject = (SELECT number FROM subject WHERE id = ?) "
    "AND hour IN (?, ?) ORDER BY hour DESC LIMIT 1"
)
_HOURS = "SELECT hour FROM mark WHERE subject = (SELECT number FROM subject WHERE id = ?) AND hour >= ? AND hour < ?"
_WELL = (
    "SELECT mark.hour FROM mark JOIN mark AS earlier ON earlier.subject = mark.subject "
    "AND earlier.hour = mark.hour - 3600 WHERE mark.subject = (SELECT number FROM subject WHERE id = ?) "
    "AND mark.hour > ? AND mark.state = ? AND earlier.state = ? ORDER BY mark.hour LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a hard state.

    Args:
        before: `-` where nothing was known before. evidence: of its steps, as a report's JSON has it.
    """

    at: Moment
    id: str
    before: str
    after: str
    reason: str = ""
    evidence: Sequence[Mapping[str, Any]] = ()


def add(t: Transaction, changes: Iterable[Change]) -> None:
    """Keep changes."""
    listed = list(changes)
    _name(t, (each.id for each in listed))
    t.write(
        "changes",
        "INSERT INTO change (subject, time, steady, before, after, reason, evidence) "
        "VALUES ((SELECT number FROM subject WHERE id = ?), ?, ?, ?, ?, ?, ?)",
        [
            (storable(each.id), each.at.wall, each.at.steady, each.before, each.after, storable(each.reason),
             as_json(list(each.evidence)))
            for each in listed
        ],
    )  # fmt: skip


def changes(
    t: Transaction, id: str | None = None, begin: float = 0.0, end: float = 1e15, most: int = MOST
) -> list[Change]:
    """Return the changes of a result, or of all, from one time to another, without that one.

    They are in the order in which they happened, whatever the wall clock was set to meanwhile.

    Args:
        begin, end: seconds since the epoch. most: where there are more, the newest are given.
    """
    rows = t.rows(_CHANGES, begin, end, most) if id is None else t.rows(CHANGES_OF, storable(id), begin, end, most)
    return happened([_change(row) for row in reversed(rows)])


def last(t: Transaction, id: str, wall: float) -> Change | None:
    """Return the change of a result that happened last, of those no later than a time; None where none is kept."""
    row = t.row(LAST, storable(id), wall)
    return None if row is None else _change(row)


def mark(t: Transaction, wall: float, states: Mapping[str, str], share: int = SHARE) -> int:
    """Keep how results are, once in an hour. Called in each cycle with all of them; returns how many were marked now.

    Args:
        states: by id. share: how many are marked in one commit at most; the rest with the next ones.
    """
    hour = hour_of(wall)
    (done,) = t.row("SELECT count(*) FROM mark WHERE hour = ?", hour) or (0,)
    if done >= len(states):
        return 0
    ids = sorted(states)[done : done + share]
    _name(t, ids)
    t.write(
        "marks",
        "INSERT INTO mark (hour, subject, state) VALUES (?, (SELECT number FROM subject WHERE id = ?), ?) "
        "ON CONFLICT (hour, subject) DO NOTHING",
        [(hour, storable(id), states[id]) for id in ids],
    )
    return len(ids)


def marked(t: Transaction, id: str, wall: float) -> str | None:
    """Return how a result was in the hour that a time is in, or the one before it; None where it was not watched."""
    hour = hour_of(wall)
    row = t.row(_LAST_MARK, storable(id), hour, hour - 3600)
    return None if row is None else str(row[1])


def watched(t: Transaction, id: str, begin: float, end: float) -> bool:
    """Whether a result was watched from one time to another: in each hour of that, and in the one before it.

    A monitor that began, or began again, within the first of them may have done so after that time.
    """
    first = hour_of(begin) - HOUR
    rows = t.rows(_HOURS, storable(id), first, end)
    return {int(hour) for (hour,) in rows} >= {*range(first, ceil(end), HOUR)}


def well_after(t: Transaction, id: str, wall: float) -> float | None:
    """Return when a result is known to have been well after a time, by its marks alone; None where it is not.

    It was so in two hours in a row that began after that: what was ok in the first may have been looked at before.
    """
    row = t.row(_WELL, storable(id), wall + 3600, OK, OK)
    return None if row is None else float(row[0])


def _name(t: Transaction, ids: Iterable[str]) -> None:
    """Give ids their numbers, where they have none yet."""
    t.write(
        "subjects",
        "INSERT INTO subject (id) VALUES (?) ON CONFLICT (id) DO NOTHING",
        [(storable(id),) for id in ids],
    )


def _change(row: Row) -> Change:
    id, time, steady, before, after, reason, evidence = row
    return Change(Moment(steady, time), id, before, after, reason, tuple(json.loads(evidence)))
