"""What a machine sees of mail servers: SMTP (RFC 5321), IMAP (RFC 9051, and 3501 before it) and POP3 (RFC 1939).

The facts `mail-server` and `mailbox` call it for the controller, and send its text to hosts that have python3, behind
those of `_outside` and `_conversation`: Python 3.6 and later, nothing newer. Nothing is sent, and nothing in a mailbox
is changed: a recipient is asked about without a message behind it, a mailbox is opened for reading.
"""

import sys
from base64 import b64encode
from time import gmtime, time

from infratest.facts._conversation import LINES, Conversation, Odd, Unspoken, answer_all, converse, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: Messages among which the newest of a mailbox is looked for, from its end; those whose times are asked for at once.
BACK, AT_ONCE = 1000, 400

#: Response codes of RFC 5530 (IMAP) and RFC 3206 (POP3) by which a login fails that may be right.
PASSING = ("[UNAVAILABLE", "[INUSE", "[IN-USE", "[SERVERBUG", "[LIMIT", "[LOGIN-DELAY", "[SYS/", "[PRIVACYREQUIRED")


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
            code, line, _ = self.say(f"AUTH PLAIN {_base64(f'{chr(0)}{user}{chr(0)}{password}')}")
        elif "LOGIN" in offered:
            code, line, _ = self.say("AUTH LOGIN")
            for word in (user, password):
                if code == 334:
                    code, line, _ = self.say(_base64(word))
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


