"""`mail: {to: web@example.org, from: infratest@mon-1}`: a message in plain text to an SMTP server (RFC 5321).

A message that is sent twice has the same Message-ID, and all messages of a problem have one reference in common, by
which mail clients put them together. Each recipient is asked about before anything is sent: where some are refused the
others get the message, once. Who is refused for now (greylisting) is tried again for a while. Who is refused for good,
or for longer, does not keep the message from having arrived, and is named as one whom it did not reach.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path

from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.receivers import _words
from infratest.receivers._line import line, loopback, trusting
from infratest.receivers._smtp import Session
from infratest.receivers.base import OF_ENV, Message, Partly, Receiver, Refused
from infratest.web_address import host_and_port

NONE, STARTTLS, TLS = "none", "starttls", "tls"
#: The port of each way: submission, for what begins in clear (RFC 6409), and that of TLS from the start (RFC 8314).
PORTS = {NONE: 25, STARTTLS: 587, TLS: 465}
ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]+(@[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]+)?")
#: Notices of which it is remembered whom they reached, where they did not reach all.
MOST_PARTLY = 1000
#: Seconds for which a recipient is tried again that is refused for now: greylisting asks for 5 to 15 min.
PATIENCE = 1800.0
#: Characters of a line: RFC 5322, 2.1.1.
LONGEST_LINE = 998
#: Problems that one message refers to.
MOST_REFERENCES = 20


@dataclass(frozen=True, kw_only=True)
class Options:
    """To whom, from whom, and by which server."""

    to: str | tuple[str, ...] = field(
        metadata={
            "title": "an address or a list of addresses", "each": "an address",
            "description": "Who gets it, as web@example.org.",
        }
    )  # fmt: skip
    from_: str = field(metadata={"title": "an address", "description": "Whom it is from, as infratest@mon-1."})
    server: str = field(
        default="127.0.0.1:25",
        metadata={"title": "HOST or HOST:PORT", "description": "The SMTP server that takes it."},
    )
    tls: str = field(
        default="",
        metadata={
            "title": "none, starttls or tls", "pattern": r"^(none|starttls|tls)$",
            "description": "Without it none on loopback, which alone may be without, and starttls elsewhere.",
        },
    )  # fmt: skip
    ca: str = field(
        default="",
        metadata={"title": "a path", "source": True, "description": "Authorities to trust instead of the system's."},
    )
    user: str = field(default="", metadata={"title": "a name", "description": "Who logs in; nobody does without it."})
    password: str = field(
        default="",
        metadata={"title": "env:NAME", "pattern": OF_ENV, "description": "As `password-file`, in the environment."},
    )
    password_file: str = field(
        default="",
        metadata={"title": "a path", "source": True, "description": "A file that holds the user's password."},
    )
    digest: float = field(
        default=0.0,
        metadata={"dimension": "time", "low": 0.0, "description": "Gather notices for so long after one was sent."},
    )


@dataclass(frozen=True, slots=True)
class _Partly:
    """A notice that reached some. have: who. since: when that was, in seconds since the epoch."""

    have: frozenset[str]
    since: float


class Mail(Receiver):
    """Plain text by mail."""

    #: By the Message-ID, which many servers and clients show once, and others twice.
    keyed = False
    at_once = 50

    def __init__(self, options: Options, folder: Path) -> None:
        super().__init__(options, folder)
        self.to = (options.to,) if isinstance(options.to, str) else options.to
        for name, addresses in (("to", self.to), ("from", (options.from_,))):
            wrong = next((one for one in addresses if not (one.isprintable() and ADDRESS.fullmatch(one))), None)
            if wrong is not None or not addresses:
                raise UserError(f"{name}: {wrong!r} is no mail address; write it alone, as web@example.org")
        place = host_and_port(options.server)
        if place is None or not options.server.isprintable() or " " in options.server:
            raise UserError(f"server: {options.server!r} is no HOST or HOST:PORT")
        own = NONE if loopback(place[0]) else STARTTLS
        if options.tls not in ("", *PORTS):
            raise UserError(f"tls: expected none, starttls or tls, found {options.tls!r}")
        self.tls = options.tls or own
        if self.tls == NONE and not loopback(place[0]):
            raise UserError(f"tls: none to {place[0]} is read by all on the way; write starttls or tls")
        self.host, self.port = place[0], place[1] or PORTS[self.tls]
        #: Of notices that did not reach all yet, by their keys: others may be in a message with them by the next try.
        self._partly: dict[str, _Partly] = {}

    def describe(self) -> str:
        more = f" and {len(self.to) - 1} more" if len(self.to) > 1 else ""
        return f"mail {self.to[0]}{more} by {self.host}:{self.port}"

    def foresee(self) -> None:
        super().foresee()
        self._login()
        trusting(self._ca)

    @property
    def _ca(self) -> Path | None:
        return self.path(self.options.ca) if self.options.ca else None

    def _login(self) -> tuple[str, str] | None:
        """Return name and password, where somebody logs in. Raises UserError."""
        if self.options.user:
            return self.options.user, self.needed("password")
        if self.secret("password"):
            raise UserError("password: whose it is is missing; add `user:`")
        return None

    def hand_over(self, message: Message, deadline: Deadline) -> str:
        login, mail = self._login(), written(message, self.options.from_, self.to)
        context = trusting(self._ca) if self.tls != NONE else None
        with ExitStack() as stack:
            one = stack.enter_context(line(self.host, self.port, deadline))
            session = stack.enter_context(closing(Session(one, self.describe())))
            with session.failing("it does not greet us"):
                if context is not None and self.tls == TLS:
                    one.secure(context, self.host)
                session.greeted()
                if context is not None and self.tls == STARTTLS:
                    session.start_tls(context, self.host)
                if login is not None:
                    session.log_in(*login)
            return self._send(session, mail, message)

    def _send(self, session: Session, mail: EmailMessage, message: Message) -> str:
        keys, none = [message.key_of(item) for item in message.items], _Partly(frozenset(), message.sent)
        before = [self._partly.get(key, none) for key in keys]
        have, since = frozenset.intersection(*(one.have for one in before)), min(one.since for one in before)
        wide = not all(one.isascii() for one in (*self.to, self.options.from_))
        with session.failing("it does not take the sender"):
            session.sender(self.options.from_, wide)
            refusals = session.recipients([one for one in self.to if one not in have])
        taking = [one for one in self.to if one not in have and one not in refusals]
        if taking:
            session.data(_bytes(mail, wide))
        words = "; ".join(f"{one}: {code} {said}" for one, (code, said) in refusals.items())
        permanent = all(code >= 500 for code, _ in refusals.values())
        if not taking and not have:
            raise Refused(f"{self.describe()}: it does not take it for {words}", permanent=permanent)
        words = f"{self.describe()}: it took it for all but {words}" if refusals else ""
        if permanent or message.sent - since >= PATIENCE:
            for key in keys:
                self._partly.pop(key, None)
            return words
        self._partly.update(dict.fromkeys(keys, _Partly(have | {*taking}, since)))
        while len(self._partly) > MOST_PARTLY:
            del self._partly[next(iter(self._partly))]
        raise Partly(words)


def written(message: Message, sender: str, recipients: tuple[str, ...]) -> EmailMessage:
    """Return a message as mail: RFC 5322, with RFC 3834's mark that nobody answers it."""
    mail = EmailMessage(policy=SMTPUTF8)
    domain = sender.rpartition("@")[2]
    if not domain.isascii() or len(domain) > 30:  # ids are one word, and a long one would be broken over lines
        domain = "infratest.invalid"
    mail["From"] = _address(sender)
    mail["To"] = [_address(one) for one in recipients]
    mail["Subject"] = _words.title(message)
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.sent, UTC))
    mail["Message-ID"] = f"<{_hash(message.key)}@{domain}>"
    problems = dict.fromkeys(f"<{_hash(message.problem_of(item))}@{domain}>" for item in message.items)
    references = list(problems)[:MOST_REFERENCES]
    mail["In-Reply-To"] = references[0]
    mail["References"] = " ".join(references)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_words.text(message), charset="utf-8", cte="quoted-printable")
    return mail


def _bytes(mail: EmailMessage, wide: bool) -> bytes:
    """Return a mail as it is sent. Lines are not broken where nothing asks for it: `Subject:` would stand alone."""
    how = SMTPUTF8 if wide else SMTP
    return mail.as_bytes(policy=how.clone(max_line_length=LONGEST_LINE) if str(mail["Subject"]).isascii() else how)


def _address(text: str) -> Address:
    local, _, domain = text.partition("@")
    return Address(username=local, domain=domain)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]
