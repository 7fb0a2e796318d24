"""What is said of each of several values in a document, which a path with `*` leads to, or which are in its list.

All of them are meant (`every`), or those that are so are counted, or their least and greatest number is judged. Of
none, nothing is said. One that is not there on its way is none that is so, and with `every` it is neither so nor not.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.steps._document import Matching, OfDocument, judged, one_value

from infratest.check import Measure, Seen, in_quotes
from infratest.errors import FactError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from infratest.facts.base import FactValues

#: Values that are shown.
SHOWN = 10


class Each:
    """Each of the values at a path of a document."""

    if TYPE_CHECKING:
        at: str
        every: bool

    #: Whether its path may lead to several values.
    of_each = True
    #: What those are that are so.
    kind = "so"

    def among(self, text: str, form: str, what: str) -> Seen:
        """Return what is seen in a document. Raises FactError.

        Args:
            what: whose document it is, in words.
        """
        from infratest.structured_text import Absent
        from infratest.structured_values import values_at

        try:
            values = values_at(text, form, self.at)
        except Absent as absent:
            return Seen(False, f"{what} has no {in_quotes(self.at)}: {absent}", absent=True)
        except FactError as error:
            raise FactError(f"{what}: {error}") from None
        there = [(way, value) for way, value in values if not isinstance(value, Absent)]
        if not there:
            why = f": {values[0][1]}" if values else ", for it is empty"
            return Seen(False, f"{what} has nothing at {in_quotes(self.at)}{why}", absent=True)
        good = {way for way, value in there if self.is_so(value, f"{what} has {in_quotes(way)}")}
        words = f"{what}: of {len(values)} at {in_quotes(self.at)}"
        saw = f"{words} {len(good)} are {self.kind}"
        others = [(way, value) for way, value in values if way not in good]
        if others:
            shown = "; ".join([f"{way}, which is {_described(value)}" for way, value in others[:SHOWN]])
            saw += f"; not {shown}{' ...' if others[SHOWN:] else ''}"
        if not self.every:
            return Seen(holds=True, saw=saw, number=len(good))
        if others:
            return Seen(holds=False, saw=saw, absent=len(there) < len(values))
        return self.all_so(there, words)

    def all_so(self, values: list[tuple[str, Any]], words: str) -> Seen:
        """Return what is seen where all of the values are so, each with its path."""
        return Seen(holds=True, saw=f"{words} {len(values)} are {self.kind}")

    @abstractmethod
    def is_so(self, value: Any, what: str) -> bool:
        """Whether a value is as the sentence says. Raises FactError where it is a list or a map."""

    def counted(self, subject: str) -> Measure | None:
        """Return the number of those that are so, by what it is counted in; None where all are meant."""
        return None if self.every else Measure(label=f"{subject} number of {self.at}{self.claim}", minimum=0)

    @property
    def claim(self) -> str:
        """What is said of each, for the number's label."""
        return ""


class EachIsEqual(Each):
    """Each value is the one that is named."""

    if TYPE_CHECKING:
        value: str

    def is_so(self, value: Any, what: str) -> bool:
        from infratest.structured_text import equals

        return equals(one_value(value, what, "write a longer path"), self.value)

    @property
    def claim(self) -> str:
        return f" equal to {self.value}"


class EachMatches(Each, Matching):
    """Each value matches a pattern."""

    def is_so(self, value: Any, what: str) -> bool:
        from infratest.regular_expression import compiled, searchable
        from infratest.structured_text import asked_of

        one = one_value(value, what, "write a longer path")
        return asked_of(one, lambda text: compiled(self.pattern).search(searchable(text)) is not None)

    @property
    def claim(self) -> str:
        return f" matching {self.pattern}"


class EachIsNumber(Each):
    """Each value is a number; the least and the greatest of them are judged, and the worse is the perfdata value."""

    kind = "numbers"

    def is_so(self, value: Any, what: str) -> bool:
        return judged(value, what) is not None

    def all_so(self, values: list[tuple[str, Any]], words: str) -> Seen:
        numbers = [(number, way) for way, value in values if (number := judged(value, words)) is not None]
        (least, first), (greatest, last) = min(numbers), max(numbers)
        saw = f"{words} the least is {least}, {first}, and the greatest {greatest}, {last}"
        return Seen(holds=True, saw=saw, number=greatest, least=least)


class _OfEach(Each, OfDocument):
    """Each of the values at a path of a file, or of what a command prints."""

    every: bool = False

    def observe(self, facts: FactValues) -> Seen:
        text = self.text(facts)
        if text is None:
            return Seen(holds=False, saw=f"{self.subject} does not exist or is no regular file", absent=True)
        what = self.subject if self.path else f"what {self.subject} prints"
        return self.among(text, self.form, what)

    def measure(self) -> Measure | None:
        return self.counted(self.label)


class EachEqual(EachIsEqual, _OfEach):
    """Each of several values is the one that is named."""

    value: str = ""


class EachMatching(EachMatches, _OfEach):
    """Each of several values matches a pattern."""

    pattern: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_pattern()


class EachNumber(EachIsNumber, _OfEach):
    """Each of several values is a number, all of which are judged."""

    def measure(self) -> Measure:
        return Measure(label=f"{self.label} {self.at}")


def _described(value: Any) -> str:
    from infratest.structured_text import Absent, described

    return "not there" if isinstance(value, Absent) else described(value)
