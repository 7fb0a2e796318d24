"""The fact `mail-server`: what an SMTP, IMAP or POP3 server says. Arguments: its address, with who logs in, and the
question: `greeting`, `login` (of which a refusal is an answer), `recipient FROM TO`.

From a host it takes python3. No message is sent: what follows a recipient is never said.
"""

from __future__ import annotations

from infratest.errors import UserError
from infratest.facts._mail import AsksMail
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from infratest.facts.base import Argument

GREETING, LOGIN, RECIPIENT = "greeting", "login", "recipient"


class MailServer(Record):
    """What was said.

    Args:
        greeting: the words that it begins with. extensions: as it writes them, after TLS and login where these are:
        `SIZE 10240000`, `AUTH PLAIN LOGIN`; `IDLE`, `AUTH=PLAIN`; `STLS`, `SASL PLAIN`. seconds: of all together.
        login: `accepted`, `refused`, or empty. stage, code, reply: of a recipient, who was taken or refused last,
        `sender` or `recipient`, and by which reply. refused: why nothing was said, in words.
    """

    greeting: str = ""
    extensions: tuple[str, ...] = ()
    seconds: float = 0.0
    login: str = ""
    refusal: str = ""
    stage: str = ""
    code: int = 0
    reply: str = ""
    refused: str = ""

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The ways to log in by SASL that it offers."""
        rows = [row.upper() for row in self.extensions]
        listed = [word for row in rows if row.startswith(("AUTH ", "SASL ")) for word in row.split()[1:]]
        return (*listed, *(row[5:] for row in rows if row.startswith("AUTH=")))

    def in_words(self) -> str:
        if self.refused:
            return f"no answer: {self.refused}"
        rows = [self.greeting or "(no words)", f"extensions: {', '.join(self.extensions) or 'none'}"]
        if self.login:
            rows.append(f"the login is {self.login}{f': {self.refusal}' if self.refusal else ''}")
        if self.reply:
            rows.append(f"of the {self.stage} it says: {self.reply}")
        return "\n".join(rows)


class MailServerFact(AsksMail):
    """Servers."""

    def question(self, argument: Argument) -> str:
        kind, *rest = argument[1].split(" ")
        if kind not in (GREETING, LOGIN, RECIPIENT) or len(rest) != (2 if kind == RECIPIENT else 0):
            raise UserError(f"{argument[1]!r} is nothing that a mail server is asked")
        return argument[1]

    def login_is_the_question(self, argument: Argument) -> bool:
        return argument[1] == LOGIN

    def refused(self, words: str) -> MailServer:
        return MailServer(refused=words)

    def answered(self, seen: Mapping[str, Any]) -> MailServer:
        if not isinstance(seen["extensions"], list) or seen["login"] not in ("", "accepted", "refused"):
            raise ValueError(seen)
        return MailServer(
            str(seen["greeting"]), tuple([str(each) for each in seen["extensions"]]), float(seen["seconds"]),
            seen["login"], str(seen.get("refusal", "")), str(seen.get("stage", "")), int(seen.get("code", 0)),
            str(seen.get("reply", "")),
        )  # fmt: skip
