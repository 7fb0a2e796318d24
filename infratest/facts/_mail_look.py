"""What a machine sees of mail servers: SMTP (RFC 5321), IMAP (`_imap`) and POP3 (RFC 1939).

The facts `mail-server` and `mailbox` call it for the controller, and send its text to hosts that have python3, behind
those of `_outside`, `_conversation` and `_imap`: Python 3.6 and later, nothing newer. Nothing is sent, and nothing in a
mailbox is changed: a recipient is asked about without a message behind it, a mailbox is opened for reading.
"""

import sys
from time import time

from infratest.facts._conversation import LINES, Conversation, Odd, Unspoken, answer_all, converse, in_base64, short
from infratest.facts._imap import PASSING, Imap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Smtp:
    """SMTP, as a client."""

    begin_tls = "STARTTLS"

    def __init__(self, talk: Conversation) -> None:
        self.talk = talk
        self.extensions: list[str] = []

    def reply(self) -> "tuple[int, str, list[str]]":
        """Return a reply: its code, its last line whole, and the text of each line. Raises Odd."""
        lines: list[str] = []
        while len(lines) < LINES:
            line = self.talk.line()
            if not line[:3].isdigit() or line[3:4] not in ("", " ", "-"):
                raise Odd(f"it says {short(line)!r}, which is no reply of SMTP")
            lines.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]), line, lines
        raise Odd(f"its reply has more than {LINES} lines")

    def say(self, text: str) -> "tuple[int, str, list[str]]":
        self.talk.send(text)
        return self.reply()

    def greeted(self) -> str:
        code, line, lines = self.reply()
        if code != 220:
            raise Unspoken(f"says {line}")
        return lines[0]

    def look(self) -> None:
        host = self.talk.one.getsockname()[0]
        us = f"[IPv6:{host}]" if ":" in host else f"[{host}]"
        code, line, lines = self.say(f"EHLO {us}")
        if code >= 500:  # an SMTP of before RFC 1869
            code, line, lines = self.say(f"HELO {us}")
            lines = lines[:1]
        if code != 250:
            raise Odd(f"it does not take our hello: {short(line)}")
        self.extensions = lines[1:]

    def start_tls(self) -> None:
        code, line, _ = self.say("STARTTLS")
        if code != 220:
            raise Odd(f"it does not let TLS begin: {short(line)}")

    def log_in(self, user: str, password: str) -> str:
        """Log in, and return why the server refuses it; nothing where it does not. Raises Odd."""
        offered = [word for row in self.extensions if row.upper().startswith("AUTH ") for word in row.upper().split()]
        if "PLAIN" in offered:
            code, line, _ = self.say(f"AUTH PLAIN {in_base64(f'{chr(0)}{user}{chr(0)}{password}')}")
        elif "LOGIN" in offered:
            code, line, _ = self.say("AUTH LOGIN")
            for word in (user, password):
                if code == 334:
                    code, line, _ = self.say(in_base64(word))
        else:
            raise Odd(f"it lets nobody log in by PLAIN or LOGIN, but by: {', '.join(offered[1:]) or 'nothing'}")
        if code not in (235, 535):  # RFC 4954, 6
            raise Odd(f"the login is neither taken nor refused: {short(line)}")
        return "" if code == 235 else short(line)

    def ask(self, question: str) -> "dict[str, Any]":
        kind, _, rest = question.partition(" ")
        if kind != "recipient":
            return {}
        sender, _, recipient = rest.partition(" ")
        stage, (code, line, _) = "sender", self.say(f"MAIL FROM:<{sender.strip('<>')}>")
        if 200 <= code < 300:
            stage, (code, line, _) = "recipient", self.say(f"RCPT TO:<{recipient}>")
        return {"stage": stage, "code": code, "reply": short(line)}

    def leave(self) -> None:
        self.talk.send("QUIT")


