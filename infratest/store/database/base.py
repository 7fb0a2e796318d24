"""What the functions of this room are given, whichever database keeps it: a store that is open, and its transactions.

A store is SQLite's file (`connection`), or a schema of a PostgreSQL (`postgresql`); their statements are the same, with
`?` where a value stands.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any

from infratest.errors import StateError

Row = tuple[Any, ...]


class Transaction(ABC):
    """Statements within one commit, or one unchanging sight.

    Args:
        series: the number of each series that is known already, by its key; `fresh`: those of this transaction.
        missing: how many rows of what it would keep.
    """

    def __init__(self, series: dict[str, int]) -> None:
        self.series, self.fresh = series, dict[str, int]()
        self.missing: dict[str, int] = {}

    def lose_sight_of(self, key: str) -> None:
        """Remember the number of a series no longer: it is looked up again when something comes of it."""
        self.series.pop(key, None)
        self.fresh.pop(key, None)

    @abstractmethod
    def rows(self, statement: str, *values: Any) -> list[Row]:
        """Return all rows that a statement gives."""

    @abstractmethod
    def row(self, statement: str, *values: Any) -> Row | None:
        """Return the first row that a statement gives."""

    def write(self, what: str, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Carry out a statement for each of several rows.

        Args:
            what: they are, in the plural: for the error, should they not be kept.
        """
        listed = rows if isinstance(rows, list) else list(rows)
        self.missing[what] = self.missing.get(what, 0) + len(listed)
        self._each(statement, listed)

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes that the store takes, without pages that are free for what comes."""

    @abstractmethod
    def _each(self, statement: str, rows: list[Sequence[Any]]) -> None:
        """Carry out a statement for each row."""


class Store(ABC):
    """One monitor's store, usable from several threads, one transaction at a time.

    Args:
        path: where it is, in words. set_aside: where a damaged store was put as this one was opened; empty where none
        was.
    """

    def __init__(self, path: str, set_aside: str = "") -> None:
        self.path, self.set_aside = path, set_aside
        self._turn, self._holder = threading.Lock(), 0
        self._series: dict[str, int] = {}

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close it, and let another monitor write it."""
        if self._holder == threading.get_ident():
            raise StateError(f"store: {self.path}: it cannot be closed within a transaction")
        with self._turn:
            self._let_go()

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Transaction]:
        """Give a transaction that is kept as the block ends, whole; one that ends by an error is not kept at all.

        Raises:
            NotKept: it was not taken; the next one is tried anew. StoreDamaged: the file is not whole. LeaseLost:
            another monitor writes it now.
        """

    @abstractmethod
    def sight(self) -> AbstractContextManager[Transaction]:
        """Give a transaction that only reads, and sees the store as it is at one moment. Raises StoreDamaged."""

    @abstractmethod
    def renew(self) -> None:
        """Stay the one monitor that writes it, where several could: to be called once a second.

        Raises:
            LeaseLost: it is another's now. StateError: nobody can say.
        """

    @property
    @abstractmethod
    def writer(self) -> str:
        """Who writes it, as `process 7 on west`, where several could; empty where nobody does. Raises StateError."""

    @abstractmethod
    def begin_anew(self) -> None:
        """Set it aside, as it is damaged, and begin an empty one in its place.

        Raises:
            StateError: that cannot be done with this one, or failed; it may be tried again.
        """

    @property
    @abstractmethod
    def aside(self) -> tuple[str, ...]:
        """Where damaged ones lie that were set aside here, the newest last: until somebody moves them away."""

    @property
    @abstractmethod
    def ours(self) -> bool:
        """Whether no other monitor can be the one that writes it at this moment."""

    @abstractmethod
    def _let_go(self) -> None:
        """Close the connection, and let others write."""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads out, and say so where one is in already."""
        me = threading.get_ident()
        if self._holder == me:
            raise StateError(f"store: {self.path}: a transaction is open already")
        with self._turn:
            self._holder = me
            try:
                yield
            finally:
                self._holder = 0
