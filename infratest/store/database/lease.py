"""Which of several monitors works: a row with its holder, a number, and an end by the database's own clock.

The number goes up with each new holder. Whoever writes says its number in the same transaction, so what an older holder
still wants to write is refused, however late it comes: it was stopped, or cut off, and does not know that it is over.
"""

from __future__ import annotations

from dataclasses import dataclass

from infratest.errors import LeaseLost
from infratest.store.database.base import Transaction

#: Seconds that a lease lasts from its last renewal: where its holder dies, another one takes it then.
SECONDS = 10.0
_NAME = "monitor"
#: The database's own clock, which goes on within a transaction, in seconds since the epoch.
_NOW = "CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)"


@dataclass(frozen=True, slots=True)
class Lease:
    """What stands in the row. left: seconds until its end, below zero where that is over."""

    holder: str
    number: int
    left: float


def seen(t: Transaction) -> Lease | None:
    """Return whose the lease is; None where nobody ever had it."""
    row = t.row(f"SELECT holder, number, expiry - {_NOW} FROM lease WHERE name = ?", _NAME)
    return None if row is None else Lease(*row)


def taken(t: Transaction, holder: str, seconds: float = SECONDS) -> int | None:
    """Take the lease where it is nobody's any longer. Return its new number, None where it is another's."""
    row = t.row(
        f"INSERT INTO lease (name, holder, number, expiry) VALUES (?, ?, 1, {_NOW} + ?) "
        "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, number = lease.number + 1, "
        f"expiry = {_NOW} + ? WHERE lease.expiry <= {_NOW} RETURNING number",
        _NAME, holder, seconds, seconds,
    )  # fmt: skip
    return None if row is None else int(row[0])


def stopped_ended(t: Transaction, seconds: float) -> None:
    """End the sessions of those who have the lease's row in a transaction, and have said nothing for so many seconds.

    The server ends a transaction by itself where it is idle. To it one is not while rows are sent to it many at a time
    (psycopg's `executemany` is a pipeline): who is stopped in the midst of that would have the row for ever.
    """
    t.rows(
        "SELECT pg_terminate_backend(its.pid) FROM pg_locks JOIN pg_stat_activity its USING (pid) "
        "WHERE locktype = 'relation' AND relation = CAST('lease' AS regclass) AND mode = 'RowExclusiveLock' "
        "AND its.datname = current_database() AND its.pid <> pg_backend_pid() AND its.wait_event = 'ClientRead' "
        f"AND {_NOW} - extract(epoch FROM its.state_change) >= ?",
        seconds,
    )


def held(t: Transaction, number: int, seconds: float = SECONDS) -> None:
    """Make the lease last from now on; until this transaction ends nobody else can take it.

    Where its end is over and nobody took it, it is still that holder's: nobody else has written since.

    Raises:
        LeaseLost: another one has taken it.
    """
    row = t.row(
        f"UPDATE lease SET expiry = {_NOW} + ? WHERE name = ? AND number = ? RETURNING number", seconds, _NAME, number
    )
    if row is None:
        now = seen(t)
        whose = "nobody's, as where its row was removed" if now is None else f"{now.holder}'s (number {now.number})"
        raise LeaseLost(f"the monitor's lease, number {number}, is over: it is {whose} now")


def given_back(t: Transaction, number: int) -> None:
    """End the lease at once, so that another monitor need not wait for its end."""
    t.row(f"UPDATE lease SET expiry = {_NOW} WHERE name = ? AND number = ? RETURNING number", _NAME, number)
