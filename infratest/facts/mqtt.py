"""The fact `mqtt`: whether an MQTT broker lets us in, what it keeps under a topic, or how long a message takes.
Arguments: its address; `broker`, `kept` or `message`; the topic, else nothing.

What is kept under a topic (retained, as the values of $SYS) is there at once for who subscribes: where nothing came
within some seconds, nothing is kept. A message goes to a topic of its own below the one that is named. From a host it
takes python3, which reads who asks from its standard input. A login or a right that is refused is not known.
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

BROKER, KEPT, MESSAGE = "broker", "kept", "message"
#: Seconds within which what a broker keeps must be there.
AT_ONCE = 3


class Mqtt(Record):
    """What was answered.

    Args:
        message: what is kept under the topic; None where nothing is. cut: whether that is its beginning alone. took:
        seconds of a message there and back. seconds: from before the connection until the answer was there. refused:
        why there is none, in words.
    """

    message: str | None = None
    cut: bool = False
    took: float = 0.0
    seconds: float = 0.0
    refused: str = ""

    def in_words(self) -> str:
        if self.refused:
            return f"no answer: {self.refused}"
        return "answers" if self.message is None else f"keeps {cited(self.message, 200)}"


def mqtt_address(url: str) -> ServiceAddress:
    """Return an address taken apart. Raises UserError."""
    ports = {"mqtt": 1883, "mqtts": 8883}
    address = service_address(url, "MQTT broker", {"mqtt": "mqtt", "mqtts": "mqtts"}, ports, "mqtt://mq:1883")
    if not address.host or address.options or address.name or "\t" in address.password:
        raise UserError(f'the MQTT broker "{address.shown}": expected a host, and a port or nothing')
    return address


def topic_name(text: str) -> str:
    """Return a topic's name. Raises UserError."""
    if not text or not text.isprintable() or "#" in text or "+" in text or len(text.encode()) > 1000:
        raise UserError(f'the topic "{beginning(text, 80)}": a name has one line, without the wildcards # and +')
    return text


NO_PYTHON = f"echo 'python3 is not installed on this host' >&2\nexit {NO_TOOL}"


class MqttFact(LooksForEach, LooksFromController):
    """Brokers and topics."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        from infratest.facts import _mqtt_client
        from infratest.facts._outside_there import by_python, program_with

        return by_python(self.patience_there, NO_PYTHON, program_with(_mqtt_client.__file__), secret=True)

    def words(self, argument: Argument) -> tuple[str, ...]:
        address = mqtt_address(argument[0])
        return ("mqtt", address.host, str(address.port), _more(address, argument))

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

    def _look(self, argument: Argument, deadline: Deadline, connect: Connect) -> Mqtt | FactError:
        from infratest.facts._mqtt_client import mqtt

        address, had = mqtt_address(argument[0]), deadline.at_most(self.patience).left
        outcome, took, words = mqtt(*connect(address.host, address.port), had, _more(address, argument))
        if outcome in (SILENT, MUTE) and had < self.patience and deadline.passed:
            raise DeadlineExceeded(f"{address.shown}: no answer before our own deadline")
        if words == "none" and had < AT_ONCE:
            raise DeadlineExceeded(f"{address.shown}: nothing came before our own deadline")
        return _brokered(outcome, took, words, argument)


def _more(address: ServiceAddress, argument: Argument) -> str:
    """Return what is asked of a broker, and who asks."""
    what, topic = argument[1], argument[2] if len(argument) > 2 else ""
    if what not in (BROKER, KEPT, MESSAGE) or (what == BROKER) == bool(topic):
        raise UserError(f"{what!r} is not asked of an MQTT broker")
    if topic:
        topic_name(topic)
    tls = address.host if address.kind == "mqtts" else ""
    return "\t".join((address.user, address.password, what, topic, str(AT_ONCE), tls))


def _brokered(outcome: str, took: float, words: str, argument: Argument) -> Mqtt | FactError:
    from infratest.facts._mqtt_client import LOCKED

    address = mqtt_address(argument[0])
    if outcome == LOCKED:
        return FactError(f"could not log in to {address.shown}, or may not look there: {words}")
    if outcome == OPEN:
        return _answered(Mqtt(seconds=took), argument[1], words)
    try:
        return Mqtt(seconds=took, refused=unanswered(outcome, words, place_text(address.host, address.port)))
    except FactError as error:
        if outcome not in (FAILED, UNRESOLVED):
            raise
        return error


def _answered(broker: Mqtt, what: str, words: str) -> Mqtt:
    """Return what a broker says with what was asked of it. Raises FactError."""
    try:
        if what == BROKER and not words:
            return broker
        if what == KEPT and words == "none":
            return broker
        if what == KEPT and words.startswith("message\t"):
            message = words.partition("\t")[2]
            return broker.changed(message=message.removesuffix("\t"), cut=message.endswith("\t"))
        if what == MESSAGE and 0 <= float(words) < 1e6:
            return broker.changed(took=float(words))
    except ValueError:
        pass
    raise FactError(f"the answer is not understood: {cited(words, 80)}")
