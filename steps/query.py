"""What can be said of what a database answers to a statement that only looks, as `SELECT count(*) FROM orders`.

It is asked in a read-only transaction, with an end to its time, and by who has no more rights than it needs.
"""

from __future__ import annotations

from infratest.steps._database import SHOWN, OfDatabase, number_of

from infratest.check import Measure, Seen, in_quotes
from infratest.cleaning import clean, literal
from infratest.errors import FactError
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from infratest.facts.database.rows import Rows


class _OfStatement(OfDatabase):
    statement: str

    def __post_init__(self) -> None:
        from infratest.facts.database.address import one_statement

        super().__post_init__()
        one_statement(self.statement)

    def statements(self) -> tuple[str, ...]:
        from infratest.facts.database.address import one_statement

        return (one_statement(self.statement),)

    def shown(self, rows: Rows) -> str:
        """Return an answer in words: its first rows."""
        first = [_row(row) for row in rows.rows[:3]]
        more = f" and {len(rows.rows) - 3} more" if len(rows.rows) > 3 else ""
        words = "; ".join(first) or "no row"
        return f"{self.subject} answers {in_quotes(clean(self.statement, SHOWN))} with {words}{more}"

    def one_value(self, rows: Rows) -> str | None:
        """Return the value of the only row, None for NULL and without a row. Raises FactError."""
        if not rows.rows:
            return None
        if len(rows.rows) > 1 or len(rows.rows[0]) != 1:
            raise FactError(f"{self.shown(rows)}: one row with one value is expected")
        return rows.rows[0][0]


def _row(row: Sequence[str | None]) -> str:
    """Return a row in words: a NULL without quotes, which the text 'NULL' stands in."""
    if None in row:
        return ", ".join(["NULL" if one is None else literal(one, SHOWN) for one in row])
    return literal(", ".join(one or "" for one in row), SHOWN)


@check(
    'the database "{url}" answers "{statement}" with "{value}"',
    negation='the database "{url}" does not answer "{statement}" with "{value}"',
    example='the database "postgresql://monitor@db/shop" answers "SELECT state FROM jobs WHERE id = 1" with "done"',
)
class DatabaseValue(_OfStatement):
    """The answer to a statement that only looks is one row with this one value, as the server writes it."""

    value: str

    def look(self, answers: list[Rows]) -> Seen:
        value = self.one_value(answers[0])
        return Seen(holds=value == self.value, saw=self.shown(answers[0]), absent=value is None)


@check(
    'the database "{url}" answers "{statement}" with a value of {bound:count}',
    example='the database "postgresql://monitor@db/shop" answers "SELECT max(id) FROM jobs" with a value of at least 1',
)
class DatabaseNumber(_OfStatement):
    """The answer to a statement that only looks is one row with one number, which is judged."""

    def look(self, answers: list[Rows]) -> Seen:
        value = self.one_value(answers[0])
        if value is None:
            return Seen(holds=False, saw=self.shown(answers[0]), absent=True)
        return Seen(holds=True, saw=self.shown(answers[0]), number=number_of(value, self.shown(answers[0])))

    def measure(self) -> Measure:
        return Measure(label=f"database {self.address.shown} {self.statement}")


@check(
    'the database "{url}" answers "{statement}" with {bound:count} row[s]',
    example='the database "postgresql://monitor@db/shop" answers "SELECT id FROM jobs" with at most 10 rows',
)
class DatabaseRowCount(_OfStatement):
    """How many rows a statement that only looks is answered with."""

    def look(self, answers: list[Rows]) -> Seen:
        count = len(answers[0].rows)
        return Seen(holds=True, saw=f"{self.shown(answers[0])}, {count} in all", number=count)

    def measure(self) -> Measure:
        return Measure(label=f"database {self.address.shown} rows of {self.statement}", minimum=0)


@check(
    'the database "{url}" answers "{statement}" with the row "{row}"',
    negation='the database "{url}" does not answer "{statement}" with the row "{row}"',
    example='the database "mysql://monitor@db/shop" answers "SELECT name, role FROM users" with the row "anna, admin"',
)
class DatabaseRow(_OfStatement):
    """One row of the answer has these values, commas between them; a value with a comma stands in quotes, as in CSV."""

    row: str

    def look(self, answers: list[Rows]) -> Seen:
        import csv

        expected = [one.strip() for one in next(csv.reader([self.row], skipinitialspace=True), [])]
        rows = answers[0].rows
        if rows and len(rows[0]) != len(expected):
            raise FactError(f"{self.shown(answers[0])}: its rows have {len(rows[0])} values, and not {len(expected)}")
        return Seen(holds=any([*row] == expected for row in rows), saw=self.shown(answers[0]))
