"""Questions about what a URL answers. Of a server that refuses, neither a claim nor its negation is met."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen
from infratest.cleaning import clean, literal
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.found import Reply
from infratest.units import human
from infratest.web_address import web_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

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

    def needs(self) -> tuple[Need, ...]:
        return (Need("http", (self.url,)),)

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        reply: Reply = facts[self.needed[0]]
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


class UrlAnswers(_OfUrl):
    """Whether any answer comes, of whatever status."""

    of_property = False

    def look(self, reply: Reply) -> Seen:
        return Seen(holds=True, saw=_answered(self.url, reply))


class UrlStatus(_OfUrl):
    """Whether the answer has this status."""

    status: int

    def __post_init__(self) -> None:
        super().__post_init__()
        _checked_status(self.url, self.status)

    def look(self, reply: Reply) -> Seen:
        return Seen(holds=reply.status == self.status, saw=_answered(self.url, reply))


class UrlTime(_OfUrl):
    """How long the answer of this status takes, until it is complete."""

    status: int

    def __post_init__(self) -> None:
        super().__post_init__()
        _checked_status(self.url, self.status)

    def look(self, reply: Reply) -> Seen:
        return Seen(holds=reply.status == self.status, saw=_answered(self.url, reply), number=reply.seconds)

    def measure(self) -> Measure:
        return Measure(label=f"http {self.url} time", unit="s", minimum=0)


class UrlContains(_OfUrl):
    """Whether the text occurs in the answer's body, whatever its status; of more than 1 MiB nothing is denied."""

    text: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.text:
            raise UserError(f'"{self.url}" contains "": every page does; write the text that is meant')

    def look(self, reply: Reply) -> Seen:
        # What stands for a byte that is no text must not be found as such.
        if self.text in reply.body and ("\ufffd" not in self.text or not reply.unread):
            return Seen(holds=True, saw=f'"{self.url}" answered {reply.status} and contains "{self.text}"')
        if reply.unread:
            words = (
                f'whether {self.url} contains "{self.text}" is not known: it answered {reply.status}, and of the body'
            )
            raise FactError(f"{words} {reply.unread}")
        words = f'"{self.url}" answered {reply.status} and does not contain "{self.text}", but'
        return Seen(holds=False, saw=f"{words} {literal(reply.body, SHOWN)}")


class UrlHeader(_OfUrl):
    """Whether the answer has this header with just this value; the header's name is of any case."""

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
