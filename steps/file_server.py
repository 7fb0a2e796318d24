"""What can be said of a server of files (FTP, SFTP): that it answers, and lets in who logs in.

From the controller unless a sentence says from where. An address with a name and a secret
(`ftp://monitor:{param.ftp_password}@files`) logs in within TLS that is verified, unless it says `?tls=disable`. Of
`sftp://` the host key must be known: it is asked from the controller alone.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen
from infratest.cleaning import clean, literal
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts._converses import ConversedAddress
    from infratest.facts.base import FactValues
    from infratest.facts.remote_file.address import SftpAddress
    from infratest.facts.remote_file.value import RemoteFile

#: Characters of an answer in a reason.
SHOWN = 300


class _OfFileServer(Check):
    viewpoint = CONTROLLER
    from_others = True

    url: str

    def __post_init__(self) -> None:
        from infratest.facts.remote_file.address import SftpAddress

        if isinstance(self.address, SftpAddress) and self.question() != "login":
            words = "`accepts the login`, or that `the SSH server` answers"
            raise UserError(f"{self.subject} answers: SFTP says nothing before a login: ask whether it {words}")
        if self.address.name:
            raise UserError(f"{self.subject}: a file is none of its address; write `the remote file ...`")

    @derived
    def address(self) -> ConversedAddress | SftpAddress:
        from infratest.facts.remote_file.address import file_address

        return file_address(self.url)

    @property
    def subject(self) -> str:
        return f'the file server "{self.address.shown}"'

    def question(self) -> str:
        """Return what the server is asked."""
        return "greeting"

    @derived
    def asked(self) -> Need[RemoteFile]:
        return Need("remote-file", (self.url, self.question()))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        server = facts[self.asked]
        if server.refused:
            return self.unanswered(f"{self.subject} does not answer: {clean(server.refused, SHOWN)}")
        return self.look(server)

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words, absent=True)

    @abstractmethod
    def look(self, server: RemoteFile) -> Seen:
        """Return what is seen in what the server says."""


@check(
    'the file server "{url}" answers',
    negation='the file server "{url}" does not answer',
    example='the file server "ftp://files.example" answers',
)
class FileServerAnswers(_OfFileServer):
    """Who connects is let in, and greeted as FTP does; with a login in the address, logged in."""

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words)

    def look(self, server: RemoteFile) -> Seen:
        words = f"{self.subject} answers {literal(server.greeting, SHOWN)}, after {human(server.seconds, 's')}"
        return Seen(holds=True, saw=words, number=server.seconds)


@check(
    'the file server "{url}" answers in {bound:time}',
    example='the file server "ftp://files.example" answers in less than 500 ms, warning 100 ms',
)
class FileServerTime(FileServerAnswers):
    """The time from before the connection until it has greeted, TLS and login included."""

    def measure(self) -> Measure:
        return Measure(label=f"file server {self.address.shown} time", unit="s", minimum=0)


@check(
    'the file server "{url}" accepts the login',
    negation='the file server "{url}" does not accept the login',
    example='the file server "ftp://monitor:{param.ftp_password}@files.example" accepts the login',
)
class FileServerLogin(_OfFileServer):
    """The server lets the name and the secret of the address in; without one, `anonymous`. Put off is unknown."""

    def question(self) -> str:
        return "login"

    def look(self, server: RemoteFile) -> Seen:
        if server.login == "accepted":
            return Seen(True, f"{self.subject} accepts the login")
        return Seen(False, f"{self.subject} does not accept the login: {literal(server.refusal, SHOWN)}")
