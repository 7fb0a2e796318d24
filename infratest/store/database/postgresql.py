"""The store in a PostgreSQL, opened: several monitors know of each other there, and one of them works at a time.

Each stack and environment has a schema of its own, with the same tables as SQLite's file. Whoever writes holds the
lease (`lease`); each of its transactions says so. Where the connection is lost the next transaction makes a new one:
what was to be kept is not kept until then, and nobody is told anything once the lease may be another's.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from os import getpid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infratest.database_url import database_url
from infratest.errors import LeaseLost, NoStore, NotKept, StateError, StoreDamaged, UserError
from infratest.store.database import lease, schema
from infratest.store.database.base import Row, Store, Transaction
from infratest.store.database.dialect import statement, tables
from infratest.store.database.lease import SECONDS, Lease
from infratest.store.database.live_size import live_size

if TYPE_CHECKING:
    import psycopg

WRITE, READ = "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
#: Seconds for a connection, and for one statement: longer is a server that hangs, which must hold up nothing.
CONNECT, STATEMENT = 5, 10
#: What has a connection end whose other side is gone without a word (no power, no route): by the system's defaults a
#: wait for its answer lasts two hours. Seconds, and how often is asked; of what nobody acknowledged, milliseconds.
VANISHED = {
    "keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000,
}  # fmt: skip
#: Bytes of a name in PostgreSQL; a longer one would be cut, and be another stack's.
LONGEST = 63
#: Seconds between two looks at whose the lease is.
AGAIN = 0.25
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a PostgreSQL is, and which schema is ours in it.

    Args:
        url: `postgresql://USER@HOST[:PORT]/DATABASE`, without a password. stack, env: whose store it is. password: a
        text that is shown nowhere. ca: a file of the certificates by which the server's is verified; without it, beyond
        loopback, by those that the system trusts.
    """

    url: str
    stack: str
    env: str
    password: str = field(default="", repr=False)
    ca: str = ""

    @property
    def schema(self) -> str:
        """The name of its schema. Raises UserError: it would be cut."""
        name = f"infratest {self.stack}/{self.env}"
        if len(name.encode()) > LONGEST:
            raise UserError(f"store: {name!r} is longer than the {LONGEST} bytes of a name in PostgreSQL")
        return name

    @property
    def words(self) -> dict[str, Any]:
        """What libpq is told. Raises UserError: the URL is none that is meant here."""
        try:
            its = database_url(self.url)
        except UserError as error:
            raise UserError(f"store: {error}") from None
        # `system` is libpq's word for what the machine trusts; it goes with a certificate that is verified alone.
        verified = bool(self.ca) or its.host not in LOOPBACK
        tls = {"sslmode": "verify-full", "sslrootcert": self.ca or "system"} if verified else {}
        return {
            "host": its.host,
            "port": its.port,
            "user": its.user,
            "dbname": its.name,
            "password": self.password,
            **tls,
            "connect_timeout": CONNECT,
            **VANISHED,
            "application_name": "infratest monitor",
            "options": f"-c statement_timeout={STATEMENT}s -c client_min_messages=warning",
        }


class TableTransaction(Transaction):
    """Statements to PostgreSQL."""

    def __init__(self, base: psycopg.Connection[Row], series: dict[str, int], schema: str) -> None:
        super().__init__(series)
        self._base, self._schema = base, schema

    def rows(self, text: str, *values: Any) -> list[Row]:
        return self._base.execute(statement(text), values).fetchall()

    def row(self, text: str, *values: Any) -> Row | None:
        return self._base.execute(statement(text), values).fetchone()

    @property
    def size(self) -> int:
        return live_size(self, self._schema)

    def _each(self, text: str, rows: list[Sequence[Any]]) -> None:
        if rows:
            self._base.cursor().executemany(statement(text), rows)


