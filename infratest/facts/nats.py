"""The fact `nats`: whether a NATS server lets us in, how long a message takes, or what a stream of JetStream holds.
Arguments: its address; `server`, `message` or `stream`; the stream's name, else nothing.

A message goes to an inbox of our own, of which nobody else hears. From a host it takes python3, which reads who asks
from its standard input. A login or a right that is refused is not known, and no stream is where JetStream is not.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts._outside import FAILED, MUTE, OPEN, SILENT, UNRESOLVED
from infratest.facts._server_place import place_text, unanswered
from infratest.facts._service_address import ServiceAddress, service_address
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect

SERVER, MESSAGE, STREAM = "server", "message", "stream"
#: The port that NATS servers listen at, with TLS as without.
PORT = 4222


class Nats(Record):
    """What was answered.

    Args:
        version: the server's. there: whether there is such a stream, and of it messages, bytes and consumers. took:
        seconds of a message there and back. seconds: from before the connection until the answer was there. refused:
        why there is none, in words.
    """

    version: str = ""
    there: bool = False
    messages: int = 0
    bytes: int = 0
    consumers: int = 0
    took: float = 0.0
    seconds: float = 0.0
    refused: str = ""

    def in_words(self) -> str:
        if self.refused:
            return f"no answer: {self.refused}"
        stream = f", a stream of {self.messages} messages and {self.consumers} consumers" if self.there else ""
        return f"NATS {self.version}{stream}"


def nats_address(url: str) -> ServiceAddress:
    """Return an address taken apart. Raises UserError."""
    kinds = {"nats": "nats", "tls": "tls"}
    address = service_address(url, "NATS server", kinds, dict.fromkeys(kinds, PORT), "nats://mq:4222")
    if not address.host or address.options or address.name or "\t" in address.password:
        raise UserError(f'the NATS server "{address.shown}": expected a host, and a port or nothing')
    return address


def stream_name(text: str) -> str:
    """Return a stream's name: what JetStream lets one have. Raises UserError."""
    if not text or len(text) > 255 or not text.isprintable() or any(one in " .*>/\\" for one in text):
        raise UserError(f'the stream "{beginning(text, 80)}": a name has no blank, and none of . * > / and backslash')
    return text


NO_PYTHON = f"echo 'python3 is not installed on this host' >&2\nexit {NO_TOOL}"


class NatsFact(LooksForEach, LooksFromController):
    """Servers and streams."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        from infratest.facts import _nats_client
        from infratest.facts._outside_there import by_python, program_with

        return by_python(self.patience_there, NO_PYTHON, program_with(_nats_client.__file__), secret=True)

    def words(self, argument: Argument) -> tuple[str, ...]:
        address = nats_address(argument[0])
        return ("nats", address.host, str(address.port), _more(address, argument))

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        from infratest.facts._outside_there import rows, seconds

        _, answers = rows(self.readable(answer))
        found = {}
        for index, argument in enumerate(arguments, 1):
            if index in answers:
                outcome, took, words = answers[index]
                found[argument] = _answer(outcome, seconds(took), words, argument)
        return found

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(argument, deadline, connect) for argument in arguments}

    def _look(self, argument: Argument, deadline: Deadline, connect: Connect) -> Nats | FactError:
        from infratest.facts._nats_client import nats

        address, had = nats_address(argument[0]), deadline.at_most(self.patience).left
        outcome, took, words = nats(*connect(address.host, address.port), had, _more(address, argument))
        if outcome in (SILENT, MUTE) and had < self.patience and deadline.passed:
            raise DeadlineExceeded(f"{address.shown}: no answer before our own deadline")
        return _answer(outcome, took, words, argument)


def _more(address: ServiceAddress, argument: Argument) -> str:
    """Return what is asked of a server, and who asks."""
    what, stream = argument[1], argument[2] if len(argument) > 2 else ""
    if what not in (SERVER, MESSAGE, STREAM) or (what == STREAM) != bool(stream):
        raise UserError(f"{what!r} is not asked of a NATS server")
    if stream:
        stream_name(stream)
    tls = "tls" if address.kind == "tls" else ""
    return "\t".join((address.user, address.password, what, stream, tls, address.host))


def _answer(outcome: str, took: float, words: str, argument: Argument) -> Nats | FactError:
    from infratest.facts._nats_client import LOCKED

    address = nats_address(argument[0])
    if outcome == LOCKED:
        return FactError(f"could not log in to {address.shown}, or may not look there: {words}")
    if outcome == OPEN:
        return _answered(argument[1], took, words)
    try:
        return Nats(seconds=took, refused=unanswered(outcome, words, place_text(address.host, address.port)))
    except FactError as error:
        if outcome not in (FAILED, UNRESOLVED):
            raise
        return error


def _answered(what: str, took: float, words: str) -> Nats:
    """Return what a server says with what was asked of it. Raises FactError."""
    version, *more = words.split("\t")
    server = Nats(version=version, seconds=took)
    try:
        if what == SERVER and version and not more:
            return server
        if what == MESSAGE and len(more) == 1 and 0 <= float(more[0]) < 1e6:
            return server.changed(took=float(more[0]))
        if what == STREAM and more == ["none"]:
            return server
        if what == STREAM and len(more) == 3 and all(one.isdecimal() and one.isascii() for one in more):
            messages, size, consumers = map(int, more)
            return server.changed(there=True, messages=messages, bytes=size, consumers=consumers)
    except ValueError:
        pass
    raise FactError(f"the answer is not understood: {cited(words, 80)}")
