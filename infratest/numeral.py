"""Numbers in a document that are no plain ones. Made by the readers of formats; asked by structured_text."""

from __future__ import annotations


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
    """What is written so that readers of one format take it for different values: `010` of YAML."""

    why: str

    def __new__(cls, text: str, why: str) -> Doubtful:
        made = super().__new__(cls, text)
        made.why = why
        return made

    def __reduce__(self) -> tuple[type[Doubtful], tuple[str, str]]:
        return Doubtful, (str(self), self.why)
