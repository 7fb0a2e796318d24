"""What can be said of where a URL redirects to: the next step of it, or all of them to their end."""

from __future__ import annotations

from infratest.steps._http import SHOWN, URL, OfUrl

from infratest.check import Measure, Seen
from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.web_address import resolved, web_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.http.reply import Reply

#: Statuses that send a client elsewhere where a place is named: RFC 9110, 15.4.
REDIRECTS = (301, 302, 303, 307, 308)


@check(f"{URL} redirects", negation=f"{URL} does not redirect", example='"http://shop.example/" redirects')
class UrlRedirects(OfUrl):
    """The answer sends clients elsewhere: status 301, 302, 303, 307 or 308, and a place to go."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.followed:
            raise UserError(f'"{self.url}": what is followed is not seen redirecting; leave `following redirects` out')

    def look(self, reply: Reply) -> Seen:
        target = _target(self.url, reply)
        words = f"with {reply.status} to {clean(target, SHOWN)}" if target else f"answered {reply.status}"
        return Seen(holds=bool(target), saw=f"{self.how} redirects {words}" if target else f"{self.how} {words}")


@check(
    f'{URL} redirects to "{{target}}"',
    negation=f'{URL} does not redirect to "{{target}}"',
    example='"http://shop.example/" redirects to "https://shop.example/"',
)
class UrlRedirectsTo(UrlRedirects):
    """The answer sends clients to this URL next; what it names is taken from where it was asked."""

    target: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        web_address(self.target)

    def look(self, reply: Reply) -> Seen:
        return super().look(reply).changed(holds=_same(_target(self.url, reply), self.target))


class _Followed(OfUrl):
    """Asked with its redirects followed, as if the sentence said so."""

    @derived
    def asked(self) -> Need[Reply]:
        if not self.followed:
            return self.changed(followed="redirects").asked
        return super().asked

    def chain(self, reply: Reply) -> str:
        """Return the redirects in words."""
        steps = "".join(f", {status} to {clean(url, SHOWN)}" for status, url in reply.hops) or ", no redirect"
        return f"{self.how}{steps}, which answered {reply.status}" if reply.hops else f"{self.how}{steps}"


@check(
    f'{URL} redirects to "{{target}}" in the end',
    negation=f'{URL} does not redirect to "{{target}}" in the end',
    example='"http://shop.example/" redirects to "https://www.shop.example/" in the end',
)
class UrlEndsAt(_Followed):
    """Redirects are followed, at most ten; the last one leads to this URL."""

    target: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        web_address(self.target)

    def look(self, reply: Reply) -> Seen:
        last = reply.hops[-1][1] if reply.hops else ""
        return Seen(holds=_same(last, self.target), saw=self.chain(reply))


@check(
    f"{URL} redirects {{bound:count}} time[s]",
    example='"http://shop.example/" redirects at most 1 time',
)
class UrlHops(_Followed):
    """Redirects are followed, at most ten, and counted."""

    def look(self, reply: Reply) -> Seen:
        return Seen(holds=True, saw=self.chain(reply), number=len(reply.hops))

    def measure(self) -> Measure:
        return Measure(label=f"http {self.url} redirects", minimum=0)


def _target(url: str, reply: Reply) -> str:
    """Return where an answer leads, empty where it does not."""
    return resolved(url, reply.location) if reply.status in REDIRECTS and reply.location else ""


def _same(url: str, other: str) -> bool:
    """Whether two URLs are the same place: by scheme, host, port, path and query."""
    try:
        one, two = web_address(url), web_address(other)
    except UserError:
        return False
    return one.changed(host=one.host.lower()) == two.changed(host=two.host.lower())
