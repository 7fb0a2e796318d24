"""The store in a file of SQLite, opened: by the one monitor that writes it, or to read beside that.

    with opened(state) as store, store.transaction() as t:
        statuses.write(t, {id: status})

All that one cycle has to say is one transaction: it is there whole after a kill, or not at all. Where the disk takes
no more, `NotKept` says what is missing, and the store goes on: the next transaction tries again.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infratest.errors import NotKept, StateError, StoreDamaged
from infratest.store.database import place, schema
from infratest.store.database.base import Row, Store, Transaction
from infratest.store.directory import StateDir

WRITE, READ = "BEGIN IMMEDIATE", "BEGIN"
#: Seconds for which SQLite waits for a reader that is in the way, as where it brings the log into the file.
BUSY = 5.0
#: Bytes of the log that are kept in its file; what it needed more in a burst is given back.
LOG_SIZE = 64 * 2**20
#: Tables that grow without an end: to look at each page of them would take longer than all else at the start. Blocks
#: have checksums of their own, and are seen when they are read.
LARGE = frozenset(("block", "hourly", "open", "change", "told", "mark"))
#: What SQLite says of a file that is none of its, or not whole (https://sqlite.org/rescode.html).
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
#: What it says where a disk does not take what is to be written: full, faulty, or read-only.
UNWRITTEN = (
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
)  # fmt: skip


class FileTransaction(Transaction):
    """Statements to SQLite."""

    def __init__(self, base: sqlite3.Connection, series: dict[str, int]) -> None:
        super().__init__(series)
        self._base = base

    def rows(self, statement: str, *values: Any) -> list[Row]:
        return self._base.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> Row | None:
        row: Row | None = self._base.execute(statement, values).fetchone()
        return row

    @property
    def size(self) -> int:
        pages, free, size = (
            self._base.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _each(self, statement: str, rows: list[Sequence[Any]]) -> None:
        self._base.executemany(statement, rows)


class FileStore(Store):
    """A store in SQLite's file. Made by `opened` and `looked_into`.

    Args:
        anew: sets the file aside, and gives a new one.
    """

    def __init__(
        self,
        path: str,
        base: sqlite3.Connection,
        lock: place.WriterLock | None,
        set_aside: str = "",
        anew: Callable[[], sqlite3.Connection] | None = None,
    ) -> None:
        super().__init__(path, set_aside)
        self._base, self._lock, self._anew = base, lock, anew
        self._gone = ""  # why it is damaged, and none is open in its place

    def renew(self) -> None:
        pass  # the file's lock is held for as long as this process lives

    @property
    def ours(self) -> bool:
        return self._lock is not None

    @property
    def writer(self) -> str:
        return ""

    @property
    def aside(self) -> tuple[str, ...]:
        return place.aside(self.path)

    def begin_anew(self) -> None:
        if self._lock is None or self._anew is None:
            raise StateError(f"store: {self.path} was opened to be read only")
        with self._alone():
            # Closed before it is renamed: SQLite removes the log by its name as it closes, and that is the new one's.
            with suppress(sqlite3.Error):
                self._base.close()
            self._gone = f"store: {self.path} is damaged, and no new one could be begun in its place"
            self._base = self._anew()
            self._gone = ""
            self._series.clear()

    def _let_go(self) -> None:
        try:
            self._base.close()
        except sqlite3.Error:
            pass  # a full disk: the log stays beside the file, and is read by who opens it next
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        if self._lock is None:
            raise StateError(f"store: {self.path} was opened to be read only")
        with self._taken(WRITE) as transaction:
            yield transaction
            self._base.execute("COMMIT")
            self._series.update(transaction.fresh)

    @contextmanager
    def sight(self) -> Iterator[Transaction]:
        with self._taken(READ) as transaction:
            yield transaction

    @contextmanager
    def _taken(self, begin: str) -> Iterator[Transaction]:
        with self._alone():
            if self._gone:
                raise StoreDamaged(self._gone)
            transaction = FileTransaction(self._base, self._series)
            try:
                self._base.execute(begin)
                yield transaction
            except sqlite3.Error as error:
                raise _refusal(self.path, error, None if begin == READ else transaction.missing) from error
            finally:
                self._roll_back()

    def _roll_back(self) -> None:
        try:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # SQLite has done it itself


def opened(
    state: StateDir, *, clock: Callable[[], float] = time.time, mounts: str = place.MOUNTS, folder: Path = schema.FOLDER
) -> Store:
    """Open the store of a state directory to write it; a damaged one is set aside, and a new one begun.

    Args:
        clock: for the name of what is set aside. mounts: as `place.file_system`. folder: of the migrations.
    Raises:
        StateError: it cannot be opened: another monitor writes it, its schema is newer, it is on a network's file
        system, or not ours. NotKept: the disk does not take it.
    """
    state.make()
    place.refuse_network(state.folder, mounts)
    lock = place.WriterLock(state)
    try:
        path = place.file_of(state, make=True)
        aside = ""

        def anew() -> sqlite3.Connection:
            nonlocal aside
            aside = place.set_aside(path, clock())
            return _ready(place.file_of(state, make=True), folder)

        try:
            base = _ready(path, folder)
        except StoreDamaged:
            base = anew()
        return FileStore(path, base, lock, aside, anew)
    except BaseException:
        lock.close()
        raise


def looked_into(state: StateDir, *, mounts: str = place.MOUNTS, folder: Path = schema.FOLDER) -> Store:
    """Open the store of a state directory to read it, while a monitor may be at it.

    Raises:
        StateError: there is none, it cannot be read, or its schema is another. StoreDamaged: it is not whole.
    """
    place.refuse_network(state.folder, mounts)
    path = place.file_of(state, make=False)
    base = _connected(path, "ro")
    newest = len(schema.migrations(folder))
    try:
        base.execute("PRAGMA query_only = ON")
        if (now := schema.checked(base, newest)) < schema.READ:
            words = f"its schema is {now}, and this infratest reads {schema.READ} to {newest}"
            raise StateError(f"{words}; start the monitor once")
    except (sqlite3.Error, StateError) as error:
        base.close()
        raise _refusal(path, error) from error
    return FileStore(path, base, None)


def _ready(path: str, folder: Path) -> sqlite3.Connection:
    """Return a connection to a whole store of the newest schema."""
    base = _connected(path, "rw")
    try:
        base.execute("PRAGMA page_size = 8192")
        (mode,) = base.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StateError(f"SQLite keeps no write-ahead log there (its mode is {mode}); put it on another disk")
        base.execute("PRAGMA synchronous = NORMAL")
        base.execute("PRAGMA foreign_keys = ON")
        # What a cycle has to say is in memory until its commit: a full disk shows then, with all that is missing.
        base.execute("PRAGMA cache_spill = OFF")
        base.execute(f"PRAGMA journal_size_limit = {LOG_SIZE}")
        schema.bring_forward(base, folder)
        _look_over(base)
    except (sqlite3.Error, StateError) as error:
        base.close()
        raise _refusal(path, error, {}) from error
    return base


def _connected(path: str, mode: str) -> sqlite3.Connection:
    try:
        return sqlite3.connect(
            f"file:{quote(path)}?mode={mode}", uri=True, timeout=BUSY, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise _refusal(path, error, {} if mode == "rw" else None) from error


def _look_over(base: sqlite3.Connection) -> None:
    """Raise StoreDamaged where the pages of the tables that a monitor starts from are not whole."""
    names = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    for name in names:
        if name not in LARGE:
            (answer,) = base.execute(f"PRAGMA quick_check({name})").fetchone()
            if answer != "ok":
                raise StoreDamaged(f"table {name}: {answer}")


def _refusal(path: str, error: sqlite3.Error | StateError, missing: dict[str, int] | None = None) -> StateError:
    """Return the error that says what SQLite's means for the store.

    Args:
        missing: how many rows of what were to be written; None where it was to be read.
    """
    if isinstance(error, StateError):
        return type(error)(f"store: {path}: {error}")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in DAMAGED:
        return StoreDamaged(f"store: {path} is damaged: {error}; a monitor sets it aside, and begins anew")
    if code in UNWRITTEN and missing is not None:
        rows = ", ".join(f"{count} {what}" for what, count in missing.items() if count) or "this commit"
        refused = NotKept(
            f"store: {path} could not be written: {error}; not kept: {rows}. Free space, or see who may write there; "
            "the next commit tries again"
        )
        refused.missing = dict(missing)
        return refused
    return StateError(f"store: {path}: SQLite says {error}")
