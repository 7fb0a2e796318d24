"""The fact `amqp`: what a broker of AMQP 0-9-1 (RabbitMQ and its like) says of itself or of a queue, or how long a
message takes through it. Arguments: its address; `broker`, `queue` or `message`; the queue's name, else nothing.

A queue is asked passively: what it holds is neither taken nor seen. A message goes into a queue of its own, which ends
with the connection. From a host it takes python3, which reads who asks from its standard input. A login or a right that
is refused is not known.
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

BROKER, QUEUE, MESSAGE = "broker", "queue", "message"


class Brokered(Record):
    """What was answered.

    Args:
        product, version: of the broker, as it says. there: whether there is such a queue. messages: that wait in it,
        those that a consumer has and did not confirm left out. consumers: of it. took: seconds of a message there and
        back. seconds: from before the connection until the answer was there. refused: why there is none, in words.
    """

    product: str = ""
    version: str = ""
    there: bool = False
    messages: int = 0
    consumers: int = 0
    took: float = 0.0
    seconds: float = 0.0
    refused: str = ""

    def in_words(self) -> str:
        if self.refused:
            return f"no answer: {self.refused}"
        queue = f", a queue with {self.messages} messages and {self.consumers} consumers" if self.there else ""
        return f"{self.product} {self.version}{queue}"


def amqp_address(url: str) -> ServiceAddress:
    """Return an address taken apart; without a login it is that of a new broker. Raises UserError."""
    ports = {"amqp": 5672, "amqps": 5671}
    address = service_address(url, "AMQP server", {"amqp": "amqp", "amqps": "amqps"}, ports, "amqp://mq:5672/shop")
    if not address.host or address.options or "\t" in address.password:
        raise UserError(f'the AMQP server "{address.shown}": expected a host, and a virtual host or nothing')
    return address


NO_PYTHON = f"echo 'python3 is not installed on this host' >&2\nexit {NO_TOOL}"


class AmqpFact(LooksForEach, LooksFromController):
    """Brokers and queues."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        from infratest.facts import _amqp_client
        from infratest.facts._outside_there import by_python, program_with

        return by_python(self.patience_there, NO_PYTHON, program_with(_amqp_client.__file__), secret=True)

    def words(self, argument: Argument) -> tuple[str, ...]:
        address = amqp_address(argument[0])
        return ("amqp", address.host, str(address.port), _more(address, argument))

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        from infratest.facts._outside_there import rows, seconds

        _, answers = rows(self.readable(answer))
        found = {}
        for index, argument in enumerate(arguments, 1):
            if index in answers:
                outcome, took, words = answers[index]
                found[argument] = _brokered(outcome, seconds(took), words, argument)
        return found

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(argument, deadline, connect) for argument in arguments}

    def _look(self, argument: Argument, deadline: Deadline, connect: Connect) -> Brokered | FactError:
        from infratest.facts._amqp_client import amqp

        address, had = amqp_address(argument[0]), deadline.at_most(self.patience).left
        outcome, took, words = amqp(*connect(address.host, address.port), had, _more(address, argument))
        if outcome in (SILENT, MUTE) and had < self.patience and deadline.passed:
            raise DeadlineExceeded(f"{address.shown}: no answer before our own deadline")
        return _brokered(outcome, took, words, argument)


def _more(address: ServiceAddress, argument: Argument) -> str:
    """Return what is asked of a broker, and who asks."""
    user, password = (address.user, address.password) if address.user else ("guest", "guest")
    what, name = argument[1], argument[2] if len(argument) > 2 else ""
    if what not in (BROKER, QUEUE, MESSAGE) or (what == QUEUE) != bool(name):
        raise UserError(f"{what!r} is not asked of an AMQP server")
    if not name.isprintable() or len(name.encode()) > 255:
        raise UserError(
            f'the queue "{beginning(name, 80)}": that is no name of a queue: 255 bytes at most, in one line'
        )
    tls = address.host if address.kind == "amqps" else ""
    return "\t".join((user, password, address.name or "/", what, name, tls))


def _brokered(outcome: str, took: float, words: str, argument: Argument) -> Brokered | FactError:
    from infratest.facts._amqp_client import FAILING, LOCKED

    address, what = amqp_address(argument[0]), argument[1]
    if outcome == LOCKED:
        return FactError(f"could not log in to {address.shown}, or may not look there: {words}")
    if outcome == FAILING:
        return FactError(f"{address.shown} ended the connection: {words}")
    if outcome == OPEN:
        product, version, *rest = words.split("\t")
        return _answered(Brokered(product, version, seconds=took), what, rest, words)
    try:
        return Brokered(seconds=took, refused=unanswered(outcome, words, place_text(address.host, address.port)))
    except FactError as error:
        if outcome not in (FAILED, UNRESOLVED):
            raise
        return error


def _answered(broker: Brokered, what: str, rest: list[str], words: str) -> Brokered:
    """Return what a broker says with what was asked of it. Raises FactError."""
    try:
        if what == BROKER and not rest:
            return broker
        if what == QUEUE and rest == ["none"]:
            return broker
        if what == QUEUE and len(rest) == 1:
            messages, consumers = rest[0].split(" ")
            return broker.changed(there=True, messages=int(messages), consumers=int(consumers))
        if what == MESSAGE and len(rest) == 1 and 0 <= float(rest[0]) < 1e6:
            return broker.changed(took=float(rest[0]))
    except ValueError:
        pass
    raise FactError(f"the answer is not understood: {cited(words, 80)}")
