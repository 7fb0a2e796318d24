"""What a machine sees of FTP servers (RFC 959, 3659 and 4217), by the control connection alone: no data is moved.

The fact `remote-file` calls it for the controller, and sends its text to hosts that have python3, behind those of
`_outside` and `_conversation`: Python 3.6 and later, nothing newer. Nothing is changed.
"""

import sys
from time import time

from infratest.facts._conversation import LINES, Conversation, Odd, Unspoken, answer_all, converse, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Who logs in where the address has nobody: RFC 1635.
ANONYMOUS = ("anonymous", "infratest@")


class Ftp:
    """FTP, as a client."""

    def __init__(self, talk: Conversation) -> None:
        self.talk = talk

    def reply(self) -> "tuple[int, str, list[str]]":
        """Return a reply: its code, its last line, and those before it. Raises Odd."""
        line = self.talk.line()
        if not line[:3].isdigit() or line[3:4] not in ("", " ", "-"):
            raise Odd(f"it says {short(line)!r}, which is no reply of FTP")
        code, first, lines = line[:3], line, []
        # Lines between may begin with anything: RFC 959, 4.2.
        while first[3:4] == "-" and not (line[:3] == code and line[3:4] in ("", " ")):
            line = self.talk.line()
            lines.append(line)
            if len(lines) > 20 * LINES:
                raise Odd(f"its reply has more than {20 * LINES} lines")
        return int(code), line, lines[:-1]

    def say(self, text: str) -> "tuple[int, str, list[str]]":
        self.talk.send(text)
        return self.reply()

    def greeted(self) -> str:
        code, line, _ = self.reply()
        if code != 220:
            raise Unspoken(f"says {line}")
        return line[4:]

    def goes_on(self) -> None:
        """Have it answer to what is asked, whatever that is: a greeting may be all that is left of a server."""
        code, line, _ = self.say("NOOP")
        if code == 421:  # RFC 959, 4.2: it closes
            raise Unspoken(f"says {line}")

    def start_tls(self) -> None:
        code, line, _ = self.say("AUTH TLS")
        if code != 234:
            words = "write ?tls=disable behind its address to do without"
            raise Odd(f"it does not let TLS begin: {short(line)}: {words}")

    def log_in(self, user: str, password: str) -> str:
        """Log in, and return why the server refuses it; nothing where it does not. Raises Odd."""
        code, line, _ = self.say(f"USER {user}")
        if code != 331:
            if code == 230:
                return ""
            raise Odd(f"it asks for no password, but says {short(line)}")
        code, line, _ = self.say(f"PASS {password}")
        if code not in (230, 202, 530):
            raise Odd(f"the login is neither taken nor refused: {short(line)}")
        return short(line) if code == 530 else ""

    def file(self, path: str) -> "dict[str, Any]":
        """Return what is so of a file. Raises Odd: it cannot be known."""
        code, line, _ = self.say("TYPE I")
        if code != 200:
            raise Odd(f"it does not take TYPE I: {short(line)}")
        code, line, _ = self.say(f"SIZE {path}")
        if code == 550:
            return self._absent(path, line)
        if code != 213 or not line[4:].strip().isdigit():
            raise Odd(f"it does not say how large {short(path)} is: {short(line)}")
        size = int(line[4:])
        code, line, _ = self.say(f"MDTM {path}")
        if code != 213:
            raise Odd(f"it does not say when {short(path)} was changed: {short(line)}")
        return {"there": True, "size": size, "changed": _moment(line[4:].strip()), "now": time()}

    def _absent(self, path: str, words: str) -> "dict[str, Any]":
        """Return that a file is not there, as the first folder above it that may be read says. Raises Odd.

        550 is said of what may not be seen, too, and a folder that may not be read is listed as an empty one: with `-a`
        one that may be has itself in its list.
        """
        whole = path
        while path.strip("/"):
            folder, _, name = path.rpartition("/")
            code, _, rows = self.say(f"STAT -a {folder or '/'}")
            if code not in (211, 212, 213):
                break
            kinds = {row.strip()[:1] for row in rows if row.endswith((f" {name}", f"/{name}")) or f" {name} -> " in row}
            if kinds:
                if kinds == {"d"} and path == whole:
                    return {"there": False, "folder": True}
                if kinds == {"-"} and path != whole:  # nothing is below a file
                    return {"there": False, "folder": False}
                break
            if any(row.rstrip().endswith(" .") for row in rows):
                return {"there": False, "folder": False}
            path = folder
        raise Odd(f"it does not say whether it is there: {short(words)}")

    def leave(self) -> None:
        self.talk.send("QUIT")


def _moment(text: str) -> float:
    """Return seconds since the epoch of a time-val: RFC 3659, 2.3. Raises Odd."""
    from calendar import timegm

    digits = text.partition(".")[0]
    if len(digits) != 14 or not digits.isdigit():
        raise Odd(f"it was changed {short(text)!r}, which is no time")
    parts = [int(digits[:4])] + [int(digits[at : at + 2]) for at in range(4, 14, 2)]
    try:
        return float(timegm(tuple(parts)))
    except (ValueError, OverflowError):
        raise Odd(f"it was changed {short(text)!r}, which is no time") from None


def look(place: "dict[str, Any]", seconds: float) -> "dict[str, Any]":
    """Return what an FTP server answers to a question.

    Args:
        place: as for `converse`; `tls`, empty, `begin` or `at once`, whether it is `verified`, by the file of
        `authorities`; `user` and `password`, empty for none; `question`: `greeting`, `login`, or `file PATH`.
    """
    return converse(place, seconds, _held)


def _held(talk: Conversation, place: "dict[str, Any]") -> "dict[str, Any]":
    one = Ftp(talk)
    if place["tls"] == "at once":
        talk.secure(place["verified"], place["authorities"])
    kind, _, path = place["question"].partition(" ")
    try:
        seen: dict[str, Any] = {"greeting": short(one.greeted()), "login": ""}
        if kind == "greeting" and not place["user"] and place["tls"] != "begin":
            one.goes_on()
    except Odd as error:
        raise Unspoken(str(error)) from None
    if place["tls"] == "begin":
        one.start_tls()
        try:
            talk.secure(place["verified"], place["authorities"])
        except Unspoken as error:
            raise Odd(str(error)) from None
    if place["user"] or kind != "greeting":
        user, password = (place["user"], place["password"]) if place["user"] else ANONYMOUS
        seen["refusal"] = one.log_in(user, password)
        seen["login"] = "refused" if seen["refusal"] else "accepted"
    if kind == "file" and seen["login"] == "accepted":
        seen.update(one.file(path))
    one.leave()
    return seen


if __name__ == "__main__":
    answer_all(float(sys.argv[1]), look)