class Pop3:
    """POP3, as a client."""

    begin_tls = "STLS"

    def __init__(self, talk: Conversation) -> None:
        self.talk = talk
        self.extensions: list[str] = []

    def response(self) -> str:
        line = self.talk.line()
        if not line.startswith(("+OK", "-ERR", "+ ")):
            raise Odd(f"it says {short(line)!r}, which is no answer of POP3")
        return line

    def say(self, text: str) -> str:
        self.talk.send(text)
        return self.response()

    def greeted(self) -> str:
        line = self.response()
        if not line.startswith("+OK"):
            raise Unspoken(f"says {line}")
        return line[4:]

    def look(self) -> None:
        if not self.say("CAPA").startswith("+OK"):  # a POP3 of before RFC 2449
            return
        rows: list[str] = []
        while len(rows) < LINES:
            line = self.talk.line()
            if line == ".":
                self.extensions = rows
                return
            rows.append(line)
        raise Odd(f"its answer has more than {LINES} lines")

    def start_tls(self) -> None:
        line = self.say("STLS")
        if not line.startswith("+OK"):
            raise Odd(f"it does not let TLS begin: {short(line)}")

    def log_in(self, user: str, password: str) -> str:
        """Log in, and return why the server refuses it; nothing where it does not. Raises Odd."""
        ways = [word for row in self.extensions if row.upper().startswith("SASL ") for word in row.upper().split()]
        if "PLAIN" in ways:
            line = self.say(f"AUTH PLAIN {in_base64(f'{chr(0)}{user}{chr(0)}{password}')}")
        else:
            line = self.say(f"USER {user}")
            line = self.say(f"PASS {password}") if line.startswith("+OK") else line
        words = line[5:]
        if line.startswith("+ ") or (line.startswith("-ERR") and words.upper().startswith(PASSING)):
            raise Odd(f"the login is neither taken nor refused: {short(words)}")
        return "" if line.startswith("+OK") else short(words) or "-ERR"

    def ask(self, question: str) -> "dict[str, Any]":
        if not question.startswith("mailbox"):
            return {}
        line = self.say("STAT")
        if not line.startswith("+OK ") or not line.split()[1].isdigit():
            raise Odd(f"it does not say how many messages there are: {short(line)}")
        return {"there": True, "messages": int(line.split()[1]), "unread": None, "newest": None, "now": time()}

    def leave(self) -> None:
        self.talk.send("QUIT")


PROTOCOLS = {"smtp": Smtp, "imap": Imap, "pop3": Pop3}


def look(place: "dict[str, Any]", seconds: float) -> "dict[str, Any]":
    """Return what a mail server answers to a question.

    Args:
        place: as for `converse`; `kind` of server; `tls`, empty, `begin` or `at once`, whether it is `verified`, by the
        file of `authorities`; `user` and `password`, empty for none; `question`: `greeting`, `recipient FROM TO`,
        `mailbox NAME`.
    """
    return converse(place, seconds, lambda talk, place: held(PROTOCOLS[place["kind"]](talk), place))


def held(one: "Any", place: "dict[str, Any]") -> "dict[str, Any]":
    """Have a conversation by one of the protocols: be greeted, begin TLS, log in, ask, leave. Raises Odd, Unspoken."""
    talk: Conversation = one.talk
    if place["tls"] == "at once":
        talk.secure(place["verified"], place["authorities"])
    try:
        greeting = one.greeted()
    except Odd as error:
        raise Unspoken(str(error)) from None
    one.look()
    if place["tls"] == "begin":
        if not any(each.upper().split()[:1] == [one.begin_tls] for each in one.extensions):
            raise Odd(f"it does not offer {one.begin_tls}: write ?tls=disable behind its address to do without")
        one.start_tls()
        try:
            talk.secure(place["verified"], place["authorities"])
        except Unspoken as error:
            raise Odd(str(error)) from None
        one.look()
    seen: dict[str, Any] = {"greeting": short(greeting), "extensions": [], "login": ""}
    if place["user"]:
        seen["refusal"] = one.log_in(place["user"], place["password"])
        seen["login"] = "refused" if seen["refusal"] else "accepted"
    if seen["login"] != "refused":
        if seen["login"] and place["kind"] == "imap":  # its capabilities are others then
            one.look()
        seen.update(one.ask(place["question"]))
    one.leave()
    return dict(seen, extensions=_bounded(one.extensions))


def _bounded(rows: "list[str]") -> "list[str]":
    return [short(row) for row in rows[:100]]


if __name__ == "__main__":
    answer_all(float(sys.argv[1]), look)
