"""Who was given which notice: the ledger as it stands, and what became of each notice, for who asks why.

`alerting.ledger` says when each change is written: before a notice is handed over, and after. The entries are what a
monitor goes on from; the deliveries are history, and go with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infratest.alerting.ledger import Entry, Ledger, Notice
from infratest.alerting.moments import Moment, happened
from infratest.alerting.owed import Withheld
from infratest.store.database.base import Transaction
from infratest.store.database.values import read, storable, written

QUEUED, ATTEMPTED, DELIVERED, REFUSED, LOST, WITHDRAWN, WITHHELD = (
    "queued", "attempted", "delivered", "refused", "lost", "withdrawn", "withheld",
)  # fmt: skip
#: Deliveries that one question answers with at most, the newest.
MOST = 10_000
#: What counts down in the reason of a silence: with each cycle it is another text, and says nothing new.
_COUNTS_DOWN = re.compile(r"\b\d+ s( more)?\Z")
_COLUMNS = "time, steady, outcome, receiver, id, key, kind, level, route, reason"
DELIVERIES_OF = (
    f"SELECT {_COLUMNS} FROM told WHERE id = ? AND time >= ? AND time < ? ORDER BY time DESC, number DESC LIMIT ?"
)
_DELIVERIES = f"SELECT {_COLUMNS} FROM told WHERE time >= ? AND time < ? ORDER BY time DESC, number DESC LIMIT ?"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing that happened to a notice, or why there was none.

    Args:
        outcome: one of the words above. receiver: `-` for all. key, kind, level: of the notice; empty where there was
        none. route: the rule that it is told by. reason: of the notice, of the refusal, of the silence; empty of one
        that has ended.
    """

    at: Moment
    outcome: str
    receiver: str
    id: str
    key: str = ""
    kind: str = ""
    level: str = ""
    route: str = ""
    reason: str = ""


def of_notice(at: Moment, outcome: str, notice: Notice, *, reason: str = "") -> Delivery:
    """Return what happened to a notice. reason: by default the notice's own."""
    its = notice.receiver, notice.id, notice.key, notice.kind, notice.level, notice.route
    return Delivery(at, outcome, *its, reason or notice.reason)


def entries(t: Transaction) -> dict[tuple[str, str], Entry]:
    """Return the ledger: entries by receiver and id. Raises StoreDamaged."""
    rows = t.rows("SELECT receiver, id, body FROM entry ORDER BY receiver, id")
    return {(receiver, id): read(Entry, body) for receiver, id, body in rows}


def write(t: Transaction, entries: Mapping[tuple[str, str], Entry | None]) -> None:
    """Keep entries, all fields of each, in place of what was kept; None for one that is remembered no longer."""
    t.write(
        "ledger entries",
        "INSERT INTO entry (receiver, id, body) VALUES (?, ?, ?) "
        "ON CONFLICT (receiver, id) DO UPDATE SET body = excluded.body",
        [
            (storable(receiver), storable(id), written(entry))
            for (receiver, id), entry in entries.items()
            if entry is not None
        ],
    )
    t.write(
        "removed ledger entries",
        "DELETE FROM entry WHERE receiver = ? AND id = ?",
        [(storable(receiver), storable(id)) for (receiver, id), entry in entries.items() if entry is None],
    )


def turn(t: Transaction, before: Ledger, after: Ledger) -> None:
    """Keep what is other in one ledger than in the one that is kept."""
    changed: dict[tuple[str, str], Entry | None] = {key: None for key in before if key not in after}
    write(t, changed | {key: entry for key, entry in after.items() if before.get(key) != entry})


def add(t: Transaction, deliveries: Iterable[Delivery]) -> None:
    """Keep what happened to notices."""
    t.write(
        "deliveries",
        f"INSERT INTO told ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (each.at.wall, each.at.steady, each.outcome, *map(storable, (
                each.receiver, each.id, each.key, each.kind, each.level, each.route, each.reason)))
            for each in deliveries
        ],
    )  # fmt: skip


def deliveries(
    t: Transaction, id: str | None = None, begin: float = 0.0, end: float = 1e15, most: int = MOST
) -> list[Delivery]:
    """Return what happened to the notices of a result, or of all, from one time to another, in the order it happened.

    Args:
        begin, end: seconds since the epoch. most: where there are more, the newest are given.
    """
    rows = (
        t.rows(_DELIVERIES, begin, end, most) if id is None else t.rows(DELIVERIES_OF, storable(id), begin, end, most)
    )
    return happened(Delivery(Moment(steady, time), *more) for time, steady, *more in reversed(rows))


def withhold(t: Transaction, at: Moment, withheld: Iterable[Withheld]) -> list[Delivery]:
    """Keep why who is not told, where that has changed since the last time, and return those changes.

    Args:
        withheld: all of this moment: a silence that is not among them has ended.
    """
    before = {(receiver, id): reason for receiver, id, reason in t.rows("SELECT receiver, id, reason FROM withheld")}
    now = {(storable(each.receiver), storable(each.id)): storable(each.reason) for each in withheld}
    changed = {key: now.get(key, "") for key in before | now if _steady(now.get(key)) != _steady(before.get(key))}
    t.write(
        "reasons",
        "INSERT INTO withheld (receiver, id, reason) VALUES (?, ?, ?) "
        "ON CONFLICT (receiver, id) DO UPDATE SET reason = excluded.reason",
        [(*key, reason) for key, reason in changed.items() if key in now],
    )
    t.write("ended reasons", "DELETE FROM withheld WHERE receiver = ? AND id = ?", [k for k in changed if k not in now])
    made = [Delivery(at, WITHHELD, *key, reason=reason) for key, reason in sorted(changed.items())]
    add(t, made)
    return made


def sent(t: Transaction) -> dict[str, float]:
    """Return when each receiver was sent its newest message, in the monitor's own time."""
    return dict(t.rows("SELECT receiver, steady FROM sent ORDER BY receiver"))


def write_sent(t: Transaction, times: Mapping[str, float]) -> None:
    """Keep when receivers were sent a message, in the monitor's own time."""
    t.write(
        "times of messages",
        "INSERT INTO sent (receiver, steady) VALUES (?, ?) "
        "ON CONFLICT (receiver) DO UPDATE SET steady = excluded.steady",
        [(storable(receiver), steady) for receiver, steady in times.items()],
    )


def _steady(reason: str | None) -> str | None:
    return None if reason is None else _COUNTS_DOWN.sub("", reason)
