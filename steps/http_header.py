"""What can be said of the headers of what a URL answers."""

from __future__ import annotations

from abc import abstractmethod

from infratest.steps._http import SHOWN, URL, OfUrl

from infratest.check import Seen
from infratest.cleaning import literal
from infratest.errors import UserError
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from infratest.facts.http.reply import Reply


class _OfHeader(OfUrl):
    header: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.header.strip():
            raise UserError(f'"{self.url}": a header has a name, as "Content-Type"')

    def look(self, reply: Reply) -> Seen:
        values = [value for name, value in reply.headers if name == self.header.lower()]
        shown = ", ".join(literal(value, SHOWN) for value in values) or "none"
        words = f"{self.how} answered {reply.status} with the header {self.header}: {shown}"
        return self.seen(values, words)

    @abstractmethod
    def seen(self, values: Sequence[str], words: str) -> Seen:
        """Return what is seen in the values of a header, which may stand in several lines."""


@check(
    f'{URL} has the header "{{header}}"',
    negation=f'{URL} does not have the header "{{header}}"',
    example='"https://shop.example/" has the header "Strict-Transport-Security"',
)
class UrlHeaderThere(_OfHeader):
    """A header of this name is in the answer, whatever its value."""

    def seen(self, values: Sequence[str], words: str) -> Seen:
        return Seen(holds=bool(values), saw=words)


@check(
    f'{URL} has the header "{{header}}" with "{{value}}"',
    negation=f'{URL} does not have the header "{{header}}" with "{{value}}"',
    example='"https://shop.example/" has the header "X-Frame-Options" with "DENY"',
)
class UrlHeader(_OfHeader):
    """A header of the answer has just this value; blanks around a value are no part of it."""

    value: str = ""

    def seen(self, values: Sequence[str], words: str) -> Seen:
        return Seen(holds=self.value in values, saw=words)


@check(
    f'{URL} has the header "{{header}}" containing "{{part}}"',
    negation=f'{URL} has the header "{{header}}" not containing "{{part}}"',
    example='"https://shop.example/" has the header "Cache-Control" containing "max-age="',
)
class UrlHeaderContains(_OfHeader):
    """A header of the answer has this text in its value; without such a header it is neither so nor not so."""

    part: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.part:
            raise UserError(f'"{self.url}": containing "": every header does; write the text that is meant')

    def seen(self, values: Sequence[str], words: str) -> Seen:
        return Seen(holds=any(self.part in value for value in values), saw=words, absent=not values)


@check(
    f'{URL} has the header "{{header}}" matching "{{pattern}}"',
    negation=f'{URL} has the header "{{header}}" not matching "{{pattern}}"',
    example='"https://shop.example/" has the header "Server" not matching "[0-9]"',
)
class UrlHeaderMatches(_OfHeader):
    """The pattern (RE2) matches in the value of a header; without such a header it is neither so nor not so."""

    pattern: str = ""

    def __post_init__(self) -> None:
        from infratest.regular_expression import compiled

        super().__post_init__()
        if not self.pattern:
            raise UserError(f'"{self.url}": matching "": every header does; write the pattern that is meant')
        compiled(self.pattern)

    def seen(self, values: Sequence[str], words: str) -> Seen:
        from infratest.regular_expression import compiled

        found = compiled(self.pattern)
        holds = any(found.search(value.encode("utf-8", "replace")) is not None for value in values)
        return Seen(holds=holds, saw=words, absent=not values)


@check(
    f'{URL} has a header matching "{{pattern}}"',
    negation=f'{URL} has no header matching "{{pattern}}"',
    example='"https://shop.example/" has no header matching "^X-Powered-By: "',
)
class UrlHeaderLine(OfUrl):
    """The pattern (RE2) matches in one of the headers, `Name: value` with each word of the name in capitals."""

    pattern: str = ""

    def __post_init__(self) -> None:
        from infratest.regular_expression import compiled

        super().__post_init__()
        if not self.pattern:
            raise UserError(f'"{self.url}": matching "": every header does; write the pattern that is meant')
        compiled(self.pattern)

    def look(self, reply: Reply) -> Seen:
        from infratest.regular_expression import compiled

        pattern = compiled(self.pattern)
        for name, value in reply.headers:
            # Names are the same in capitals or not, and come as the server likes.
            line = f"{'-'.join(map(str.capitalize, name.split('-')))}: {value}"
            if pattern.search(line.encode("utf-8", "replace")) is not None:
                return Seen(True, f"{self.how} answered {reply.status} with the header {literal(line, SHOWN)}")
        names = literal(", ".join(name for name, _ in reply.headers), SHOWN) if reply.headers else "none at all"
        words = f"{self.how} answered {reply.status} without a header matching it; it has {names}"
        return Seen(holds=False, saw=words)
