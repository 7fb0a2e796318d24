"""The fact `mailbox`: how many messages are in a mailbox, and when the last of them came in. Argument: the address of
an IMAP or POP3 server, with who logs in and, of IMAP, the mailbox: `imaps://monitor:{param.p}@mail.example/INBOX`.

From a host it takes python3. A mailbox is opened for reading; no message is fetched, marked or removed.
"""

from __future__ import annotations

from infratest.facts._mail import USUAL, AsksMail, mailbox_address
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from infratest.facts._converses import ConversedAddress
    from infratest.facts.base import Argument


class Mailbox(Record):
    """What is in it.

    Args:
        exists: whether it does. messages, unread: how many; POP3 does not say who has read what. age: seconds since the
        last one came in, by the clock of who looks; None without one, and by POP3. refused: why nothing was said.
    """

    exists: bool = False
    messages: int = 0
    unread: int | None = None
    age: float | None = None
    refused: str = ""

    def in_words(self) -> str:
        from infratest.units import human

        if self.refused:
            return f"no answer: {self.refused}"
        if not self.exists:
            return "no such mailbox"
        words = f"{self.messages} messages"
        words += "" if self.unread is None else f", {self.unread} unread"
        return words if self.age is None else f"{words}, the last came in {human(self.age, 's')} ago"


class MailboxFact(AsksMail):
    """Mailboxes."""

    def address(self, argument: Argument) -> ConversedAddress:
        return mailbox_address(argument[0])

    def question(self, argument: Argument) -> str:
        return f"mailbox {self.address(argument).name or USUAL}"

    def refused(self, words: str) -> Mailbox:
        return Mailbox(refused=words)

    def answered(self, seen: Mapping[str, Any]) -> Mailbox:
        if not seen["there"]:
            return Mailbox()
        newest, unread = seen["newest"], seen["unread"]
        age = None if newest is None else float(seen["now"]) - float(newest)
        return Mailbox(True, int(seen["messages"]), None if unread is None else int(unread), age)
