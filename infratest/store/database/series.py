"""Series of numbers, by their own numbers: begun as they are first heard of, and gone when nothing of them is kept.

Hosts come and go, and with each its series. When something of one was packed last is remembered to a day, in its row:
it costs a write a day, and says that nothing is there of it once all that is kept is younger.
"""

from __future__ import annotations

from collections.abc import Collection

from infratest.store.blocks import hour_of
from infratest.store.database.base import Transaction
from infratest.store.database.parts import STRIPE
from infratest.store.database.values import as_sorted_json, storable
from infratest.store.events import Event

#: Seconds by which what is remembered may be too early.
DAY = 86400


def begun(t: Transaction, event: Event) -> int:
    """Return the number of an event's series, which is begun where it is new; its newest labels and unit are kept."""
    if (number := t.fresh.get(event.key)) is not None:
        return number
    its = storable(event.key), as_sorted_json(dict(event.labels)), storable(event.unit), hour_of(event.time)
    t.write(
        "series",
        "INSERT INTO series (key, labels, unit, seen) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE "
        "SET labels = excluded.labels, unit = excluded.unit "
        "WHERE series.labels <> excluded.labels OR series.unit <> excluded.unit",
        [its],
    )
    row = t.row("SELECT number FROM series WHERE key = ?", its[0]) or (0,)
    number = t.fresh[event.key] = int(row[0])
    return number


def seen(t: Transaction, numbers: Collection[int], hour: int, stripe: int) -> None:
    """Remember that something of these series is packed, of an hour; all are of one stripe."""
    old = t.rows(
        "SELECT number FROM series WHERE number >= ? AND number < ? AND seen <= ?",
        stripe * STRIPE, (stripe + 1) * STRIPE, hour - DAY,
    )  # fmt: skip
    rows = [(hour, number) for (number,) in old if number in numbers]
    t.write("series", "UPDATE series SET seen = ? WHERE number = ?", rows)


def silent(t: Transaction, oldest: int, share: int) -> list[int]:
    """Return the numbers of series of which nothing is packed; of one that was never packed nobody knows.

    Args:
        oldest: hour of all that is packed. share: how many at most.
    """
    statement = "SELECT number FROM series WHERE seen > 0 AND seen <= ? ORDER BY seen LIMIT ?"
    return [number for (number,) in t.rows(statement, oldest - DAY, share)]


def forget(t: Transaction, numbers: Collection[int]) -> None:
    """Take series away; one that is heard of again is begun anew."""
    t.write("old series", "DELETE FROM series WHERE number = ?", [(number,) for number in numbers])
    # At once: what this transaction keeps of one is no longer under its old number.
    for known in (t.series, t.fresh) if numbers else ():
        for key in [key for key, number in known.items() if number in numbers]:
            del known[key]
