"""The fact `mail-delivery`: how long a message takes from an SMTP server into a mailbox. Arguments: the address of the
SMTP server, with who logs in there, if anybody; recipient; sender, empty for none; the address of the mailbox, of IMAP.

One small message is sent a look, and removed where it came in; one that came too late, by the next look ten minutes
after. From a host it takes python3.
"""

from __future__ import annotations

from infratest.errors import UserError
from infratest.facts._mail import USUAL, AsksMail, envelope, mail_address, mail_protocol, mailbox_address
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
    from typing import Any

    from infratest.facts._converses import ConversedAddress
    from infratest.facts.base import Argument, Connect


#: Seconds that are not a delivery's own, beside those that a sentence gives it.
HANDING = 10.0


class MailDelivery(Record):
    """What became of a message.

    Args:
        took: seconds from when the server had taken it until it was in the mailbox. waited: seconds after which it was
        not there; one of both is None, and both are where it was not taken. stage, code, reply: what was taken or
        refused last, `sender`, `recipient` or `message`, and by which reply. refused: why nothing was said, in words.
    """

    took: float | None = None
    waited: float | None = None
    stage: str = ""
    code: int = 0
    reply: str = ""
    refused: str = ""

    def in_words(self) -> str:
        from infratest.units import human

        if self.refused:
            return f"no answer: {self.refused}"
        if self.took is not None:
            return f"delivered in {human(self.took, 's')}"
        if self.waited is not None:
            return f"not delivered after {human(self.waited, 's')}"
        return f"of the {self.stage} it says: {self.reply}"


def sending_address(url: str) -> ConversedAddress:
    """Return the address of an SMTP server. Raises UserError."""
    address = mail_address(url)
    if mail_protocol(address) != "smtp" or address.name:
        raise UserError(f'the mail server "{address.shown}": mail is handed to SMTP, as smtp://mail.example')
    return address


def watched_address(url: str) -> ConversedAddress:
    """Return the address of a mailbox that is watched. Raises UserError."""
    address = mailbox_address(url)
    if mail_protocol(address) != "imap":
        raise UserError(f'the mailbox "{address.shown}": it is watched by IMAP, as imaps://')
    return address


class MailDeliveryFact(AsksMail):
    """Messages on their way."""

    def bear(self, seconds: float) -> None:
        """Wait so long for a message, with what it takes to hand it over before, and to remove it behind."""
        super().bear(seconds + HANDING)

    def program(self) -> ModuleType:
        from infratest.facts import _mail_delivery_look

        return _mail_delivery_look

    def beneath(self) -> tuple[ModuleType, ...]:
        from infratest.facts import _imap, _mail_look

        return (_imap, _mail_look)

    def address(self, argument: Argument) -> ConversedAddress:
        return sending_address(argument[0])

    def question(self, argument: Argument) -> str:
        _, recipient, sender, _ = argument
        return f"delivery {envelope(sender) if sender else '<>'} {envelope(recipient)}"

    def place(self, argument: Argument, connect: Connect) -> dict[str, Any]:
        box = watched_address(argument[3])
        watched = box.place(*connect(box.host, box.port), question=f"mailbox {box.name or USUAL}")
        return {**super().place(argument, connect), "mailbox": watched}

    def refused(self, words: str) -> MailDelivery:
        return MailDelivery(refused=words)

    def answered(self, seen: Mapping[str, Any]) -> MailDelivery:
        took, waited = (None if seen.get(name) is None else float(seen[name]) for name in ("took", "waited"))
        if seen["stage"] not in ("sender", "recipient", "message"):
            raise ValueError(seen)
        for seconds in (took, waited):
            if seconds is not None and not 0 <= seconds < 1e6:
                raise ValueError(seen)
        return MailDelivery(took, waited, str(seen["stage"]), int(seen["code"]), str(seen["reply"]))
