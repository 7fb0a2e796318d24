"""What can be said of a URL that is not answered because of its certificate: for which reason that is not trusted.

Who looks stops at the first reason. So where it is another one, whether this one holds too is not known.
"""

from __future__ import annotations

from infratest.steps._http import SHOWN, URL, OfUrl

from infratest.check import Seen
from infratest.cleaning import clean
from infratest.errors import FactError, UserError
from infratest.gherkin.sentence import check
from infratest.web_address import web_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.http.reply import Reply


class _Untrusted(OfUrl):
    """`reason`: as the fact's `trust` has it."""

    reason: ClassVar[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        if web_address(self.url).scheme != "https" or self.trusted:
            raise UserError(f'"{self.url}": a certificate is verified of https URLs, and not where any will do')

    def observe(self, facts: FactValues) -> Seen:
        reply = facts[self.asked]
        if not reply.distrust:
            return super().observe(facts)
        why = clean(reply.refused, SHOWN)
        if reply.distrust != self.reason:
            raise FactError(f"{self.how} is not trusted for another reason, at which looking stopped: {why}")
        return Seen(holds=True, saw=f"{self.how} is not trusted: {why}")

    def look(self, reply: Reply) -> Seen:
        return Seen(holds=False, saw=f"{self.answered(reply)}, its certificate verified")


@check(
    f"{URL} has an expired certificate",
    negation=f"{URL} does not have an expired certificate",
    example='"https://expired.example/" has an expired certificate',
)
class UrlExpired(_Untrusted):
    """Its certificate, or one above it, has expired, and so it is not trusted."""

    reason = "expired"


@check(
    f"{URL} has a certificate that is not valid yet",
    negation=f"{URL} does not have a certificate that is not valid yet",
    example='"https://early.example/" has a certificate that is not valid yet',
)
class UrlEarly(_Untrusted):
    """Its certificate, or one above it, is valid from a later time on only, and so it is not trusted."""

    reason = "early"


@check(
    f"{URL} has a certificate for another name",
    negation=f"{URL} does not have a certificate for another name",
    example='"https://wrong.example/" has a certificate for another name',
)
class UrlOtherName(_Untrusted):
    """Its certificate is for other names than the URL's, and so it is not trusted."""

    reason = "other name"


@check(
    f"{URL} has a certificate of an unknown authority",
    negation=f"{URL} does not have a certificate of an unknown authority",
    example='"https://own.example/" has a certificate of an unknown authority',
)
class UrlUnknownAuthority(_Untrusted):
    """Nobody whom the looker trusts vouches for its certificate: a CA of one's own, or none, or a chain with a gap."""

    reason = "unknown authority"
