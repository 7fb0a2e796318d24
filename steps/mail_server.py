"""What can be said of a mail server, SMTP, IMAP or POP3: that it answers, what it offers, for whom it takes mail.

From the controller unless a sentence says from where. An address with a name and a secret
(`imaps://monitor:{param.mail_password}@mail`) logs in first, within TLS that is verified; without one, it is what is
said before TLS, unless `smtps://`, `imaps://`, `pop3s://` or `?tls=verify-full` say otherwise. No message is sent.
A login that is refused, a certificate that is not trusted and an answer that is none are unknown.
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts._converses import ConversedAddress
    from infratest.facts.base import FactValues
    from infratest.facts.mail_server import MailServer

#: Characters of an answer in a reason.
SHOWN = 300

#: Whom a relay that is open to everybody takes mail for: RFC 2606, 3 keeps this domain for such.
STRANGER = "infratest@example.com"


class _OfMail(Check):
    viewpoint = CONTROLLER
    from_others = True

    url: str

    def __post_init__(self) -> None:
        from infratest.facts._mail import mail_protocol

        if self.address.name:
            raise UserError(f"{self.subject}: a mailbox is none of its address; write `the mailbox ...`")
        if mail_protocol(self.address) not in self.protocols():
            raise UserError(f"{self.subject}: that is asked of {' and '.join(self.protocols()).upper()} alone")

    def protocols(self) -> tuple[str, ...]:
        """Return the protocols in which this is asked."""
        return ("smtp", "imap", "pop3")

    @derived
    def address(self) -> ConversedAddress:
        from infratest.facts._mail import mail_address

        return mail_address(self.url)

    @property
    def subject(self) -> str:
        return f'the mail server "{self.address.shown}"'

    def question(self) -> str:
        """Return what the server is asked."""
        return "greeting"

    @derived
    def asked(self) -> Need[MailServer]:
        return Need("mail-server", (self.url, self.question()))

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
    def look(self, server: MailServer) -> Seen:
        """Return what is seen in what the server says."""


@check(
    'the mail server "{url}" answers',
    negation='the mail server "{url}" does not answer',
    example='the mail server "smtp://mail.example" answers',
)
class MailAnswers(_OfMail):
    """Who connects is let in, and greeted as SMTP, IMAP or POP3 does; with a login in the address, logged in."""

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words)

    def look(self, server: MailServer) -> Seen:
        words = f"{self.subject} answers {literal(server.greeting, SHOWN)}, after {human(server.seconds, 's')}"
        return Seen(holds=True, saw=words, number=server.seconds)


@check(
    'the mail server "{url}" answers in {bound:time}',
    example='the mail server "imaps://mail.example" answers in less than 500 ms, warning 200 ms',
)
class MailTime(MailAnswers):
    """The time from before the connection until it has said what it offers, TLS and login included."""

    def measure(self) -> Measure:
        return Measure(label=f"mail {self.address.shown} time", unit="s", minimum=0)


@check(
    'the mail server "{url}" offers the extension "{name}"',
    negation='the mail server "{url}" does not offer the extension "{name}"',
    example='the mail server "smtp://mail.example" offers the extension "STARTTLS"',
)
class MailExtension(_OfMail):
    """An extension of SMTP, a capability of IMAP or POP3 that it says it has; by all of its words, or the first."""

    name: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.name.strip():
            raise UserError(f'{self.subject} offers the extension "": write its name, as STARTTLS')

    def look(self, server: MailServer) -> Seen:
        name = " ".join(self.name.upper().split())
        rows = [" ".join(row.upper().split()) for row in server.extensions]
        holds = any(name in (row, row.partition(" ")[0]) for row in rows)
        return Seen(holds, f"{self.subject} offers {literal(', '.join(server.extensions) or 'no extension', SHOWN)}")


@check(
    'the mail server "{url}" offers the mechanism "{name}"',
    negation='the mail server "{url}" does not offer the mechanism "{name}"',
    example='the mail server "smtp://mail.example:587?tls=verify-full" offers the mechanism "PLAIN"',
)
class MailMechanism(_OfMail):
    """Who logs in may do so by this mechanism of SASL: PLAIN, LOGIN, SCRAM-SHA-256, XOAUTH2 ..."""

    name: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.name or not self.name.replace("-", "").replace("_", "").isalnum():
            raise UserError(f'{self.subject} offers the mechanism "{self.name}": write its name, as PLAIN')

    def look(self, server: MailServer) -> Seen:
        offered = server.mechanisms
        words = f"{self.subject} offers the mechanisms {literal(', '.join(offered) or 'none', SHOWN)}"
        return Seen(self.name.upper() in offered, words)


@check(
    'the mail server "{url}" limits messages to {bound:size}',
    example='the mail server "smtp://mail.example" limits messages to at least 10 MiB',
)
class MailSize(_OfMail):
    """How large a message it takes (SIZE, RFC 1870); of one that names no limit there is none to compare."""

    def protocols(self) -> tuple[str, ...]:
        return ("smtp",)

    def look(self, server: MailServer) -> Seen:
        rows = [row.split() for row in server.extensions if row.upper().split()[:1] == ["SIZE"]]
        if not rows or rows[0][1:] in ([], ["0"]):
            return Seen(False, f"{self.subject} names no limit of a message's size", absent=True)
        if not rows[0][1].isascii() or not rows[0][1].isdigit():
            raise FactError(f"{self.subject} says {literal(' '.join(rows[0]), SHOWN)}, which is no size")
        size = float(rows[0][1])
        return Seen(True, f"{self.subject} limits messages to {human(size, 'B')}", number=size)

    def measure(self) -> Measure:
        return Measure(label=f"mail {self.address.shown} size limit", unit="B", minimum=0)


@check(
    'the mail server "{url}" accepts the login',
    negation='the mail server "{url}" does not accept the login',
    example='the mail server "imaps://monitor:{param.mail_password}@mail.example" accepts the login',
)
class MailLogin(_OfMail):
    """The server lets the name and the secret of the address in. A failure that may pass is unknown."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.address.user:
            raise UserError(f"{self.subject} accepts the login: its address has none: write NAME:{{param.NAME}}@")

    def question(self) -> str:
        return "login"

    def look(self, server: MailServer) -> Seen:
        if server.login == "accepted":
            return Seen(True, f"{self.subject} accepts the login")
        return Seen(False, f"{self.subject} does not accept the login: {literal(server.refusal, SHOWN)}")


