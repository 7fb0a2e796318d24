"""What the sentences about values in a document share: a file, what a command prints or what a URL answers, in JSON,
YAML, TOML, INI, XML or CSV.

A path leads to a value (structured_text.py has the language). Where there is no document, or nothing at the path, what
it is equal to, matches, holds or numbers is neither so nor not so. A document that cannot be read is unknown.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.steps._command import OfCommand

from infratest.check import Measure, Seen, in_quotes
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, absolute
from infratest.record import derived
from infratest.units import exact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal
    from typing import Any, ClassVar

    from infratest.facts.base import FactValues

#: Things of a list that are shown.
SHOWN = 10


class OfDocument(OfCommand):
    """What is at a path of a document: of a file's, or of a command's where there is no path of a file."""

    #: Whether its path may lead to several values.
    of_each: ClassVar[bool] = False

    command: str = ""
    path: str = ""
    format: str = ""
    at: str = ""

    def __post_init__(self) -> None:
        from infratest.structured_text import checked_path

        if self.path:
            absolute(self.path)
        else:
            super().__post_init__()
        checked_path(self.at, self.form, self.of_each)

    @derived
    def form(self) -> str:
        """The format, as the sentence or the file's name says."""
        from infratest.structured_text import checked_format

        return checked_format(self.format, self.path)

    @derived
    def asked(self) -> Need[Any]:
        if self.path:
            return Need("document", (absolute(self.path),))
        return Need("root-command" if self.root else "command", (self.command,))

    @property
    def subject(self) -> str:
        return f'the file "{self.path}"' if self.path else super().subject

    @property
    def label(self) -> str:
        """Whose number it is, for perfdata."""
        return f"file {self.path}" if self.path else f"command {self.command}"

    def text(self, facts: FactValues) -> str | None:
        """Return the document; None where there is none."""
        if not self.path:
            output = self.whole_output(facts)
            if not output.whole or not output.exact:
                raise FactError(f"{self.subject} printed more than is kept, or no UTF-8 text: it cannot be read")
            return str(output.out)
        document = facts[self.asked]
        if document.problem:
            raise FactError(f"{self.path}: {document.problem}")
        return str(document.text) if document.there else None


class OfValue(OfDocument):
    """The one value at a path of a document."""

    #: False where absence itself is the question.
    of_value: ClassVar[bool] = True

    def observe(self, facts: FactValues) -> Seen:
        from infratest.structured_text import Absent, value_at

        text = self.text(facts)
        if text is None:
            return Seen(holds=False, saw=f"{self.subject} does not exist or is no regular file", absent=True)
        verb = "has" if self.path else f"prints {self.form} with"
        try:
            value = value_at(text, self.form, self.at)
        except Absent as absent:
            verb = "has no" if self.path else f"prints {self.form} without"
            saw = f"{self.subject} {verb} {in_quotes(self.at)}: {absent}"
            return Seen(holds=False, saw=saw, absent=self.of_value)
        except FactError as error:
            raise FactError(f"{self.subject}: {error}") from None
        return self.seen(value, f"{self.subject} {verb} {in_quotes(self.at)}")

    @abstractmethod
    def seen(self, value: Any, what: str) -> Seen:
        """Return what is seen in the value that is there."""


class There:
    """A value is there, whatever it is."""

    def seen(self, value: Any, what: str) -> Seen:
        return Seen(holds=True, saw=_words(value, what))


class Equal:
    """A value is the one that is named."""

    if TYPE_CHECKING:
        value: str

    def seen(self, value: Any, what: str) -> Seen:
        from infratest.structured_text import equals

        one = one_value(value, what, "write the path of one of its values, or what it contains, or how many it has")
        return Seen(holds=equals(one, self.value), saw=_words(value, what))