class Imap:
    """IMAP, as a client."""

    begin_tls = "STARTTLS"

    def __init__(self, talk: Conversation) -> None:
        self.talk, self.count = talk, 0
        self.extensions: list[str] = []

    def response(self) -> str:
        """Return a line, with the literals in it. Raises Odd."""
        line = self.talk.line()
        while line.endswith("}") and line.rpartition("{")[2][:-1].rstrip("+").isdigit():
            size = int(line.rpartition("{")[2][:-1].rstrip("+"))
            line += self.talk.exactly(size).decode("utf-8", "replace") + self.talk.line()
        return line

    def say(self, text: str, *lines: str) -> "tuple[str, str, list[str]]":
        """Send a command, and its lines as the server asks for more. Return how it ended, words, and what was said."""
        self.count += 1
        tag, left = f"a{self.count}", list(lines)
        said: list[str] = []
        self.talk.send(f"{tag} {text}")
        while len(said) < LINES:
            line = self.response()
            if line.startswith("+") and left:
                self.talk.send(left.pop(0))
            elif line.startswith(f"{tag} "):
                status, _, words = line[len(tag) + 1 :].partition(" ")
                if status.upper() not in ("OK", "NO", "BAD"):
                    raise Odd(f"it says {short(line)!r}, which is no end of an answer of IMAP")
                return status.upper(), words, said
            elif line.startswith("* "):
                said.append(line[2:])
            else:
                raise Odd(f"it says {short(line)!r}, which is no answer of IMAP")
        raise Odd(f"its answer has more than {LINES} lines")

    def greeted(self) -> str:
        line = self.response()
        if not line.upper().startswith(("* OK", "* PREAUTH")):
            raise Unspoken(f"says {line}")
        return line[2:]

    def look(self) -> None:
        status, words, said = self.say("CAPABILITY")
        rows = [row.split()[1:] for row in said if row.upper().startswith("CAPABILITY ")]
        if status != "OK" or not rows:
            raise Odd(f"it does not say what it can: {short(words)}")
        self.extensions = rows[-1]

    def start_tls(self) -> None:
        status, words, _ = self.say("STARTTLS")
        if status != "OK":
            raise Odd(f"it does not let TLS begin: {short(words)}")

    def log_in(self, user: str, password: str) -> str:
        """Log in, and return why the server refuses it; nothing where it does not. Raises Odd."""
        able = [each.upper() for each in self.extensions]
        if "AUTH=PLAIN" in able:
            status, words, _ = self.say("AUTHENTICATE PLAIN", _base64(f"{chr(0)}{user}{chr(0)}{password}"))
        elif "LOGINDISABLED" in able:
            raise Odd("it lets nobody log in: LOGINDISABLED")
        else:
            status, words, _ = self.say(f"LOGIN {_quoted(user)} {_quoted(password)}")
        if status == "BAD" or (status == "NO" and words.upper().startswith(PASSING)):
            raise Odd(f"the login is neither taken nor refused: {short(words)}")
        return "" if status == "OK" else short(words) or "NO"

    def ask(self, question: str) -> "dict[str, Any]":
        kind, _, rest = question.partition(" ")
        if kind != "mailbox":
            return {}
        name = mailbox_name(rest)
        _, _, listed = self.done(f'LIST "" {name}')
        if not any(row.upper().startswith("LIST (") and r"\NONEXISTENT" not in row.upper() for row in listed):
            return {"there": False}
        _, _, said = self.done(f"STATUS {name} (MESSAGES UNSEEN)")
        rows = [row.rpartition("(")[2].rstrip(" )").split() for row in said if row.upper().startswith("STATUS ")]
        if not rows or len(rows[-1]) % 2 or not all(each.isdigit() for each in rows[-1][1::2]):
            raise Odd("it does not say how many messages there are")
        numbers = {key.upper(): int(number) for key, number in zip(rows[-1][::2], rows[-1][1::2])}  # noqa: B905
        seen = {"there": True, "messages": numbers.get("MESSAGES"), "unread": numbers.get("UNSEEN")}
        return dict(seen, newest=self._newest(name), now=time())

    def _newest(self, name: str) -> "float | None":
        """Return when the newest of the messages came in, of BACK at most; None without any."""
        _, _, said = self.done(f"EXAMINE {name}")
        counts = [row.split()[0] for row in said if row.upper().endswith(" EXISTS")]
        if not counts or not counts[-1].isdigit():
            raise Odd("it does not say how many messages there are")
        last = int(counts[-1])
        if last == 0:
            return None
        newest = self._came(str(last))
        # What was moved into the mailbox is the last, and keeps the time when it came in. Days are of any zone.
        day = gmtime(newest - 86400)
        since = f"{day.tm_mday}-{MONTHS[day.tm_mon - 1]}-{day.tm_year}"
        _, _, said = self.done(f"SEARCH {max(1, last - BACK + 1)}:{last} SINCE {since}")
        numbers = [each for row in said if row.upper().startswith("SEARCH") for each in row.split()[1:]]
        if not all(each.isdigit() for each in numbers):
            raise Odd("it does not say which messages are in it")
        for first in range(0, len(numbers), AT_ONCE):
            newest = max(newest, self._came(",".join(numbers[first : first + AT_ONCE])))
        return newest

    def _came(self, numbers: str) -> float:
        """Return when the newest of these messages came in. Raises Odd."""
        _, _, said = self.done(f"FETCH {numbers} (INTERNALDATE)")
        dates = [row.split('"')[1] for row in said if "INTERNALDATE" in row.upper() and row.count('"') >= 2]
        if not dates:
            raise Odd("it does not say when its last message came in")
        return max(internal_date(each) for each in dates)

    def done(self, text: str) -> "tuple[str, str, list[str]]":
        """Give a command, and return how it ended, words, and what was said. Raises Odd: it was not done."""
        status, words, said = self.say(text)
        if status != "OK":
            raise Odd(f"it does not do {text.split()[0]}: {short(words)}")
        return status, words, said

    def leave(self) -> None:
        self.talk.send("z LOGOUT")


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
            line = self.say(f"AUTH PLAIN {_base64(f'{chr(0)}{user}{chr(0)}{password}')}")
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


def _base64(text: str) -> str:
    return b64encode(text.encode("utf-8")).decode("ascii")


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))


def mailbox_name(name: str) -> str:
    """Return a mailbox's name as IMAP writes it, in quotes: RFC 3501, 5.1.3."""
    written, run = [], ""
    for one in name + "\0":
        if not 32 <= ord(one) < 127 and one != "\0":
            run += one
            continue
        if run:
            data = b64encode(run.encode("utf-16-be")).decode("ascii").rstrip("=").replace("/", ",")
            written.append(f"&{data}-")
        written.append("&-" if one == "&" else one)
        run = ""
    return _quoted("".join(written)[:-1])


def internal_date(text: str) -> float:
    """Return seconds since the epoch of a date-time: RFC 3501, 9. Raises Odd."""
    from calendar import timegm

    try:
        date, clock, zone = text.split()
        day, month, year = date.split("-")
        hour, minute, second = clock.split(":")
        moment = timegm((int(year), MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second)))
        away = 60 * (60 * int(zone[1:3]) + int(zone[3:5]))
    except ValueError:
        raise Odd(f"its last message came in {short(text)!r}, which is no time") from None
    return float(moment + away if zone[0] == "-" else moment - away)


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
