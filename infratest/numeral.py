"""Numbers and texts in a document that are no plain ones. Made by the readers of formats; asked by structured_text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from infratest.errors import FactError

T = TypeVar("T")


class Numeral(float):
    """A number with a point, an exponent or very many digits, and the text that it is written as."""

    text: str

    def __new__(cls, text: str) -> Numeral:
        made = super().__new__(cls, text)
        made.text = text.replace("_", "")
        return made

    def __reduce__(self) -> tuple[type[Numeral], tuple[str]]:
        return Numeral, (self.text,)


#: Digits of a whole number that Python makes an int of; it takes no more than 4300.
INT_DIGITS = 400


def whole(text: str) -> int | Numeral:
    """Return a whole number in decimal digits, however many."""
    return int(text) if len(text) <= INT_DIGITS else Numeral(text)


class Doubtful(str):
    """What is written so that readers of one format take it for different values: `010` of YAML.

    Args:
        otherwise: what it is to those to whom it is not the text that is written; None where no reader takes it for
        that text.
    """

    why: str
    otherwise: bool | float | None

    def __new__(cls, text: str, why: str, otherwise: bool | float | None = None) -> Doubtful:
        made = super().__new__(cls, text)
        made.why, made.otherwise = why, otherwise
        return made

    def __reduce__(self) -> tuple[type[Doubtful], tuple[str, str, bool | float | None]]:
        return Doubtful, (str(self), self.why, self.otherwise)

    @property
    def may_be_number(self) -> bool:
        return not isinstance(self.otherwise, bool)

    def equals(self, text: str, same: Callable[[object, str], bool]) -> bool:
        """Whether it is what a text says: just what is written, or to no reader anything else that is equal to it.

        Raises:
            FactError: it depends on who reads it.
        """
        if self.otherwise is None or (text != self and same(self.otherwise, text)):
            raise FactError(self.why)
        return text == self


class SeveralWays(str):
    """A text that readers of its format take for several others: `On ; shown` of INI.

    Args:
        ways: all that they take it for, the text that is written among them.
    """

    ways: tuple[str, ...]
    why: str

    def __new__(cls, text: str, ways: tuple[str, ...], why: str) -> SeveralWays:
        made = super().__new__(cls, text)
        made.ways, made.why = ways, why
        return made

    def __reduce__(self) -> tuple[type[SeveralWays], tuple[str, tuple[str, ...], str]]:
        return SeveralWays, (str(self), self.ways, self.why)

    def agreed(self, asked: Callable[[str], T]) -> T:
        """Return what is answered alike of all that it may be.

        Raises:
            FactError: it depends on who reads it.
        """
        first, *others = [asked(way) for way in self.ways]
        if any(other != first for other in others):
            raise FactError(self.why)
        return first
