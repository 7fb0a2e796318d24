"""The tables of the store, by numbered files: `0001.sql` and what came after it. A store is brought forward by them.

What a file says is done in one transaction with the new number, so that a kill leaves the schema before or after it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from infratest.errors import StateError

FOLDER = Path(__file__).parent / "migrations"
#: By which SQLite's file says whose it is (PRAGMA application_id): "iTst".
APPLICATION = 0x69547374
#: The oldest schema that is read as it stands: what came since is for who writes alone, as `series.seen`.
READ = 1


def migrations(folder: Path = FOLDER) -> list[str]:
    """Return what each file says, in their order: the first one makes schema 1.

    Raises:
        StateError: a number is missing.
    """
    files = sorted(folder.glob("[0-9][0-9][0-9][0-9].sql"))
    if [int(each.stem) for each in files] != list(range(1, len(files) + 1)):
        raise StateError(f"store: of the migrations in {folder} one is missing: {[each.name for each in files]}")
    return [each.read_text("utf-8") for each in files]


def number(base: sqlite3.Connection) -> int:
    """Return the schema of a store; 0 where nothing is in it.

    Raises:
        StateError: it is a database of something else.
    """
    (whose,) = base.execute("PRAGMA application_id").fetchone()
    (tables,) = base.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if whose in (0, APPLICATION) and tables == 0:
        return 0
    if whose == APPLICATION:
        row = base.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
        if row is not None and row[0].isdecimal():
            return int(row[0])
    raise StateError("it is a database of something else; move it away")


def bring_forward(base: sqlite3.Connection, folder: Path = FOLDER) -> None:
    """Bring a store to the newest schema that is known here.

    Raises:
        StateError: it has a newer one.
    """
    steps = migrations(folder)
    if (now := checked(base, len(steps))) == 0:
        base.execute(f"PRAGMA application_id = {APPLICATION}")
    for each in range(now + 1, len(steps) + 1):
        # A script commits what is open before it, so it brings its own transaction.
        base.executescript(
            f"BEGIN IMMEDIATE;\n{steps[each - 1]}\n"
            f"INSERT INTO meta (name, value) VALUES ('schema', '{each}') "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value;\nCOMMIT;"
        )


def checked(base: sqlite3.Connection, newest: int) -> int:
    """Return the schema of a store. Raises StateError where it is newer than the newest that is known."""
    now = number(base)
    if now > newest:
        raise StateError(
            f"its schema is {now}, and this infratest knows up to {newest}; use the one that wrote it, or a newer one"
        )
    return now
