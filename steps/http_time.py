"""What can be said of where the time goes that a URL takes: its name, the connection, TLS, the first byte.

Each part by itself, but for the first byte, which is counted from the beginning. They are of one request to its server:
not of redirects that are followed, and not by a proxy.
"""

from __future__ import annotations

from infratest.steps._http import URL, OfUrl

from infratest.check import Measure, Seen
from infratest.errors import FactError, UserError
from infratest.gherkin.sentence import check
from infratest.units import human
from infratest.web_address import web_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.http.reply import Reply


class _OfPart(OfUrl):
    """One part of the time. `part`: the field of a reply. words: how it is called in reasons and labels."""

    part: ClassVar[str]
    words: ClassVar[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.followed or self.proxy:
            raise UserError(f'"{self.url}": parts of its time are of one request: leave redirects and the proxy out')

    def look(self, reply: Reply) -> Seen:
        seconds = getattr(reply, self.part)
        if seconds is None:
            raise FactError(f"{self.how} answered {reply.status}, and its {self.words} time is not known")
        words = f"{self.how} answered {reply.status} with a {self.words} time of {human(seconds, 's')}"
        return Seen(holds=True, saw=words, number=seconds)

    def measure(self) -> Measure:
        return Measure(label=f"http {self.url} {self.words} time", unit="s", minimum=0)


@check(
    f"{URL} resolves its name in {{bound:time}}", example='"https://shop.example/" resolves its name in less than 50 ms'
)
class UrlLookupTime(_OfPart):
    """The time until the addresses of its host are known; of an address itself, next to nothing."""

    part = "lookup"
    words = "name lookup"


@check(
    f"{URL} connects in {{bound:time}}", example='"https://shop.example/" connects in less than 50 ms, warning 20 ms'
)
class UrlConnectTime(_OfPart):
    """The time for the connection by itself: once there and back."""

    part = "connect"
    words = "connect"


@check(f"{URL} agrees on TLS in {{bound:time}}", example='"https://shop.example/" agrees on TLS in less than 200 ms')
class UrlTlsTime(_OfPart):
    """The time for the TLS handshake by itself, the certificate verified."""

    part = "handshake"
    words = "TLS"

    def __post_init__(self) -> None:
        super().__post_init__()
        if web_address(self.url).scheme != "https":
            raise UserError(f'"{self.url}" agrees on TLS: it is no https URL')


@check(
    f"{URL} begins to answer in {{bound:time}}",
    example='"https://shop.example/" begins to answer in less than 300 ms, warning 100 ms',
)
class UrlFirstByteTime(_OfPart):
    """The time from the beginning until the first byte of the answer."""

    part = "first"
    words = "first byte"
