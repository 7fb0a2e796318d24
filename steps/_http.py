"""What the sentences about URLs share: how one is asked, and what is so where no answer comes.

Of a server that refuses, neither a claim nor its negation is met. A request that sends something (`asked by POST`) is
the user's word that it only looks, as a command is: it is sent once for all sentences that ask the same.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Seen
from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.facts.base import Need
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

#: Versions of HTTP that can be asked.
VERSIONS = ("1.1", "2")
VERSIONS_WORDS = "HTTP/1.1 and HTTP/2 can be asked, and are written so"

#: A URL, and how it is asked where that is not by a plain GET; each sentence about one begins so.
URL = (
    '"{url}"[ asked by {method:word}][ with the body "{body}"][ with the form "{form}"]'
    '[ with the request header "{sends}"][ and the request header "{sends_too}"]'
    '[ and the request header "{sends_also}"]'
    '[ logged in as "{login}"][ with the token "{token}"]'
    '[ by the certificate "{certificate}"][ and the key "{key}"]'
    '[ verified by the CA file "{authority}"][ trusting {trusted:word} certificate]'
    '[ at "{place}"][ by the proxy "{proxy}"][ by HTTP/{version:word}][ following {followed:word}]'
)


class OfUrl(Check):
    viewpoint = CONTROLLER
    from_others = True
    #: False where the question is whether anything answers.
    of_property: ClassVar[bool] = True
    #: True in the classes that look at the body of the answer.
    of_body: ClassVar[bool] = False

    url: str
    method: str = ""
    body: str = ""
    form: str = ""
    sends: str = ""
    sends_too: str = ""
    sends_also: str = ""
    login: str = ""
    token: str = ""
    certificate: str = ""
    key: str = ""
    authority: str = ""
    trusted: str = ""
    place: str = ""
    proxy: str = ""
    version: str = ""
    followed: str = ""

    def __post_init__(self) -> None:
        web_address(self.url)
        self.asked  # noqa: B018 - refuses what cannot be asked
        if self.of_body and self.method.upper() == "HEAD":
            raise UserError(f'"{self.url}" asked by HEAD: its answer has no body; ask by GET, or what its headers say')

    @property
    def is_plain(self) -> bool:
        """Whether nothing is said of how it is asked."""
        return not any(getattr(self, name) for name in OfUrl._fields[1:])

    @derived
    def asked(self) -> Need[Reply]:
        if self.is_plain:
            return Need("http", (self.url,))
        from infratest.facts.http.request import FORM, Request, as_form

        self._check_words()
        form = (f"Content-Type: {FORM}",) if self.form else ()
        request = Request(
            self.url,
            method=self.method,
            body=as_form(self.form) if self.form else self.body or None,
            headers=(*form, *(each for each in (self.sends, self.sends_too, self.sends_also) if each)),
            login=self.login,
            token=self.token,
            certificate=self.certificate,
            key=self.key,
            authority=self.authority,
            careless=bool(self.trusted),
            place=self.place,
            proxy=self.proxy,
            follow=bool(self.followed),
            version=self.asked_version,
        )
        return Need("http", request.argument)

    @property
    def asked_version(self) -> str:
        """The version of HTTP as a request has it."""
        if self.version not in ("", *VERSIONS):
            raise UserError(f'"{self.url}" by HTTP/{self.version}: {VERSIONS_WORDS}')
        return "2" if self.version == "2" else ""

    def _check_words(self) -> None:
        for word, meant, words in (
            (self.trusted, "any", "trusting any certificate"),
            (self.followed, "redirects", "following redirects"),
        ):
            if word not in ("", meant):
                raise UserError(f'"{self.url}": {word!r} is not understood here: it is written `{words}`')
        if self.form and self.body:
            raise UserError(f'"{self.url}": a body and a form exclude each other: a form is sent as the body')

    @property
    def how(self) -> str:
        """How it is asked, for what is said of an answer; without what may be a secret."""
        method = f" asked by {self.method}" if self.method else ""
        place = f' at "{self.place}"' if self.place else ""
        version = f" by HTTP/{self.version}" if self.version else ""
        return f'"{self.url}"{method}{place}{version}'

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        reply = facts[self.asked]
        if reply.status is not None:
            return self.look(reply)
        why = clean(reply.refused, SHOWN)
        if reply.silent:
            return Seen(holds=False, saw=f"{self.how} does not answer: {why}", absent=self.of_property)
        # Of a name that nobody knows, or a bad certificate, nobody can say either that the server is not there.
        return Seen(holds=False, saw=f"{self.how} gives no answer that counts: {why}", absent=True)

    @abstractmethod
    def look(self, reply: Reply) -> Seen:
        """Return what is seen in an answer that came."""

    def answered(self, reply: Reply) -> str:
        """Return status and time in words, and what they are of where redirects led elsewhere."""
        last = f", led to {clean(reply.hops[-1][1], SHOWN)}," if reply.hops else ""
        return f"{self.how}{last} answered {reply.status} in {human(reply.seconds, 's')}"
