"""How long history is kept: `keep: {raw: 14d, hourly: 400d, size: 2GiB}`. The oldest blocks go first, heads stay.

What a monitor goes on from (statuses, ledger, downtimes ...) is no history, and stays. A series goes with the last that
is kept of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from infratest.store.blocks import HOUR
from infratest.store.database import numbers, series
from infratest.store.database.base import Transaction

#: Rows that one commit takes away at most, of each table.
SHARE = 2000
#: Series that one commit takes away at most: for each it is looked whether something of it waits to be packed.
SERIES = 100


@dataclass(frozen=True, slots=True)
class Keep:
    """How long and how much.

    Args:
        raw: seconds that every number is kept, hourly: that the figures of each hour are, with changes, deliveries and
        notes. size: bytes of the store; where it is larger, blocks go before their time.
    """

    raw: float = 14 * 86400.0
    hourly: float = 400 * 86400.0
    size: int = 2 * 2**30


@dataclass(frozen=True, slots=True)
class Trim:
    """What one `trim` took away.

    Args:
        blocks, series: how many. rows: of all else. over: whether the store is larger than it may be and no block is
        left to take: more is not taken, and somebody has to know.
    """

    blocks: int = 0
    rows: int = 0
    series: int = 0
    over: bool = False


def trim(t: Transaction, keep: Keep, wall: float, share: int = SHARE) -> Trim:
    """Take away some of what is kept too long. Called in each cycle: what is left goes with the next."""
    (oldest,) = t.row("SELECT min(hour) FROM block") or (None,)
    blocks, over = 0, t.size > keep.size
    if oldest is not None and (over or oldest + HOUR <= wall - keep.raw):
        blocks = _first(t, "block", "series", oldest, share)
    rows = 0
    for table, column in (("hourly", "series"), ("mark", "subject")):
        (oldest_of,) = t.row(f"SELECT min(hour) FROM {table}") or (None,)
        if oldest_of is not None and oldest_of + HOUR <= wall - keep.hourly:
            rows += _first(t, table, column, oldest_of, share)
    for table in ("change", "told", "note"):
        rows += _older(t, table, wall - keep.hourly, share)
    return Trim(blocks, rows, _series(t), over and blocks == 0)


def _first(t: Transaction, table: str, column: str, hour: int, share: int) -> int:
    """Take away the first rows of an hour, in the order of the primary key. Return how many."""
    rows = t.rows(f"SELECT {column} FROM {table} WHERE hour = ? ORDER BY {column} LIMIT ?", hour, share)
    t.write(f"old rows of {table}", f"DELETE FROM {table} WHERE hour = ? AND {column} <= ?", [(hour, rows[-1][0])])
    return len(rows)


def _series(t: Transaction) -> int:
    """Take away series of which nothing is kept any longer. Return how many."""
    first = [t.row(f"SELECT min(hour) FROM {table}") for table in ("block", "hourly")]
    hours = [row[0] for row in first if row is not None and row[0] is not None]
    silent = series.silent(t, min(hours), SERIES) if hours else []
    gone = {number for number in silent if not numbers.waits(t, number)}
    series.forget(t, gone)
    return len(gone)


def _older(t: Transaction, table: str, wall: float, share: int) -> int:
    rows = t.rows(f"SELECT number FROM {table} WHERE time < ? ORDER BY time LIMIT ?", wall, share)
    t.write(f"old rows of {table}", f"DELETE FROM {table} WHERE number = ?", rows)
    return len(rows)
