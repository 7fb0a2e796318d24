"""What can be said of a mailbox, by IMAP or POP3: that it is there, how many messages it has, how old the newest is.

From the controller unless a sentence says from where. Its address has who logs in, with a secret parameter as password,
and of IMAP the name of the mailbox, INBOX without one. Nothing in it is changed; by POP3 nobody else may have it
meanwhile. A login that is refused is unknown.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen
from infratest.cleaning import clean
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts._converses import ConversedAddress
    from infratest.facts.base import FactValues
    from infratest.facts.mailbox import Mailbox

#: Characters of an answer in a reason; seconds that a server's clock may be ahead of the looker's.
SHOWN, AHEAD = 300, 300


class _OfMailbox(Check):
    viewpoint = CONTROLLER
    from_others = True

    url: str

    def __post_init__(self) -> None:
        self.address.shown  # noqa: B018 - refuses what is no address

    @derived
    def address(self) -> ConversedAddress:
        from infratest.facts._mail import mailbox_address

        return mailbox_address(self.url)

    @property
    def subject(self) -> str:
        return f'the mailbox "{self.address.shown}"'

    def of_imap(self, what: str) -> None:
        """Refuse what only IMAP says. Raises UserError."""
        if self.address.kind.startswith("pop3"):
            raise UserError(f"{self.subject}: POP3 does not say {what}: ask by IMAP, as imaps://")

    @derived
    def asked(self) -> Need[Mailbox]:
        return Need("mailbox", (self.url,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        box = facts[self.asked]
        if box.refused:
            words = f"{self.subject} cannot be seen: its server does not answer: {clean(box.refused, SHOWN)}"
            return Seen(holds=False, saw=words, absent=True)
        if not box.exists:
            return self.missing(f"{self.subject} does not exist")
        return self.look(box)

    def missing(self, words: str) -> Seen:
        return Seen(holds=False, saw=words, absent=True)

    @abstractmethod
    def look(self, box: Mailbox) -> Seen:
        """Return what is seen in a mailbox that is there."""


@check(
    'the mailbox "{url}" exists',
    negation='the mailbox "{url}" does not exist',
    example='the mailbox "imaps://monitor:{param.mail_password}@mail.example/Archive" exists',
)
class MailboxExists(_OfMailbox):
    """The server has a mailbox of this name for who logs in; of one that does not answer, nobody knows."""

    def missing(self, words: str) -> Seen:
        return Seen(holds=False, saw=words)

    def look(self, box: Mailbox) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} exists, with {box.messages} messages")


@check(
    'the mailbox "{url}" has {bound:count} message[s]',
    example='the mailbox "imaps://monitor:{param.mail_password}@mail.example" has less than 500 messages, warning 100',
)
class MailboxMessages(_OfMailbox):
    """How many messages are in it."""

    def look(self, box: Mailbox) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} has {box.messages} messages", number=box.messages)

    def measure(self) -> Measure:
        return Measure(label=f"mailbox {self.address.shown} messages", minimum=0)


@check(
    'the mailbox "{url}" has {bound:count} message[s] unread',
    example='the mailbox "imaps://monitor:{param.mail_password}@mail.example" has at most 10 messages unread',
)
class MailboxUnread(_OfMailbox):
    """How many of its messages nobody has read (IMAP's \\Seen)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.of_imap("what was read")

    def look(self, box: Mailbox) -> Seen:
        if box.unread is None:
            raise FactError(f"{self.subject}: its server does not say what is unread")
        return Seen(holds=True, saw=f"{self.subject} has {box.unread} unread messages", number=box.unread)

    def measure(self) -> Measure:
        return Measure(label=f"mailbox {self.address.shown} unread", minimum=0)


@check(
    'the newest message in the mailbox "{url}" is {bound:time} old',
    example='the newest message in the mailbox "imaps://monitor:{param.mail_password}@mail" is less than 1 h old',
)
class MailboxAge(_OfMailbox):
    """The time since the last message came in, as the server has it, by the clock of who looks.

    It is looked for among the last thousand: one that was moved into the mailbox keeps the time at which it came in.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.of_imap("when a message came in")

    def look(self, box: Mailbox) -> Seen:
        if box.age is None:
            return Seen(holds=False, saw=f"{self.subject} has no message", absent=True)
        if box.age < -AHEAD:
            words = f"came in {human(-box.age, 's')} in the future: a clock is wrong"
            raise FactError(f"the newest message in {self.subject} {words}")
        words = f"the newest message in {self.subject} is {human(max(0, box.age), 's')} old"
        return Seen(holds=True, saw=words, number=max(0.0, box.age))

    def measure(self) -> Measure:
        return Measure(label=f"mailbox {self.address.shown} newest", unit="s")
