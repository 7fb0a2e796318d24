"""What a database answers to one statement: the value of the fact `database`."""

from __future__ import annotations

from infratest.errors import FactError
from infratest.record import Record

#: Bytes of an answer that are read, and rows of it that evidence shows.
LIMIT, SHOWN = 2**18, 5


class Rows(Record):
    """An answer.

    Args:
        columns: their names; without rows MySQL's own client does not say them. rows: of values as text, None for NULL.
        seconds: from before the connection until it was there; None where the host keeps no such clock.
        refused: why there is none: nobody lets us in, or the server does and has no such database, is not ready, has
        no connection left. Empty for an answer.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    seconds: float | None = None
    refused: str = ""

    def in_words(self) -> str:
        if self.refused:
            return f"no answer: {self.refused}"
        shown = [", ".join("NULL" if one is None else one for one in row) for row in self.rows[:SHOWN]]
        return "\n".join([f"{len(self.rows)} rows of {', '.join(self.columns) or 'no named columns'}", *shown])


class Refused(Exception):
    """The server itself lets nobody in, or has no such database: what a sentence is about, and no fault of ours."""


def bounded(rows: list[tuple[str | None, ...]]) -> tuple[tuple[str | None, ...], ...]:
    """Return rows if they are no more than is read. Raises FactError."""
    if sum(len(one or "") + 1 for row in rows for one in row) > LIMIT:
        raise FactError("it answers with more than the 256 KiB that are read: let the statement count or choose")
    return tuple(rows)
