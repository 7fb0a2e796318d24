"""What the sentences about a database server share: its address, what it is asked, and when it does not answer."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Seen
from infratest.cleaning import clean
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.record import derived
from infratest.units import exact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal

    from infratest.facts.base import FactValues
    from infratest.facts.database.address import DatabaseAddress
    from infratest.facts.database.rows import Rows

#: Characters of an answer in a reason.
SHOWN = 200


class OfDatabase(Check):
    viewpoint = CONTROLLER
    from_others = True

    url: str

    def __post_init__(self) -> None:
        self.address.shown  # noqa: B018 - refuses what is no address

    @derived
    def address(self) -> DatabaseAddress:
        from infratest.facts.database.address import database_address

        return database_address(self.url)

    @property
    def subject(self) -> str:
        return f'the database "{self.address.shown}"'

    @abstractmethod
    def statements(self) -> tuple[str, ...]:
        """Return what the server is asked."""

    @derived
    def asked(self) -> tuple[Need[Rows], ...]:
        return tuple([Need("database", (self.url, statement)) for statement in self.statements()])

    def needs(self) -> tuple[Need, ...]:
        return self.asked

    def observe(self, facts: FactValues) -> Seen:
        answers = [facts[need] for need in self.asked]
        for rows in answers:
            if rows.refused:
                return self.unanswered(f"{self.subject} does not answer: {clean(rows.refused, SHOWN)}")
        return self.look(answers)

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words, absent=True)

    @abstractmethod
    def look(self, answers: list[Rows]) -> Seen:
        """Return what is seen in the server's answers to its statements."""

    def only_row(self, rows: Rows, count: int) -> tuple[str, ...]:
        """Return the values of an answer that has one row. Raises FactError."""
        if len(rows.rows) != 1 or len(rows.rows[0]) != count:
            raise FactError(f"{self.subject} answers with {len(rows.rows)} rows; one with {count} values is expected")
        return tuple([one or "" for one in rows.rows[0]])


def number_of(text: str, words: str) -> float | Decimal:
    """Return the number that a text is, as it is written. Raises FactError."""
    try:
        return exact(text)
    except ValueError:
        raise FactError(f"{words}: that is no number") from None
