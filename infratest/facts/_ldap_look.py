"""What a machine sees of LDAP servers: of RFC 4511 a bind, a search and StartTLS are spoken here, in BER (X.690).

The facts about LDAP call it for the controller, and send its text to hosts that have python3, behind those of
`_outside` and `_conversation`: Python 3.6 and later, nothing newer. Nothing is written, and no referral is followed.
"""

import sys
from base64 import b64encode
from time import sleep

from infratest.facts._conversation import Conversation, Odd, Unspoken, answer_all, converse, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Operations: RFC 4511, 4.2, 4.5, 4.14, 4.1.12.
BIND, BOUND, UNBIND, SEARCH, ENTRY, DONE, REFERENCE = 0x60, 0x61, 0x42, 0x63, 0x64, 0x65, 0x73
EXTENDED, EXTENSION = 0x77, 0x78
START_TLS = b"1.3.6.1.4.1.1466.20037"

#: Result codes: RFC 4511, 4.1.9. Of a login, that it is wrong; of a search, that there is no such entry.
SUCCESS, OPERATIONS_ERROR, INVALID_CREDENTIALS, NO_SUCH_OBJECT = 0, 1, 49, 32
#: Seconds before TLS is asked for again where the server is not ready for it.
AGAIN = (0.02, 0.05, 0.1, 0.2, 0.5, 0.0)
CODES = {
    1: "operations error",
    2: "protocol error",
    3: "time limit exceeded",
    4: "size limit exceeded",
    8: "stronger authentication required",
    10: "referral",
    11: "administrative limit exceeded",
    13: "confidentiality required",
    34: "invalid DN",
    48: "inappropriate authentication",
    49: "invalid credentials",
    50: "insufficient access",
    51: "busy",
    52: "unavailable",
    53: "unwilling to perform",
}

#: Entries that are counted, and values of an attribute that are read.
ENTRIES, VALUES = 100000, 1000


def element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + content


