"""The contract of a store: the same tests on SQLite's file and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path

import pytest

from infratest.store.database import connection, postgresql
from infratest.store.database.base import Store
from infratest.store.database.postgresql import Address
from infratest.store.directory import StateDir
from tests.worlds import servers

#: Opens a new store that is empty, or the one of that name again.
Opening = Callable[..., AbstractContextManager[Store]]


@pytest.fixture(scope="session")
def postgresql_port() -> Iterator[int]:
    with servers.postgresql() as port:
        yield port


def address(port: int, stack: str = "shop", env: str = "prod", password: str = servers.PASSWORD) -> Address:
    return Address(url=f"postgresql://admin@127.0.0.1:{port}/postgres", stack=stack, env=env, password=password)


NAMES = count()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def opening(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Opening:
    """Return what opens a store, by a name or a new one."""
    folder: Path = tmp_path_factory.mktemp("stores")
    port = request.getfixturevalue("postgresql_port") if request.param == "postgresql" else 0

    def opened(name: str | None = None) -> Store:
        which = name or f"s{next(NAMES)}"
        if port:
            return postgresql.opened(address(port, which))
        return connection.opened(StateDir(folder / which))

    return opened
