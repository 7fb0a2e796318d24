"""What can be said of what a URL answers, from the controller unless a sentence says `from the host`.

Of a server that refuses, neither a claim nor its negation is met.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen, in_quotes
from infratest.cleaning import clean, literal
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human
from infratest.web_address import web_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.http.reply import Reply

#: Characters of a body in a reason.
SHOWN = 200


class _OfUrl(Check):
    viewpoint = CONTROLLER
    from_others = True
    #: False where the question is whether anything answers.
    of_property: ClassVar[bool] = True

    url: str

    def __post_init__(self) -> None:
        web_address(self.url)

    @derived
    def asked(self) -> Need[Reply]:
        return Need("http", (self.url,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        reply = facts[self.asked]
        if reply.status is not None:
            return self.look(reply)
        why = clean(reply.refused, SHOWN)
        if reply.silent:
            return Seen(holds=False, saw=f'"{self.url}" does not answer: {why}', absent=self.of_property)
        # Of a name that nobody knows, or a bad certificate, nobody can say either that the server is not there.
        return Seen(holds=False, saw=f'"{self.url}" gives no answer that counts: {why}', absent=True)

    @abstractmethod
    def look(self, reply: Reply) -> Seen:
        """Return what is seen in an answer that came."""


@check('"{url}" answers', negation='"{url}" does not answer', example='"http://shop.example/" answers')
class UrlAnswers(_OfUrl):
    """Any answer comes, of whatever status; redirects are not followed."""

    of_property = False

    def look(self, reply: Reply) -> Seen:
        return Seen(holds=True, saw=_answered(self.url, reply))


@check(
    '"{url}" answers {status:number}',
    negation='"{url}" does not answer {status:number}',
    example='"https://shop.example/" answers 200',
)
class UrlStatus(_OfUrl):
    """The status of the answer; redirects are not followed, certificates are verified."""

    status: int

    def __post_init__(self) -> None:
        super().__post_init__()
        _checked_status(self.url, self.status)

    def look(self, reply: Reply) -> Seen:
        return Seen(holds=reply.status == self.status, saw=_answered(self.url, reply))


@check(
    '"{url}" answers {status:number} in {bound:time}',
    example='"https://shop.example/" answers 200 in less than 500 ms, warning 200 ms',
)
class UrlTime(_OfUrl):
    """The status of the answer, and the time until it is complete."""

    status: int

    def __post_init__(self) -> None:
        super().__post_init__()
        _checked_status(self.url, self.status)

    def look(self, reply: Reply) -> Seen:
        return Seen(holds=reply.status == self.status, saw=_answered(self.url, reply), number=reply.seconds)

    def measure(self) -> Measure:
        return Measure(label=f"http {self.url} time", unit="s", minimum=0)


@check(
    '"{url}" contains "{text}"',
    negation='"{url}" does not contain "{text}"',
    example='"https://shop.example/" contains "Welcome"',
)
class UrlContains(_OfUrl):
    """The text occurs in the answer's body, decoded as it says, whatever its status; past 1 MiB it is not known."""

    text: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.text:
            raise UserError(f'"{self.url}" contains "": every page does; write the text that is meant')

    def look(self, reply: Reply) -> Seen:
        # What stands for a byte that is no text must not be found as such.
        if self.text in reply.body and ("\ufffd" not in self.text or not reply.unread):
            return Seen(holds=True, saw=f'"{self.url}" answered {reply.status} and contains {in_quotes(self.text)}')
        if reply.unread:
            words = f"whether {self.url} contains {in_quotes(self.text)} is not known"
            raise FactError(f"{words}: it answered {reply.status}, and of the body {reply.unread}")
        words = f'"{self.url}" answered {reply.status} and does not contain {in_quotes(self.text)}, but'
        return Seen(holds=False, saw=f"{words} {literal(reply.body, SHOWN)}")


@check(
    '"{url}" has the header "{header}" with "{value}"',
    negation='"{url}" does not have the header "{header}" with "{value}"',
    example='"https://shop.example/" has the header "X-Frame-Options" with "DENY"',
)
class UrlHeader(_OfUrl):
    """A header of the answer has just this value; blanks around a value are no part of it."""

    header: str
    value: str

    def look(self, reply: Reply) -> Seen:
        values = [value for name, value in reply.headers if name == self.header.lower()]
        shown = ", ".join(literal(value, SHOWN) for value in values) or "none"
        words = f'"{self.url}" answered {reply.status} with the header {self.header}: {shown}'
        return Seen(holds=self.value in values, saw=words)


def _checked_status(url: str, status: int) -> None:
    if not 100 <= status <= 599:
        raise UserError(f'"{url}" answers {status}: an HTTP status is a whole number from 100 to 599')


def _answered(url: str, reply: Reply) -> str:
    return f'"{url}" answered {reply.status} in {human(reply.seconds, "s")}'
