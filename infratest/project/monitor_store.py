"""The store of a project's monitor, where its stack file says that it is: in the state directory, or a PostgreSQL.

Opened to be read; `infratest.monitor.stores` opens it to be written.
"""

from __future__ import annotations

from time import time

from infratest.cleaning import keep_secret
from infratest.errors import NoStore, UserError
from infratest.paths import path_of
from infratest.project.session import Session
from infratest.stack.monitor import SQLITE, StorePlace
from infratest.store.database import connection, meta, place, postgresql
from infratest.store.database.base import Store
from infratest.store.database.postgresql import Address

#: Seconds since a monitor elsewhere wrote that it watched, within which it does: it writes that all ten seconds, by a
#: clock that is not ours.
FRESH = 60.0

#: Bytes of a password's file at most.
LARGEST = 4096


def in_file(session: Session) -> bool:
    """Whether it lies in a file of the state directory, of which one process is the writer."""
    return _place(session).url == SQLITE


def looked_into(session: Session) -> Store:
    """Open the store of a project to read it.

    Raises:
        NoStore: there is none yet, or what lies there is of another environment. StateError: it cannot be opened.
        UserError: its password cannot be read.
    """
    store = connection.looked_into(session.state) if in_file(session) else postgresql.looked_into(address(session))
    try:
        _refuse_another(store, session.stack.place)
    except BaseException:
        store.close()
        raise
    return store


def _refuse_another(store: Store, mine: str) -> None:
    with store.sight() as t:
        whose = meta.place(t)
    if whose not in (mine, None):
        raise NoStore(f"store: {meta.another(store.path, str(whose), mine)}")


def address(session: Session) -> Address:
    """Return where a project's PostgreSQL is. Raises UserError: its password cannot be read."""
    stack, where = session.stack, _place(session)
    return Address(
        url=where.url,
        stack=stack.name,
        env=stack.env,
        password=_password(session, where),
        ca=str(path_of(stack.folder, where.ca)) if where.ca else "",
    )


def watched(store: Store) -> float | None:
    """Return until when somebody watched, in seconds since the epoch; None where nobody ever did."""
    with store.sight() as t:
        return meta.watched(t)


def working(store: Store) -> str:
    """Return which monitor elsewhere watches, and writes a store; empty where none does. Raises StateError."""
    until, writer = watched(store), store.writer
    return writer if until is not None and abs(time() - until) <= FRESH else ""


def standing_by(session: Session, store: Store) -> str:
    """Return in words that a monitor elsewhere works, and whether one waits here; empty where there is none."""
    return words_of(working(store), waits(session))


def words_of(works: str, standby: str) -> str:
    """Return in words that a monitor elsewhere works, and whether one waits here; empty where there is none."""
    if not works:
        return ""
    return f"a standby (process {standby}) of {works}" if standby else f"no monitor runs here: {works} works"


def waits(session: Session) -> str:
    """Return the process that waits on a state directory to work; of a store in a file nobody does."""
    return "" if in_file(session) else place.writer(session.state)


def _place(session: Session) -> StorePlace:
    return session.stack.monitor.store if session.stack.monitor is not None else StorePlace()


def _password(session: Session, where: StorePlace) -> str:
    if not where.password_file:
        return ""
    path = path_of(session.stack.folder, where.password_file)
    try:
        with open(path, encoding="utf-8") as file:
            value = file.read(LARGEST + 1).rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise UserError(f"{where.where}: password-file: {path} could not be read: {error}") from None
    if not value or len(value) > LARGEST or not value.isprintable():
        raise UserError(f"{where.where}: password-file: {path} is empty, or holds more than one line of text")
    keep_secret(value)
    return value
