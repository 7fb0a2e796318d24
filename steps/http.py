"""What can be said of what a URL answers, from the controller unless a sentence says `from the host`."""

from __future__ import annotations

from infratest.steps._http import SHOWN, URL, OfUrl

from infratest.check import Measure, Seen, choices, in_quotes
from infratest.cleaning import literal, masked_line
from infratest.errors import FactError, UserError
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.http.reply import Reply


@check(f"{URL} answers", negation=f"{URL} does not answer", example='"http://shop.example/" answers')
class UrlAnswers(OfUrl):
    """Any answer comes, of whatever status; redirects are not followed unless the sentence says so."""

    of_property = False

    def look(self, reply: Reply) -> Seen:
        return Seen(holds=True, saw=self.answered(reply))


@check(
    f"{URL} answers {{status:number}}",
    negation=f"{URL} does not answer {{status:number}}",
    example='"https://shop.example/" answers 200',
)
class UrlStatus(OfUrl):
    """The status of the answer; redirects are not followed, certificates are verified, unless the sentence says so."""

    status: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        _checked_status(self.url, self.status)

    def look(self, reply: Reply) -> Seen:
        return Seen(holds=reply.status == self.status, saw=self.answered(reply))


@check(
    f'{URL} answers one of "{{statuses}}"',
    negation=f'{URL} answers none of "{{statuses}}"',
    example='"https://shop.example/health" answers one of "200, 204"',
)
class UrlStatuses(OfUrl):
    """The status of the answer is one of these, with commas between them."""

    statuses: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for each in choices(self.statuses):
            _checked_status(self.url, int(each) if each.isascii() and each.isdecimal() else 0)

    def look(self, reply: Reply) -> Seen:
        return Seen(holds=str(reply.status) in choices(self.statuses), saw=self.answered(reply))


@check(
    f"{URL} answers {{status:number}} in {{bound:time}}",
    example='"https://shop.example/" answers 200 in less than 500 ms, warning 200 ms',
)
class UrlTime(OfUrl):
    """The status of the answer, and the time until it is complete, that of redirects which are followed with it."""

    status: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        _checked_status(self.url, self.status)

    def look(self, reply: Reply) -> Seen:
        return Seen(holds=reply.status == self.status, saw=self.answered(reply), number=reply.seconds)

    def measure(self) -> Measure:
        return Measure(label=f"http {self.url} time", unit="s", minimum=0)


@check(
    f'{URL} contains "{{text}}"',
    negation=f'{URL} does not contain "{{text}}"',
    example='"https://shop.example/" contains "Welcome"',
)
class UrlContains(OfUrl):
    """The text occurs in the answer's body, decoded as it says, whatever its status; past 1 MiB it is not known."""

    of_body = True

    text: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.text:
            raise UserError(f'"{self.url}" contains "": every page does; write the text that is meant')

    def look(self, reply: Reply) -> Seen:
        # What stands for a byte that is no text must not be found as such.
        if self.text in reply.body and ("\ufffd" not in self.text or not reply.unread):
            return Seen(holds=True, saw=f"{self.how} answered {reply.status} and contains {in_quotes(self.text)}")
        if reply.unread:
            words = f"whether {self.url} contains {in_quotes(self.text)} is not known"
            raise FactError(f"{words}: it answered {reply.status}, and of the body {reply.unread}")
        words = f"{self.how} answered {reply.status} and does not contain {in_quotes(self.text)}, but"
        return Seen(holds=False, saw=f"{words} {literal(reply.body, SHOWN)}")


@check(
    f'{URL} matches "{{pattern}}"',
    negation=f'{URL} does not match "{{pattern}}"',
    example='"https://shop.example/version" matches "^2[.][0-9]+"',
)
class UrlMatches(OfUrl):
    """The pattern (RE2) matches somewhere in the answer's body, decoded as it says; past 1 MiB it is not known."""

    of_body = True

    pattern: str = ""

    def __post_init__(self) -> None:
        from infratest.regular_expression import compiled

        super().__post_init__()
        if not self.pattern:
            raise UserError(f'"{self.url}" matches "": every page does; write the pattern that is meant')
        compiled(self.pattern)

    def look(self, reply: Reply) -> Seen:
        from infratest.regular_expression import compiled

        if reply.unread:  # what is not there may end or begin what matches
            words = f"whether {self.url} matches {in_quotes(self.pattern)} is not known"
            raise FactError(f"{words}: it answered {reply.status}, and of the body {reply.unread}")
        holds = compiled(self.pattern).search(reply.body.encode("utf-8", "replace")) is not None
        words = f"matches {in_quotes(self.pattern)}" if holds else f"does not match {in_quotes(self.pattern)}, but"
        body = "" if holds else f" {literal(reply.body, SHOWN)}"
        return Seen(holds=holds, saw=f"{self.how} answered {reply.status} and {words}{body}")


@check(
    f'{URL} has a line matching "{{pattern}}"',
    negation=f'{URL} has no line matching "{{pattern}}"',
    example='"http://shop.example/metrics" has a line matching "^up 1$"',
)
class UrlLine(UrlMatches):
    """The pattern (RE2) matches in one line of the answer's body, without its end; past 1 MiB it is not known."""

    def look(self, reply: Reply) -> Seen:
        from infratest.regular_expression import compiled

        if reply.unread:
            words = f"whether {self.url} has a line matching {in_quotes(self.pattern)} is not known"
            raise FactError(f"{words}: it answered {reply.status}, and of the body {reply.unread}")
        pattern = compiled(self.pattern)
        rows = reply.body.removesuffix("\n").split("\n") if reply.body else []
        lines = [row.removesuffix("\r") for row in rows]
        matches = (at for at, row in enumerate(lines) if pattern.search(row.encode("utf-8", "replace")) is not None)
        at = next(matches, None)
        holds = at is not None
        words = (
            f"has the line {literal(masked_line(lines, at), SHOWN)}"
            if at is not None
            else f"has no line matching it, but {literal(reply.body, SHOWN)}"
        )
        return Seen(holds=holds, saw=f"{self.how} answered {reply.status} and {words}")


@check(
    f"{URL} has a body of {{bound:size}}",
    example='"https://shop.example/" has a body of at least 10 KiB',
)
class UrlSize(OfUrl):
    """The bytes of the answer's body as they are sent, compressed or not; past 1 MiB they are not counted."""

    of_body = True

    def look(self, reply: Reply) -> Seen:
        if reply.size is None:
            raise FactError(
                f"how long the body of {self.url} is is not known: longer than the 1 MiB that are looked at"
            )
        words = f"{self.how} answered {reply.status} with a body of {reply.size} bytes"
        return Seen(holds=True, saw=words, number=reply.size)

    def measure(self) -> Measure:
        return Measure(label=f"http {self.url} size", unit="B", minimum=0)


def _checked_status(url: str, status: int) -> None:
    if not 100 <= status <= 599:
        raise UserError(f'"{url}" answers {status}: an HTTP status is a whole number from 100 to 599')