class _OfRecipient(_OfMail):
    def protocols(self) -> tuple[str, ...]:
        return ("smtp",)

    @abstractmethod
    def envelope(self) -> tuple[str, str]:
        """Return the sender, empty for none, and the recipient."""

    def question(self) -> str:
        sender, recipient = self.envelope()
        return f"recipient {sender or '<>'} {recipient}"

    def taken(self, server: MailServer) -> Seen:
        """Return whether a recipient is taken. Raises FactError: the server says neither that nor the contrary."""
        sender, recipient = self.envelope()
        whom = f'the sender "{sender}"' if server.stage == "sender" else in_quotes(recipient)
        if not server.reply or not (200 <= server.code < 300 or 500 <= server.code < 600):
            words = f"for now it says of {whom} {literal(server.reply, SHOWN)}"
            raise FactError(f"{self.subject} neither accepts nor refuses mail for {in_quotes(recipient)}: {words}")
        holds = server.code < 300 and server.stage == "recipient"
        verb = "accepts" if holds else "does not accept"
        words = f"{self.subject} {verb} mail for {in_quotes(recipient)}: of {whom} it says"
        return Seen(holds, f"{words} {literal(server.reply, SHOWN)}")


@check(
    'the mail server "{url}" accepts mail for "{recipient}"[ from "{sender}"]',
    negation='the mail server "{url}" does not accept mail for "{recipient}"[ from "{sender}"]',
    example='the mail server "smtp://mail.example" accepts mail for "ops@example.org" from "anna@example.net"',
)
class MailRecipient(_OfRecipient):
    """The server takes this recipient, from the sender or from nobody (`<>`). No message follows; put off: unknown."""

    recipient: str
    sender: str = ""

    def __post_init__(self) -> None:
        from infratest.facts._mail import envelope

        super().__post_init__()
        for each in (self.recipient, self.sender or self.recipient):
            envelope(each)

    def envelope(self) -> tuple[str, str]:
        return self.sender, self.recipient

    def look(self, server: MailServer) -> Seen:
        return self.taken(server)


@check(
    'the mail server "{url}" relays for strangers',
    negation='the mail server "{url}" does not relay for strangers',
    example='the mail server "smtp://mail.example" does not relay for strangers',
)
class MailRelay(_OfRecipient):
    """An open relay: it takes mail for a domain that is not its own (example.com), from who looks, without a login.

    What it trusts the looker for, strangers may not have: look from where nobody is trusted. A refusal for another
    reason than relaying says nothing of it.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.address.user:
            raise UserError(f"{self.subject} relays for strangers: who logs in is none; write its address alone")

    def envelope(self) -> tuple[str, str]:
        return "", STRANGER

    def look(self, server: MailServer) -> Seen:
        # Postfix may put off what it does not relay, as Debian sets it (defer_unauth_destination in postconf(5)).
        if server.stage == "recipient" and 400 <= server.code < 500 and "relay access denied" in server.reply.lower():
            return Seen(False, f"{self.subject} does not relay for strangers: it says {literal(server.reply, SHOWN)}")
        taken = self.taken(server)
        if taken.holds:
            words = f"of {STRANGER} it says {literal(server.reply, SHOWN)}"
            return Seen(True, f"{self.subject} relays for strangers: {words}")
        # RFC 3463, 3.8: X.7.1 is a delivery that is not authorised; Exim says it in words alone.
        reply = server.reply.lower()
        if " 5.7." not in reply and "relay" not in reply:
            words = 'ask whether it accepts mail for an address that is not its own: `does not accept mail for "..."`'
            raise FactError(f"{taken.saw}, which does not speak of relaying; {words}")
        return Seen(False, f"{self.subject} does not relay for strangers: it says {literal(server.reply, SHOWN)}")
