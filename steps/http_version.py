"""What can be said of the version of HTTP by which a URL is answered."""

from __future__ import annotations

from infratest.steps._http import URL, VERSIONS, VERSIONS_WORDS, OfUrl

from infratest.check import Seen
from infratest.errors import UserError
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.http.reply import Reply


@check(
    f"{URL} answers by HTTP/{{answered_by:word}}",
    negation=f"{URL} does not answer by HTTP/{{answered_by:word}}",
    example='"https://shop.example/" answers by HTTP/2',
)
class UrlVersion(OfUrl):
    """The version of HTTP by which an answer comes: 2 where TLS agrees on it (ALPN), if it is what is asked about."""

    answered_by: str = ""

    def __post_init__(self) -> None:
        if self.answered_by not in VERSIONS:
            raise UserError(f'"{self.url}" answers by HTTP/{self.answered_by}: {VERSIONS_WORDS}')
        if self.version:
            raise UserError(f'"{self.url}" by HTTP/{self.version} answers by HTTP/{self.answered_by}: say it once')
        super().__post_init__()

    @property
    def is_plain(self) -> bool:
        return super().is_plain and self.answered_by != "2"

    @property
    def asked_version(self) -> str:
        return "any" if self.answered_by == "2" else ""

    def look(self, reply: Reply) -> Seen:
        return Seen(holds=reply.version == self.answered_by, saw=f"{self.answered(reply)} by HTTP/{reply.version}")
