"""Addresses of mail servers as sentences write them, and who asks these servers: for the facts about them."""

from __future__ import annotations

from abc import abstractmethod

from infratest.errors import FactError, UserError
from infratest.facts._converses import ConversedAddress, Converses
from infratest.facts._service_address import service_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
    from typing import Any

    from infratest.facts.base import Argument

#: Protocols and their ports; those with an `s` begin with TLS: RFC 8314, 3.
PORTS = {"smtp": 25, "smtps": 465, "imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995}
#: The mailbox that is there for everybody: RFC 9051, 5.1.
USUAL = "INBOX"
EXAMPLE = "smtp://mail.example, imaps://monitor:{param.mail_password}@mail.example or pop3://mail.example:110"


def mail_address(url: str, what: str = "mail server") -> ConversedAddress:
    """Return an address taken apart; its name is a mailbox. Raises UserError."""
    schemes = {each: each for each in PORTS}
    return ConversedAddress(*service_address(url, what, schemes, PORTS, EXAMPLE, deep=True).values())


def mail_protocol(address: ConversedAddress) -> str:
    """Return `smtp`, `imap` or `pop3`."""
    return address.kind.removesuffix("s")


def mailbox_address(url: str) -> ConversedAddress:
    """Return the address of a mailbox. Raises UserError."""
    address = mail_address(url, "mailbox")
    if mail_protocol(address) == "smtp" or not address.user:
        raise UserError(f'the mailbox "{address.shown}": it is read by IMAP or POP3, with a login')
    if mail_protocol(address) == "pop3" and address.name not in ("", USUAL):
        raise UserError(f'the mailbox "{address.shown}": POP3 has one alone, which has no name: ask by IMAP')
    if any(one in address.name for one in "*%") or not address.name.isprintable():
        raise UserError(f'the mailbox "{address.shown}": "{address.name}" names no single mailbox')
    return address


def envelope(text: str) -> str:
    """Return an address of mail as it stands in an envelope. Raises UserError."""
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or not all(32 < ord(one) < 127 and one not in "<>" for one in text):
        raise UserError(f'"{text}": expected an address of mail in ASCII, as ops@example.org')
    return text


class AsksMail(Converses):
    """A fact of which the first argument is an address of a mail server."""

    def program(self) -> ModuleType:
        from infratest.facts import _mail_look

        return _mail_look

    def beneath(self) -> tuple[ModuleType, ...]:
        from infratest.facts import _imap

        return (_imap,)

    def address(self, argument: Argument) -> ConversedAddress:
        return mail_address(argument[0])

    def value(self, argument: Argument, seen: Mapping[str, Any]) -> Any:
        if seen["login"] == "refused" and not self.login_is_the_question(argument):
            return FactError(f"could not log in to {self.address(argument).shown}: {seen['refusal']}")
        return self.answered(seen)

    def login_is_the_question(self, argument: Argument) -> bool:
        """Whether a login that is refused is an answer, too."""
        return False

    @abstractmethod
    def answered(self, seen: Mapping[str, Any]) -> Any:
        """Return what a conversation means in which whoever had to log in could."""