class TableStore(Store):
    """A store in PostgreSQL. Made by `opened`, for who writes it, and by `looked_into`.

    Args:
        number: of the lease; 0 for who only reads.
    """

    def __init__(self, address: Address, base: psycopg.Connection[Row], number: int, seconds: float) -> None:
        super().__init__(_shown(address))
        self._address, self._base = address, base
        self.number, self._seconds = number, seconds
        # The clock that goes on while a machine is suspended: what slept longer than the lease must know it.
        self._renewed = time.clock_gettime(_CLOCK)

    def renew(self) -> None:
        with self.transaction():
            pass

    @property
    def writer(self) -> str:
        with self.sight() as t:
            seen = lease.seen(t)
        return seen.holder if seen is not None and seen.left > 0 else ""

    def begin_anew(self) -> None:
        raise StateError(f"store: {self.path}: a database is restored by who keeps it, and not set aside from here")

    @property
    def aside(self) -> tuple[str, ...]:
        return ()

    @property
    def ours(self) -> bool:
        return self.number > 0 and time.clock_gettime(_CLOCK) - self._renewed < self._seconds

    def _let_go(self) -> None:
        import psycopg

        with suppress(psycopg.Error):
            if self.number:
                with self._base.transaction():
                    lease.given_back(TableTransaction(self._base, {}, ""), self.number)
            self._base.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        if not self.number:
            raise StateError(f"store: {self.path} was opened to be read only")
        with self._taken(WRITE) as transaction:
            begun = time.clock_gettime(_CLOCK)
            lease.held(transaction, self.number, self._seconds)
            yield transaction
            self._base.execute("COMMIT")
            self._renewed = begun
            self._series.update(transaction.fresh)

    @contextmanager
    def sight(self) -> Iterator[Transaction]:
        with self._taken(READ) as transaction:
            yield transaction

    @contextmanager
    def _taken(self, begin: str) -> Iterator[TableTransaction]:
        import psycopg

        with self._alone():
            transaction = TableTransaction(self._base, self._series, self._address.schema)
            try:
                if self._base.closed:
                    self._base = transaction._base = _connected(self._address, self._seconds)
                self._base.execute(begin)
                yield transaction
            except LeaseLost as error:
                raise LeaseLost(f"store: {self.path}: {error}") from None
            except psycopg.Error as error:
                raise _refusal(self.path, error, None if begin == READ else transaction.missing) from error
            finally:
                self._roll_back()

    def _roll_back(self) -> None:
        import psycopg

        try:
            if not self._base.closed and self._base.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                self._base.execute("ROLLBACK")
        except psycopg.Error:
            self._base.close()  # the server rolls back what it hears no more of; the next one connects anew


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def holder() -> str:
    """Return who this monitor is, as others read it: process and machine."""
    return f"process {getpid()} on {socket.gethostname()}"


def opened(
    address: Address,
    *,
    seconds: float = SECONDS,
    waiting: Callable[[Lease], None] = lambda lease: None,
    folder: Path = schema.FOLDER,
) -> TableStore:
    """Open the store to write it; where another monitor does, wait until it does no longer.

    Args:
        seconds: that the lease lasts without a word. waiting: told whose it is, at each look; what it raises ends the
        wait. folder: of the migrations.
    Raises:
        StateError: it cannot be reached, or its schema is newer.
    """
    base = _connected(address, seconds)
    import psycopg  # is there: what has connected says what to do where it is not

    try:
        _begun(address, base, folder)
        while True:
            transaction = TableTransaction(base, {}, address.schema)
            other = lease.seen(transaction)
            if (other is None or other.left <= 0) and (number := _taken(address, base, seconds, folder)):
                return TableStore(address, base, number, seconds)
            if other is not None:
                waiting(other)
            time.sleep(min(AGAIN, seconds / 4))
    except psycopg.Error as error:
        base.close()
        raise _refusal(_shown(address), error) from error
    except BaseException:
        base.close()
        raise


def _taken(address: Address, base: psycopg.Connection[Row], seconds: float, folder: Path) -> int | None:
    """Take the lease, and bring the schema forward with it: never under another monitor, which may be an older one.

    Return None where another one takes it, or something else has what is needed in a transaction: that of a monitor
    which was stopped in one is ended then.

    Raises:
        StateError: its schema is newer by now, and the lease is not taken.
    """
    import psycopg

    transaction = TableTransaction(base, {}, address.schema)
    try:
        with base.transaction():
            base.execute("SET LOCAL lock_timeout = '1s'")
            if number := lease.taken(transaction, holder(), seconds):
                _bring_forward(address, base, folder)
            return number
    except psycopg.errors.LockNotAvailable:
        lease.stopped_ended(transaction, seconds)
        return None


