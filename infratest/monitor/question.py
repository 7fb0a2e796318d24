"""A question to a monitor: what stands in it, who asks it, and what answers a word of it. Values; used by `asked`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infratest.alerting.moments import Moment
from infratest.errors import UserError
from infratest.monitor.book import Book


@dataclass(frozen=True)
class Given:
    """What stands in a question beside its word, and who asks: a login's name, by the kernel's word.

    The getters raise UserError where something else stands there: a question may come from another version.
    """

    values: Mapping[str, Any]
    user: str

    def text(self, name: str, otherwise: str | None = None) -> str:
        """Return a text. otherwise: where none is given; None where one has to be."""
        value = self.values.get(name, otherwise)
        if not isinstance(value, str):
            raise UserError(f"monitor: a question without its {name}; does another version run there?")
        return value

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        values = self.values.get(name)
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            raise UserError(f"monitor: a question without its {name}; does another version run there?")
        return values

    def texts_by_name(self, name: str) -> dict[str, str]:
        """Return texts by their names."""
        values = self.values.get(name)
        if not isinstance(values, dict) or not all(isinstance(each, str) for each in values.values()):
            raise UserError(f"monitor: a question without its {name}; does another version run there?")
        return values

    def number(self, name: str) -> float | None:
        """Return a number; None where none is given."""
        value = self.values.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise UserError(f"monitor: {name} is no number: {value!r}")
        return None if value is None else float(value)


#: Answers one word: JSON out. Raises InfratestError.
Answer = Callable[[Book, Moment, Given], Any]


@dataclass(frozen=True)
class Word:
    """One thing that can be asked. changes: whether anything is other afterwards, so that it has to be written."""

    answer: Answer
    changes: bool = False
