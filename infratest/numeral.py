"""A number in a document, which a float would cut. Made by the readers of formats; asked by structured_text."""

from __future__ import annotations


class Numeral(float):
    """A number with a point or an exponent, and the text that it is written as, which may say more digits."""

    text: str

    def __new__(cls, text: str) -> Numeral:
        made = super().__new__(cls, text)
        made.text = text.replace("_", "")
        return made