def looked_into(address: Address, *, folder: Path = schema.FOLDER) -> TableStore:
    """Open the store to read it, while a monitor may be at it.

    Raises:
        NoStore: there is none yet. StateError: it cannot be reached, or its schema is another.
    """
    base = _connected(address, SECONDS)
    import psycopg  # is there, as in `opened`

    try:
        newest = len(schema.migrations(folder))
        now = _number(base, address)
        if now == 0:
            raise NoStore("no monitor has kept anything there yet; infratest monitor run")
        if not schema.READ <= now <= newest:
            raise StateError(f"its schema is {now}, and this infratest reads {schema.READ} to {newest}")
    except (psycopg.Error, StateError) as error:
        base.close()
        raise _refusal(_shown(address), error) from error
    return TableStore(address, base, 0, SECONDS)


def _connected(address: Address, seconds: float) -> psycopg.Connection[Row]:
    """Return a connection to the schema.

    Args:
        seconds: after which the server ends a transaction that does nothing. Whoever is stopped within one has the
        lease's row, which nobody could take.
    """
    try:
        import psycopg
    except ImportError:
        raise StateError("store: PostgreSQL needs psycopg; pip install 'infratest[postgres]'") from None
    words, name = address.words, psycopg.sql.Identifier(address.schema)
    try:
        base = psycopg.connect(**words, autocommit=True)
        base.execute(psycopg.sql.SQL("SET search_path TO {}").format(name))
        base.execute(f"SET idle_in_transaction_session_timeout = {max(1, int(seconds * 1000))}".encode())
    except psycopg.Error as error:
        raise _refusal(_shown(address), error) from error
    return base


def _begun(address: Address, base: psycopg.Connection[Row], folder: Path) -> None:
    """Make the schema where there is nothing yet; of two that come at once one waits.

    Raises:
        StateError: there is a newer one.
    """
    import psycopg

    name = psycopg.sql.Identifier(address.schema)
    with base.transaction():
        base.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (address.schema,))
        base.execute(psycopg.sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
        if _checked(address, base, len(schema.migrations(folder))) == 0:
            _bring_forward(address, base, folder)


def _checked(address: Address, base: psycopg.Connection[Row], newest: int) -> int:
    """Return the schema's number. Raises StateError: it is newer than the newest that is known."""
    now = _number(base, address)
    if now > newest:
        raise StateError(
            f"store: {_shown(address)}: its schema is {now}, and this infratest knows up to {newest}; use the one that "
            "wrote it, or a newer one"
        )
    return now


def _bring_forward(address: Address, base: psycopg.Connection[Row], folder: Path) -> None:
    """Bring the schema to the newest that is known here, in the transaction that is open. Raises StateError."""
    steps = schema.migrations(folder)
    for each in range(_checked(address, base, len(steps)) + 1, len(steps) + 1):
        base.execute(tables(steps[each - 1]).encode())
        base.execute(
            "INSERT INTO meta (name, value) VALUES ('schema', %s) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (str(each),),
        )


def _number(base: psycopg.Connection[Row], address: Address) -> int:
    """Return the schema's number; 0 where nothing is in it. Raises StateError: it is something else's."""
    there = base.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", (address.schema,)).fetchone()
    if there == (0,):
        return 0
    row = None
    if base.execute("SELECT to_regclass('meta')").fetchone() != (None,):
        row = base.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    if row is None or not str(row[0]).isdecimal():
        raise StateError(f"the schema {address.schema!r} is of something else; move it away")
    return int(row[0])


def _shown(address: Address) -> str:
    return f"{address.url} ({address.stack}/{address.env})" if address.env else f"{address.url} ({address.stack})"


def _refusal(path: str, error: Exception, missing: dict[str, int] | None = None) -> StateError:
    """Return the error that says what PostgreSQL's means for the store.

    Args:
        missing: how many rows of what were to be written; None where it was to be read.
    """
    if isinstance(error, StateError):
        return error if str(error).startswith("store: ") else type(error)(f"store: {path}: {error}")
    import psycopg

    words = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, psycopg.errors.DataCorrupted | psycopg.errors.IndexCorrupted):
        return StoreDamaged(f"store: {path} is damaged: {words}; restore it from a backup")
    if missing is None:
        return StateError(f"store: {path}: PostgreSQL says {words}")
    rows = ", ".join(f"{count} {what}" for what, count in missing.items() if count) or "this commit"
    refused = NotKept(f"store: {path} could not be written: {words}; not kept: {rows}; the next commit tries again")
    refused.missing = dict(missing)
    return refused
