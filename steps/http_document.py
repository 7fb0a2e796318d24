"""What can be said of the values in what a URL answers: JSON, or the format that the sentence names.

The paths and what is compared are those of files (`_document`). Where there is nothing at a path, what it is equal to,
matches, holds or numbers is neither so nor not so. What cannot be read as such a document is unknown.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.steps._document import Containing, Equal, Length, Matching, Number, There
from infratest.steps._each_value import Each, EachIsEqual, EachIsNumber, EachMatches
from infratest.steps._http import URL, OfUrl

from infratest.check import Measure, Seen, in_quotes
from infratest.errors import FactError
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from infratest.facts.http.reply import Reply

DOCUMENT = f"{URL}[ as {{format:word}}]"


class _OfUrlValue(OfUrl):
    """The value at a path of what a URL answers."""

    of_body = True
    #: False where absence itself is the question.
    of_value: ClassVar[bool] = True
    #: Whether its path may lead to several values.
    of_each: ClassVar[bool] = False

    at: str = ""
    format: str = ""

    def __post_init__(self) -> None:
        from infratest.structured_text import checked_format, checked_path

        super().__post_init__()
        checked_path(self.at, checked_format(self.form_name), self.of_each)

    @property
    def form_name(self) -> str:
        return self.format or "JSON"

    def look(self, reply: Reply) -> Seen:
        from infratest.structured_text import Absent, value_at

        try:
            value = value_at(self.text(reply), self.form_name, self.at)
        except Absent as absent:
            saw = f"{self.how} answered {reply.status} without {in_quotes(self.at)}: {absent}"
            return Seen(holds=False, saw=saw, absent=self.of_value)
        except FactError as error:
            raise FactError(f"{self.how} answered {reply.status}: {error}") from None
        return self.seen(value, f"{self.how} has {in_quotes(self.at)}")

    def text(self, reply: Reply) -> str:
        """Return the document. Raises FactError."""
        if reply.unread:
            raise FactError(f"{self.how} answered {reply.status}, and of the body {reply.unread}")
        return reply.body

    @abstractmethod
    def seen(self, value: Any, what: str) -> Seen:
        """Return what is seen in the value that is there."""


@check(
    f'{DOCUMENT} has "{{at}}"',
    negation=f'{DOCUMENT} does not have "{{at}}"',
    example='"https://shop.example/health" has "checks.database"',
)
class UrlValueThere(There, _OfUrlValue):
    """A value is at this path of the answer, whatever it is."""

    of_value = False


@check(
    f'{DOCUMENT} has "{{at}}" equal to "{{value}}"',
    negation=f'{DOCUMENT} has "{{at}}" not equal to "{{value}}"',
    example='"https://shop.example/health" has "status" equal to "up"',
)
class UrlValueEqual(Equal, _OfUrlValue):
    """The value at this path of the answer is this one: a number as a number, all else as it is written."""

    value: str = ""


@check(
    f'{DOCUMENT} has "{{at}}" matching "{{pattern}}"',
    negation=f'{DOCUMENT} has "{{at}}" not matching "{{pattern}}"',
    example='"https://shop.example/health" has "version" matching "^2[.]"',
)
class UrlValueMatching(Matching, _OfUrlValue):
    """The value at this path of the answer, as it is written, matches the pattern (RE2)."""

    pattern: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_pattern()


@check(
    f'{DOCUMENT} has "{{at}}" containing "{{value}}"',
    negation=f'{DOCUMENT} has "{{at}}" not containing "{{value}}"',
    example='"https://shop.example/health" has "nodes" containing "web-1"',
)
class UrlValueContaining(Containing, _OfUrlValue):
    """The value at this path of the answer is a list with this in it, or a text with this text in it."""

    value: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_value()


@check(
    f'{DOCUMENT} has "{{at}}" {{bound:count}}',
    example='"https://shop.example/health" has "queue.length" less than 100, warning 50',
)
class UrlValueNumber(Number, _OfUrlValue):
    """The value at this path of the answer is a number, which is judged and becomes a perfdata value."""

    def measure(self) -> Measure:
        return Measure(label=f"http {self.url} {self.at}")


@check(
    f'{DOCUMENT} has {{bound:count}} "{{at}}"',
    example='"https://shop.example/health" has at least 2 "nodes"',
)
class UrlValueLength(Length, _OfUrlValue):
    """The value at this path of the answer is a list or a map with so many things in it."""

    def measure(self) -> Measure:
        return Measure(label=f"http {self.url} number of {self.at}", minimum=0)


class _OfEachUrlValue(Each, _OfUrlValue):
    """Each of the values at a path of the answer."""

    every = True

    def look(self, reply: Reply) -> Seen:
        return self.among(self.text(reply), self.form_name, f"{self.how} answered {reply.status}")

    def measure(self) -> Measure | None:
        return self.counted(f"http {self.url}")


@check(
    f'{DOCUMENT} has every "{{at}}" equal to "{{value}}"',
    negation=f'{DOCUMENT} does not have every "{{at}}" equal to "{{value}}"',
    example='"https://shop.example/health" has every "checks.*.state" equal to "up"',
)
class UrlEachEqual(EachIsEqual, _OfEachUrlValue):
    """Each value at this path of the answer is this one; `*` stands for each of a list or a map."""

    value: str = ""


@check(
    f'{DOCUMENT} has every "{{at}}" matching "{{pattern}}"',
    negation=f'{DOCUMENT} does not have every "{{at}}" matching "{{pattern}}"',
    example='"https://shop.example/health" has every "nodes.*.version" matching "^2[.]"',
)
class UrlEachMatching(EachMatches, _OfEachUrlValue):
    """Each value at this path of the answer, as it is written, matches the pattern (RE2)."""

    pattern: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_pattern()


@check(
    f'{DOCUMENT} has every "{{at}}" {{bound:count}}',
    example='"https://shop.example/health" has every "nodes.*.lag" less than 10, warning 5',
)
class UrlEachNumber(EachIsNumber, _OfEachUrlValue):
    """Each value at this path of the answer is a number in the bound; the worst of them becomes a perfdata value."""

    def measure(self) -> Measure:
        return Measure(label=f"http {self.url} {self.at}")


@check(
    f'{DOCUMENT} has {{bound:count}} "{{at}}" equal to "{{value}}"',
    example='"https://shop.example/health" has exactly 1 "nodes.*.role" equal to "primary"',
)
class UrlNumberEqual(UrlEachEqual):
    """So many of the values at this path of the answer are this one."""

    every = False


@check(
    f'{DOCUMENT} has {{bound:count}} "{{at}}" matching "{{pattern}}"',
    example='"https://shop.example/health" has at least 2 "nodes.*.name" matching "^web-"',
)
class UrlNumberMatching(UrlEachMatching):
    """So many of the values at this path of the answer match the pattern (RE2)."""

    every = False