class Matching:
    """A value matches a pattern."""

    if TYPE_CHECKING:
        pattern: str

    def check_pattern(self) -> None:
        """Refuse what is no pattern. Raises UserError."""
        from infratest.regular_expression import compiled

        if not self.pattern:
            raise UserError('matching "": every value does; write the pattern that is meant')
        compiled(self.pattern)

    def seen(self, value: Any, what: str) -> Seen:
        from infratest.regular_expression import compiled, searchable
        from infratest.structured_text import asked_of

        one = one_value(value, what, "a pattern is about one value; write the path of one")
        holds = asked_of(one, lambda text: compiled(self.pattern).search(searchable(text)) is not None)
        return Seen(holds=holds, saw=_words(value, what))


class Containing:
    """A list has something in it, or a text a text."""

    if TYPE_CHECKING:
        value: str

    def check_value(self) -> None:
        """Refuse what is in every text. Raises UserError."""
        if not self.value:
            raise UserError('containing "": every text does; write what is meant')

    def seen(self, value: Any, what: str) -> Seen:
        from infratest.structured_text import asked_of, equals, single

        plain = single(value)
        if isinstance(plain, list):
            return Seen(holds=any(equals(one, self.value) for one in plain), saw=_words(value, what))
        if not isinstance(plain, str):
            raise FactError(f"{_words(value, what)}: only a list or a text contains something")
        return Seen(holds=asked_of(plain, lambda text: self.value in text), saw=_words(value, what))


class Number:
    """A value is a number, which is judged; what is no number is in no bound."""

    def seen(self, value: Any, what: str) -> Seen:
        number = judged(value, what)
        words = _words(value, what)
        return Seen(
            holds=number is not None, saw=words if number is not None else f"{words}, and no number", number=number
        )


class Length:
    """So many things are in a list or a map."""

    def seen(self, value: Any, what: str) -> Seen:
        from collections.abc import Sized

        if isinstance(value, str) or not isinstance(value, Sized):
            raise FactError(f"{_words(value, what)}: things are counted in a list or a map")
        return Seen(holds=True, saw=_words(value, what), number=len(value))


class ValueThere(There, OfValue):
    """A value is there, whatever it is."""

    of_value = False


class ValueEqual(Equal, OfValue):
    """A value is the one that is named."""

    value: str = ""


class ValueMatching(Matching, OfValue):
    """A value matches a pattern."""

    pattern: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_pattern()


class ValueContaining(Containing, OfValue):
    """A list has something in it, or a text a text."""

    value: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_value()


class ValueNumber(Number, OfValue):
    """A value is a number, which is judged."""

    def measure(self) -> Measure:
        return Measure(label=f"{self.label} {self.at}")


class ValueLength(Length, OfValue):
    """So many things are in a list or a map."""

    def measure(self) -> Measure:
        return Measure(label=f"{self.label} number of {self.at}", minimum=0)


def judged(value: Any, what: str) -> float | Decimal | None:
    """Return the number that a value is, None where it is none. Raises FactError: a list or a map, or too great."""
    from infratest.structured_text import number_of

    number = number_of(one_value(value, what, 'what is in it is counted by `has exactly 3 "..."`'))
    try:
        return None if number is None else exact(str(number))
    except ValueError:
        raise FactError(f"{_words(value, what)}: that is no number that is compared: it is beyond 1E+300") from None


def one_value(value: Any, what: str, advice: str) -> Any:
    """Return a value that is no list and no map. Raises FactError."""
    from infratest.structured_text import is_plain, single

    if not is_plain(single(value)):
        raise FactError(f"{_words(value, what)}: {advice}")
    return single(value)


def _words(value: Any, what: str) -> str:
    """Return words for a value; of a list with the first in it."""
    from infratest.structured_text import described, single

    words = f"{what}, which is {described(value)}"
    if isinstance(single(value), list) and value:
        shown = ", ".join(described(one) for one in value[:SHOWN])
        words += f": {shown}{' ...' if len(value) > SHOWN else ''}"
    return words
