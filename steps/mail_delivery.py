"""What can be said of mail on its way: that a message which an SMTP server takes comes into a mailbox, and how soon.

From the controller unless a sentence says from where. Each look sends one small message (from nobody, if the sentence
does not say from whom, so that nobody gets it back), watches the mailbox by IMAP, and removes it there, marked as
deleted where the server cannot remove one alone. No other message is touched. The login of the mailbox is that of its
address, with a secret parameter as password. A mailbox that cannot be watched is unknown, and nothing is sent then.
"""

from __future__ import annotations

from infratest.check import CONTROLLER, Check, Measure, Seen, in_quotes
from infratest.cleaning import clean, literal
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.mail_delivery import MailDelivery

#: Characters of an answer in a reason.
SHOWN = 300


@check(
    'the mail server "{url}" delivers mail for "{recipient}"[ from "{sender}"] to the mailbox "{mailbox}"'
    " in {bound:time}",
    example='the mail server "smtp://mail" delivers mail for "probe@mail.example" to the mailbox '
    '"imaps://probe:{param.mail_password}@mail" in less than 30 s, warning 10 s',
)
class MailDelivered(Check):
    """The time from when the server has taken a message until it is in the mailbox, waited for as its bound says."""

    viewpoint = CONTROLLER
    from_others = True

    url: str
    recipient: str
    mailbox: str
    sender: str = ""

    def __post_init__(self) -> None:
        from infratest.facts._mail import envelope
        from infratest.facts.mail_delivery import watched_address

        watched_address(self.mailbox)
        for each in (self.recipient, self.sender or self.recipient):
            envelope(each)
        self.server  # noqa: B018 - refuses what is no address

    @derived
    def server(self) -> str:
        """The server, as it is shown."""
        from infratest.facts.mail_delivery import sending_address

        return f'the mail server "{sending_address(self.url).shown}"'

    @derived
    def asked(self) -> Need[MailDelivery]:
        return Need("mail-delivery", (self.url, self.recipient, self.sender, self.mailbox))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        from infratest.facts.mail_delivery import watched_address

        mail = facts[self.asked]
        if mail.refused:
            return Seen(False, f"{self.server} does not answer: {clean(mail.refused, SHOWN)}", absent=True)
        what = f"a message for {in_quotes(self.recipient)} by {self.server}"
        where = f'the mailbox "{watched_address(self.mailbox).shown}"'
        if mail.took is not None:
            return Seen(True, f"{what} is in {where} after {human(mail.took, 's')}", mail.took)
        if mail.waited is not None:
            saw = f"{what} is not in {where} after {human(mail.waited, 's')}"
            return Seen(True, saw, mail.waited, most=float("inf"))
        words = f"{self.server} does not take a message for {in_quotes(self.recipient)}: of the {mail.stage} it says"
        if 500 <= mail.code < 600:
            return Seen(False, f"{words} {literal(mail.reply, SHOWN)}", absent=True)
        raise FactError(f"{words} for now {literal(mail.reply, SHOWN)}")

    def measure(self) -> Measure:
        from infratest.facts.mail_delivery import sending_address

        return Measure(label=f"mail {sending_address(self.url).shown} delivery time", unit="s", minimum=0)
