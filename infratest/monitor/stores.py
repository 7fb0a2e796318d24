"""The store that a stack file names, opened: SQLite's file in the state directory, or a PostgreSQL.

One monitor at a time works on a state directory, whichever it is: its socket is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from infratest.cleaning import keep_secret
from infratest.errors import StateError, UserError
from infratest.project.session import Session
from infratest.stack.monitor import SQLITE, StorePlace
from infratest.store.database import connection, place, postgresql
from infratest.store.database.base import Store
from infratest.store.database.lease import Lease
from infratest.store.database.postgresql import Address

#: Bytes of a password's file at most.
LARGEST = 4096


def refuse(lease: Lease) -> None:
    """Wait for no other monitor: what is asked here, it alone can do. Raises StateError."""
    raise StateError(f"monitor: {lease.holder} works, and it alone writes the store; ask it there")


@contextmanager
def opened(session: Session, waiting: Callable[[Lease], None] = refuse) -> Iterator[Store]:
    """Give the store of a project, open to be written.

    Args:
        waiting: called again and again while another monitor works on a PostgreSQL; what it raises ends the wait.
    Raises:
        StateError: another monitor works here, or the store cannot be opened. UserError: its password cannot be read.
    """
    if (where := _place(session)).url == SQLITE:
        with connection.opened(session.state) as store:
            yield store
        return
    session.state.make()
    with closing(place.WriterLock(session.state)), postgresql.opened(_address(session, where), waiting=waiting) as its:
        yield its


def looked_into(session: Session) -> Store:
    """Open the store of a project to read it. Raises as `opened`, and StateError where there is none yet."""
    if (where := _place(session)).url == SQLITE:
        return connection.looked_into(session.state)
    return postgresql.looked_into(_address(session, where))


def _place(session: Session) -> StorePlace:
    return session.stack.monitor.store if session.stack.monitor is not None else StorePlace()


def _address(session: Session, where: StorePlace) -> Address:
    stack = session.stack
    return Address(
        url=where.url,
        stack=stack.name,
        env=stack.env,
        password=_password(session, where),
        ca=str(stack.folder / where.ca) if where.ca else "",
    )


def _password(session: Session, where: StorePlace) -> str:
    if not where.password_file:
        return ""
    path = session.stack.folder / where.password_file
    try:
        with open(path, encoding="utf-8") as file:
            value = file.read(LARGEST + 1).rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise UserError(f"{where.where}: password-file: {path} could not be read: {error}") from None
    if not value or len(value) > LARGEST or not value.isprintable():
        raise UserError(f"{where.where}: password-file: {path} is empty, or holds more than one line of text")
    keep_secret(value)
    return value