def integer(number: int, tag: int = 0x02) -> bytes:
    return element(tag, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def elements(data: bytes) -> "list[tuple[int, bytes]]":
    """Return the elements that a content is made of. Raises Odd."""
    found, at = [], 0
    while at < len(data):
        head = data[at + 1 : at + 2] or b"\xff"
        more = head[0] & 0x7F if head[0] & 0x80 else 0
        size = int.from_bytes(data[at + 2 : at + 2 + more], "big") if more else head[0]
        start = at + 2 + more
        if more > 4 or start + size > len(data):
            raise Odd("its answer is not understood")
        found.append((data[at], data[start : start + size]))
        at = start + size
    return found


class Ldap:
    """LDAP, as a client."""

    def __init__(self, talk: Conversation) -> None:
        self.talk, self.count = talk, 0

    def send(self, operation: bytes) -> None:
        self.count += 1
        self.talk.send_bytes(element(0x30, integer(self.count) + operation))

    def message(self) -> "tuple[int, bytes]":
        """Return the operation of the next message that is for us: its tag and its content. Raises Odd."""
        head = self.talk.exactly(2)
        if head[0] != 0x30:
            raise Odd(f"it says {short(repr(head))}, which is no LDAP")
        size = head[1]
        if size & 0x80:
            if not 0 < size & 0x7F <= 4:
                raise Odd("its answer is not understood")
            size = int.from_bytes(self.talk.exactly(size & 0x7F), "big")
        parts = elements(self.talk.exactly(size))
        if len(parts) < 2 or parts[0][0] != 0x02:
            raise Odd("its answer is not understood")
        if int.from_bytes(parts[0][1], "big") != self.count:  # a notice of disconnection has 0: RFC 4511, 4.4.1
            raise Odd("it ends the conversation")
        return parts[1]

    def result(self, content: bytes) -> "tuple[int, str]":
        """Return a result's code, and words for it. Raises Odd."""
        parts = elements(content)
        if len(parts) < 3 or parts[0][0] != 0x0A:
            raise Odd("its answer is not understood")
        code = int.from_bytes(parts[0][1], "big")
        text = parts[2][1].decode("utf-8", "replace")
        return code, short(" ".join(each for each in (CODES.get(code, f"result {code}"), text and f"({text})") if each))

    def done(self, tag: int) -> "tuple[int, str]":
        kind, content = self.message()
        if kind != tag:
            raise Odd("its answer is not understood")
        return self.result(content)

    def start_tls(self) -> None:
        for pause in AGAIN:  # OpenLDAP says the result of a search before it counts the search as over
            self.send(element(EXTENDED, element(0x80, START_TLS)))
            code, words = self.done(EXTENSION)
            if code != OPERATIONS_ERROR:
                break
            sleep(pause)
        if code != SUCCESS:
            raise Odd(f"it does not let TLS begin: {words}: write ?tls=disable behind its address to do without")

    def log_in(self, user: str, password: str) -> str:
        """Log in, and return why the server refuses it; nothing where it does not. Raises Odd."""
        name, secret = element(0x04, user.encode("utf-8")), element(0x80, password.encode("utf-8"))
        self.send(element(BIND, integer(3) + name + secret))
        code, words = self.done(BOUND)
        if code not in (SUCCESS, INVALID_CREDENTIALS):
            raise Odd(f"the login is neither taken nor refused: {words}")
        return "" if code == SUCCESS else words

    def search(self, scope: int, condition: bytes, attribute: str, base: str) -> "dict[str, Any]":
        """Return how many entries there are, and the values of an attribute of the first. Raises Odd.

        `referred`: whether some of it is on another server, as this one says.
        """
        limits = integer(0) + integer(0) + element(0x01, b"\0")  # of size and time, as the server has them; values, too
        asked = element(0x04, base.encode("utf-8")) + integer(scope, 0x0A) + integer(0, 0x0A) + limits + condition
        self.send(element(SEARCH, asked + element(0x30, element(0x04, attribute.encode("ascii")))))
        count, referred = 0, False
        values: list[str] = []
        while True:
            kind, content = self.message()
            if kind == ENTRY:
                count += 1
                if count > ENTRIES:
                    raise Odd(f"it has more than {ENTRIES} entries")
                values = self._values(content, attribute) if count == 1 else values
            elif kind == DONE:
                code, words = self.result(content)
                if code == NO_SUCH_OBJECT:
                    return {"there": False}
                if code != SUCCESS:
                    raise Odd(f"it does not say all: {words}")
                return {"there": True, "count": count, "values": values, "referred": referred}
            elif kind == REFERENCE:
                referred = True
            else:
                raise Odd("its answer is not understood")

    def _values(self, content: bytes, attribute: str) -> "list[str]":
        parts = elements(content)
        if len(parts) < 2:
            raise Odd("its answer is not understood")
        values: list[str] = []
        # Whatever came is the attribute that was asked for, which a server may name otherwise: as its schema does (cn
        # for commonName), with its options (;binary), by its subtypes; and it may come in parts. RFC 4512, 2.5.
        for _, row in elements(parts[1][1]):
            pair = elements(row)
            if len(pair) != 2:
                raise Odd("its answer is not understood")
            if b";range=" in pair[0][1].lower():
                raise Odd(f"{attribute} has more values than the server shows at once")
            values += [_text(value) for _, value in elements(pair[1][1])]
        if len(values) > VALUES:
            raise Odd(f"{attribute} has more than the {VALUES} values that are read")
        return values

    def leave(self) -> None:
        self.send(element(UNBIND, b""))


def _text(value: bytes) -> str:
    """Return a value as text; of bytes that are none in base 64, as ldapsearch has them."""
    try:
        return value.decode("utf-8")
    except ValueError:
        return b64encode(value).decode("ascii")


def look(place: "dict[str, Any]", seconds: float) -> "dict[str, Any]":
    """Return what an LDAP server answers to a question.

    Args:
        place: as for `converse`; `tls`, empty, `begin` or `at once`, whether it is `verified`, by the file of
        `authorities`; `user` and `password`, empty for none; `question`: `login`, or `search SCOPE FILTER ATTRIBUTE
        BASE`, the filter in hexadecimal digits of its BER.
    """
    return converse(place, seconds, _held)


def _held(talk: Conversation, place: "dict[str, Any]") -> "dict[str, Any]":
    one = Ldap(talk)
    if place["tls"] == "at once":
        talk.secure(place["verified"], place["authorities"])
    seen: dict[str, Any] = {"login": ""}
    try:
        one.search(0, element(0x87, b"objectClass"), "1.1", "")
    except Odd as error:
        if not str(error).startswith("it does not say all:"):  # who answers that it may not is there
            raise Unspoken(str(error)) from None
    if place["tls"] == "begin":
        one.start_tls()
        try:
            talk.secure(place["verified"], place["authorities"])
        except Unspoken as error:
            raise Odd(str(error)) from None
    if place["user"]:
        seen["refusal"] = one.log_in(place["user"], place["password"])
        seen["login"] = "refused" if seen["refusal"] else "accepted"
    kind, *words = place["question"].split(" ", 4)
    if seen["login"] != "refused" and kind == "search":
        scope, condition, attribute, base = words
        shown = one.search(int(scope), bytes.fromhex(condition), attribute, base)
        if shown.get("referred"):
            raise Odd("some of it is on another server, by its word, where nobody looks")
        if scope == "0" and shown["there"] and not shown["count"]:
            raise Odd("it neither shows the entry nor says that there is none: who asks may not read it")
        seen.update(shown)
    one.leave()
    return seen


if __name__ == "__main__":
    answer_all(float(sys.argv[1]), look)
