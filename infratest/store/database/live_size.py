"""How much a PostgreSQL's tables hold, about: rows that are there, by what some of them take.

A table's file does not become smaller as rows go: their room is used again. By its size, a store that is too large
would stay so, and lose all its history.
"""

from __future__ import annotations

from infratest.store.database.base import Transaction

#: Rows of each table that are measured.
SAMPLE = 200
#: Bytes that a row has beside its columns (PostgreSQL's manual, 73.6: 23, aligned to 24, and 4 of its line pointer),
#: and that its entry in an index has, about.
ROW, ENTRY = 28, 40
#: Statistics lag behind a transaction, which has its own.
_LIVE = (
    "SELECT own.relname, greatest(0, own.n_live_tup + now.n_tup_ins - now.n_tup_del), "
    "(SELECT count(*) FROM pg_index WHERE indrelid = own.relid) FROM pg_stat_user_tables AS own "
    "JOIN pg_stat_xact_user_tables AS now USING (relid) WHERE own.schemaname = ?"
)


def live_size(t: Transaction, schema: str) -> int:
    """Return bytes that the rows of a schema's tables take, about."""
    total = 0.0
    for table, rows, indexes in t.rows(_LIVE, schema):
        if rows:
            sample = t.row(f"SELECT avg(pg_column_size(one.*)) FROM (SELECT * FROM {table} LIMIT {SAMPLE}) AS one")
            width = float(sample[0] or 0) if sample else 0.0
            total += rows * (width + ROW + ENTRY * indexes)
    return int(total)
