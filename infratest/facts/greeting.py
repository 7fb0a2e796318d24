"""The fact `greeting`: what a TCP service says unasked to who connects: its first line, or what it has until it rests.
Argument: `tcp://db:5432`.

Servers of SSH, SMTP, IMAP, POP3, FTP and MySQL speak first. From a host it takes python3.
"""

from __future__ import annotations

from infratest.cleaning import cited, decoded
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts import _outside
from infratest.facts._outside import FAILED, MUTE, NAMELESS, OPEN, REFUSED, SILENT, STOPPED, UNRESOLVED
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record
from infratest.web_address import host_and_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect


class Greeting(Record):
    """What was said.

    Args:
        text: as UTF-8, or as latin-1 where it is none; empty where nothing was said. seconds: until it was there.
        refused: why nothing was, in words: nobody let us in, or it lets us in and is silent.
    """

    text: str
    seconds: float = 0.0
    refused: str = ""

    def in_words(self) -> str:
        return self.text or f"nothing: {self.refused}"


NO_PYTHON = f"echo 'python3 is not installed on this host' >&2\nexit {NO_TOOL}"


class GreetingFact(LooksForEach, LooksFromController):
    """Greetings."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        from infratest.facts._outside_there import by_python

        return by_python(self.patience_there, NO_PYTHON)

    def words(self, argument: Argument) -> tuple[str, ...]:
        host, port = _place(argument)
        return ("greeting", host, str(port), "")

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        from infratest.facts._outside_there import rows, seconds

        _, answers = rows(self.readable(answer))
        found = {}
        for index, argument in enumerate(arguments, 1):
            if index in answers:
                outcome, took, rest = answers[index]
                data, _, words = rest.partition(" ")
                found[argument] = _greeting(outcome, seconds(took), _bytes(data), words, argument)
        return found

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(argument, deadline, connect) for argument in arguments}

    def _look(self, argument: Argument, deadline: Deadline, connect: Connect) -> Greeting | FactError:
        address, port = connect(*_place(argument))
        had = deadline.at_most(self.patience).left
        outcome, took, data, words = _outside.greeting(address, port, had)
        if outcome in (SILENT, MUTE) and not data and had < self.patience and deadline.passed:
            raise DeadlineExceeded(f"{argument[0]}: no greeting before our own deadline")
        return _greeting(outcome, took, data, words, argument)


def _place(argument: Argument) -> tuple[str, int]:
    parts = host_and_port(argument[0].removeprefix("tcp://"))
    if parts is None or not parts[1]:
        raise UserError(f"{argument[0]!r} is no address with a port")
    return parts


def _bytes(text: str) -> bytes:
    try:
        return b"" if text == "-" else bytes.fromhex(text)
    except ValueError:
        raise FactError(f"the answer is not understood: a greeting comes as {cited(text, 80)}") from None


def _greeting(outcome: str, took: float, data: bytes, words: str, argument: Argument) -> Greeting | FactError:
    if outcome == OPEN and data:
        text = decoded(data)
        return Greeting(text if "\ufffd" not in text else data.decode("latin-1"), took)
    if outcome == MUTE:
        return Greeting("", took, "it lets us in and says nothing")
    if outcome == NAMELESS:
        return Greeting("", took, f"its name is not known: {words}")
    if outcome in (REFUSED, STOPPED, SILENT):
        return Greeting("", took, f"it is not reachable: {words}")
    if outcome in (FAILED, UNRESOLVED):
        return FactError(f"could not connect to {argument[0]} from here: {words}")
    raise FactError(f"the answer is not understood: {cited(outcome, 80)} is no outcome")
