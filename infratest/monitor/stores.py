"""The store that a stack file names, opened to be written: SQLite's file in the state directory, or a PostgreSQL.

One monitor at a time works on a state directory, whichever it is: its socket is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from infratest.errors import StateError
from infratest.project.monitor_store import address, in_file
from infratest.project.session import Session
from infratest.store.database import connection, place, postgresql
from infratest.store.database.base import Store
from infratest.store.database.lease import Lease


def refuse(holder: str) -> None:
    """What is asked here, another monitor alone can do. Raises StateError."""
    raise StateError(f"monitor: {holder} works, and it alone writes the store; ask it there")


def wait_for_nobody(lease: Lease) -> None:
    """End the wait for another monitor as it begins. Raises StateError."""
    refuse(lease.holder)


@contextmanager
def opened(session: Session, waiting: Callable[[Lease], None] = wait_for_nobody) -> Iterator[Store]:
    """Give the store of a project, open to be written.

    Args:
        waiting: called again and again while another monitor works on a PostgreSQL; what it raises ends the wait.
    Raises:
        StateError: another monitor works here, or the store cannot be opened. UserError: its password cannot be read.
    """
    if in_file(session):
        with connection.opened(session.state) as store:
            yield store
        return
    session.state.make()
    with closing(place.WriterLock(session.state)), postgresql.opened(address(session), waiting=waiting) as its:
        yield its
