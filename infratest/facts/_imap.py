"""What a machine says to an IMAP server (RFC 9051, and 3501 before it), and what it understands of the answers.

`_mail_look` and `_mail_delivery_look` are written on it, and its text is sent to hosts before theirs: Python 3.6 and
later, nothing newer. A server may say at any time what it was not asked (RFC 3501, 7), also of other mailboxes: only
what bears the name that was asked for is an answer.
"""

from base64 import b64encode
from time import gmtime, time

from infratest.facts._conversation import LINES, Conversation, Odd, Unspoken, in_base64, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: Messages among which the newest of a mailbox is looked for, from its end; those whose times are asked for at once.
BACK, AT_ONCE = 1000, 400

#: Response codes of RFC 5530 (IMAP) and RFC 3206 (POP3) by which a login fails that may be right.
PASSING = ("[UNAVAILABLE", "[INUSE", "[IN-USE", "[SERVERBUG", "[LIMIT", "[LOGIN-DELAY", "[SYS/", "[PRIVACYREQUIRED")


class Imap:
    """IMAP, as a client."""

    begin_tls = "STARTTLS"

    def __init__(self, talk: Conversation) -> None:
        self.talk, self.count = talk, 0
        self.extensions: list[str] = []

    def response(self) -> str:
        """Return a line, with the literals in it in quotes. Raises Odd."""
        line = self.talk.line()
        while line.endswith("}") and line.rpartition("{")[2][:-1].rstrip("+").isdigit():
            front, _, size = line.rpartition("{")
            literal = self.talk.exactly(int(size[:-1].rstrip("+"))).decode("utf-8", "replace")
            line = front + _quoted(literal) + self.talk.line()
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
            status, words, _ = self.say("AUTHENTICATE PLAIN", in_base64(f"{chr(0)}{user}{chr(0)}{password}"))
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
        return self.mailbox(rest)

    def mailbox(self, name: str) -> "dict[str, Any]":
        """Return what is in a mailbox. Raises Odd."""
        written = mailbox_name(name)
        _, _, said = self.done(f'LIST "" {written}')
        rows = [row[6:].partition(")") for row in said if row.upper().startswith("LIST (")]
        if not rows:
            return {"there": False}
        places = of_name(name, [_behind_sign(rest.lstrip()) for _, _, rest in rows])
        if not places:
            raise Odd(f"it does not say whether there is one, but of {short(rows[-1][2].lstrip())}")
        if all(r"\NONEXISTENT" in rows[place][0].upper() for place in places):
            return {"there": False}
        numbers = self._numbers(name)
        return dict(numbers, there=True, newest=self._newest(written), now=time())

    def _numbers(self, name: str) -> "dict[str, int | None]":
        """Return how many messages there are and how many of them nobody has read. Raises Odd."""
        _, _, said = self.done(f"STATUS {mailbox_name(name)} (MESSAGES UNSEEN)")
        # STATUS NAME (MESSAGES 3 UNSEEN 1)
        rows = [row[7:].strip() for row in said if row.upper().startswith("STATUS ")]
        own = [_word(rows[place])[1].strip("() ").upper().split() for place in of_name(name, rows)]
        numbers = dict(zip(own[-1][::2], own[-1][1::2])) if own else {}  # noqa: B905 - Python 3.6 has no strict
        if "MESSAGES" not in numbers or not all(each.isdigit() for each in numbers.values()):
            others = f", but of {short(rows[-1])}" if rows and not own else ""
            raise Odd(f"it does not say how many messages there are{others}")
        unread = numbers.get("UNSEEN")
        return {"messages": int(numbers["MESSAGES"]), "unread": None if unread is None else int(unread)}

    def _newest(self, name: str) -> "float | None":
        """Return when the newest of the messages came in, of BACK at most; None without any."""
        _, _, said = self.done(f"EXAMINE {name}")
        # What was said of a mailbox that was open before: RFC 7162, 3.2.11.
        closed = [place for place, row in enumerate(said) if row.upper().startswith("OK [CLOSED]")]
        rows = [row.upper().split() for row in said[closed[-1] + 1 if closed else 0 :]]
        counts = [row[0] for row in rows if row[1:] == ["EXISTS"]]
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
        found = [row.split()[1:] for row in said if row.upper().split()[:1] == ["SEARCH"]]
        numbers = [each for row in found for each in row]
        if not found or not all(each.isdigit() for each in numbers):
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


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))


def _word(text: str) -> "tuple[str, str]":
    """Return the word that a text begins with, out of its quotes, and what stands behind it.

    What is not in quotes ends before a parenthesis: there are servers that write a name with blanks so.
    """
    if not text.startswith('"'):
        word, mark, rest = text.partition(" (")
        return word, mark.strip() + rest
    word, at = "", 1
    while at < len(text) and text[at] != '"':
        at += text[at] == "\\"
        word += text[at : at + 1]
        at += 1
    return word, text[at + 1 :].lstrip()


def _behind_sign(text: str) -> str:
    """Return what stands behind the sign that parts the levels of names: `"/" NAME`, or `NIL NAME`."""
    return text[4:] if text.upper().startswith("NIL ") else _word(text)[1]


def of_name(name: str, rows: "list[str]") -> "list[int]":
    """Return the places of the texts that begin with a mailbox's name: as it is, else as servers have it for which
    capital letters are small ones. INBOX is so for all of them: RFC 3501, 5.1.
    """
    begun = [_word(row)[0] for row in rows]
    written = mailbox_name(name)
    names = (name, _word(written)[0])
    exact = [place for place, each in enumerate(begun) if each in names]
    alike = [each.casefold() for each in names]
    return exact or [place for place, each in enumerate(begun) if each.casefold() in alike]


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
