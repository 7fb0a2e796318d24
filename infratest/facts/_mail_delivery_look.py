"""What a machine sees of a message that it hands to an SMTP server until it is in a mailbox, from which it is removed.

The fact `mail-delivery` calls it for the controller, and sends its text to hosts that have python3, behind those of
`_outside`, `_conversation`, `_imap` and `_mail_look`: Python 3.6 and later, nothing newer. A message is known by a
field of its own (RFC 5322, 3.6.8). One that came too late for its look is removed by a later one, and no
other message is touched.
"""

import os
import sys
from time import gmtime, monotonic, sleep

from infratest.facts._conversation import Conversation, Odd, answer_all, converse, short
from infratest.facts._imap import MONTHS, Imap, internal_date, mailbox_name
from infratest.facts._mail_look import Smtp, held
from infratest.facts._outside import FAILED, OPEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FIELD = "X-Infratest-Probe"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

#: Seconds that a server has for what it says, between two looks into the mailbox at first and at most, and that are
#: left for removing the message; by which an older message of ours is nobody's any more.
PATIENCE, SOON, LATER, REST, OLD = 6.0, 0.1, 1.0, 1.0, 600.0

#: Messages that are removed at once.
MANY = 100


class Sender(Smtp):
    """SMTP, that hands over a message."""

    def __init__(self, talk: Conversation, token: str) -> None:
        super().__init__(talk)
        self.token = token

    def ask(self, question: str) -> "dict[str, Any]":
        _, sender, recipient = question.split(" ")
        seen = super().ask(f"recipient {sender} {recipient}")
        if not 200 <= seen["code"] < 300:
            return seen
        code, line, _ = self.say("DATA")
        if code == 354:
            code, line, _ = self.say("\r\n".join((*self.message(sender, recipient), ".")))
        return {"stage": "message", "code": code, "reply": short(line), "handed": monotonic()}

    def message(self, sender: str, recipient: str) -> "list[str]":
        """Return its lines. None begins with a dot."""
        year, month, day, hour, minute, second, weekday = gmtime()[:7]
        when = f"{DAYS[weekday]}, {day} {MONTHS[month - 1]} {year} {hour:02}:{minute:02}:{second:02} +0000"
        return [
            f"From: <{recipient if sender == '<>' else sender}>",
            f"To: <{recipient}>",
            f"Date: {when}",
            f"Message-ID: <{self.token}@infratest.invalid>",
            f"Subject: infratest looks whether mail is delivered ({self.token})",
            f"{FIELD}: {self.token}",
            "Auto-Submitted: auto-generated",  # RFC 3834: nobody answers it
            "",
            "This message is removed by whoever sent it.",
        ]


class Watcher(Imap):
    """IMAP, that waits for a message while it is sent. `send` hands it over, and returns what came of that."""

    def __init__(self, talk: Conversation, send: "Any", token: str, end: float) -> None:
        super().__init__(talk)
        self.sending, self.token, self.last = send, token, end

    def ask(self, question: str) -> "dict[str, Any]":
        name = mailbox_name(question.partition(" ")[2])
        status, words, _ = self.say(f"SELECT {name}")
        if status != "OK":
            raise Odd(f"it does not open it: {short(words)}")
        if "[READ-ONLY]" in words.upper():
            raise Odd("it may only be read, and what is delivered could not be removed")
        self.remove(self.left_behind())
        sent = self.sending()
        self.talk.end = max(self.talk.end, monotonic() + REST)  # the time of the other server's is none of this one's
        if "handed" not in sent or not 200 <= sent["code"] < 300:
            return {"sent": sent}
        began, pause = sent["handed"], SOON
        while True:
            self.talk.end = max(self.last, monotonic()) + REST
            here = self.numbers(self.token)
            now = monotonic()
            if here:
                self.remove(here)
                return {"sent": sent, "took": now - began}
            if now >= self.last:
                return {"sent": sent, "waited": now - began}
            sleep(max(0.0, min(pause, self.last - now)))
            pause = min(LATER, 1.5 * pause)

    def numbers(self, text: str) -> "list[str]":
        """Return the unique ids of the messages with this in our field."""
        self.done("NOOP")  # what has come in since is seen from then on: RFC 3501, 7
        _, _, said = self.done(f'UID SEARCH HEADER {FIELD} "{text}"')
        rows = [row.split()[1:] for row in said if row.upper().split()[:1] == ["SEARCH"]]
        if not rows or not all(each.isdigit() for each in rows[-1]):
            raise Odd("it does not say which messages are in it")
        return rows[-1]

    def left_behind(self) -> "list[str]":
        """Return messages of ours for which nobody waits any more, by the server's own times."""
        ours = self.numbers("")[:MANY]
        if not ours:
            return []
        _, _, said = self.done(f"UID FETCH {','.join(ours)} (INTERNALDATE)")
        came = {}
        for row in said:
            words = row.replace("(", " ").replace(")", " ").split()
            if "UID" in words and row.count('"') >= 2:
                came[words[words.index("UID") + 1]] = internal_date(row.split('"')[1])
        return [each for each in ours if each in came and came[each] < max(came.values()) - OLD]

    def remove(self, messages: "list[str]") -> None:
        """Remove them, and nothing else that is marked as deleted. Raises Odd."""
        if not messages:
            return
        those = ",".join(messages)
        self.done(f"UID STORE {those} +FLAGS.SILENT (\\Deleted)")
        if "UIDPLUS" in [each.upper() for each in self.extensions]:  # RFC 4315
            self.done(f"UID EXPUNGE {those}")


def look(place: "dict[str, Any]", seconds: float) -> "dict[str, Any]":
    """Return what became of a message.

    Args:
        place: that of the SMTP server, as for `converse`; `mailbox`: that of the IMAP server; `question`:
        `delivery FROM TO`. seconds: for all together.
    Returns:
        What the SMTP server said, and `took`, the seconds from then on until the message was in the mailbox, or
        `waited`, those after which it was not.
    """
    began, token = monotonic(), os.urandom(8).hex()

    def watch(talk: Conversation, box: "dict[str, Any]") -> "dict[str, Any]":
        last = monotonic() + max(seconds - REST, 0.9 * seconds)  # its turn has come

        def send() -> "dict[str, Any]":
            left = max(0.0, min(PATIENCE, last - monotonic()))
            return converse(place, left, lambda talk, place: held(Sender(talk, token), place))

        return held(Watcher(talk, send, token, last), box)

    seen = converse(place["mailbox"], min(PATIENCE, seconds), watch)
    sent: dict[str, Any] = seen.get("sent", {})
    if sent and sent["outcome"] != OPEN:
        return sent
    words = seen["why"] or ("" if sent else "it refuses the login: {}".format(seen["refusal"]))
    if words:
        return {"outcome": FAILED, "why": f"the mailbox cannot be watched: {words}", "seconds": monotonic() - began}
    return dict(sent, took=seen.get("took"), waited=seen.get("waited"))


if __name__ == "__main__":
    answer_all(float(sys.argv[1]), look)
