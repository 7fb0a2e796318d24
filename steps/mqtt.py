"""What can be said of an MQTT broker: that it answers, that messages come through it, and what it keeps under a topic.

From the controller unless a sentence says from where; a host asks by its python3. A password is that of a secret
parameter: `mqtt://monitor:{param.mq_password}@mq:1883`. What a broker keeps (retained messages) has the values of $SYS,
too, which say how it is. A login or a right that is refused is unknown.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen, in_quotes
from infratest.cleaning import clean, literal
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import exact, human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts._service_address import ServiceAddress
    from infratest.facts.base import FactValues
    from infratest.facts.mqtt import Mqtt

#: Characters of an answer in a reason.
SHOWN = 200


class _OfBroker(Check):
    viewpoint = CONTROLLER
    from_others = True

    url: str

    def __post_init__(self) -> None:
        self.address.shown  # noqa: B018 - refuses what is no address

    @derived
    def address(self) -> ServiceAddress:
        from infratest.facts.mqtt import mqtt_address

        return mqtt_address(self.url)

    @property
    def subject(self) -> str:
        return f'the MQTT broker "{self.address.shown}"'

    @derived
    def asked(self) -> Need[Mqtt]:
        return Need("mqtt", (self.url, "broker"))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        broker = facts[self.asked]
        if broker.refused:
            return self.unanswered(f"{self.subject} does not answer: {clean(broker.refused, SHOWN)}")
        return self.look(broker)

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words, absent=True)

    @abstractmethod
    def look(self, broker: Mqtt) -> Seen:
        """Return what is seen in what the broker answers."""


@check(
    'the MQTT broker "{url}" answers',
    negation='the MQTT broker "{url}" does not answer',
    example='the MQTT broker "mqtt://mq:1883" answers',
)
class MqttAnswers(_OfBroker):
    """The broker lets who asks in."""

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words)

    def look(self, broker: Mqtt) -> Seen:
        return Seen(True, f"{self.subject} answers in {human(broker.seconds, 's')}", broker.seconds)


@check(
    'the MQTT broker "{url}" answers in {bound:time}',
    example='the MQTT broker "mqtt://mq:1883" answers in less than 500 ms, warning 200 ms',
)
class MqttTime(MqttAnswers):
    """The time from before the connection until the broker has let us in."""

    def measure(self) -> Measure:
        return Measure(label=f"mqtt {self.address.shown} time", unit="s", minimum=0)


class _OfTopic(_OfBroker):
    topic: str = ""

    def __post_init__(self) -> None:
        from infratest.facts.mqtt import topic_name

        super().__post_init__()
        topic_name(self.topic)


@check(
    'the MQTT broker "{url}" delivers a message below "{topic}" in {bound:time}',
    example='the MQTT broker "mqtt://mq:1883" delivers a message below "infratest" in less than 500 ms, warning 100 ms',
)
class MqttDelivers(_OfTopic):
    """The time of a message there and back, by a topic below this one that nobody else has; nothing of it is kept."""

    @derived
    def asked(self) -> Need[Mqtt]:
        return Need("mqtt", (self.url, "message", self.topic))

    def look(self, broker: Mqtt) -> Seen:
        return Seen(True, f"{self.subject} delivers a message in {human(broker.took, 's')}", broker.took)

    def measure(self) -> Measure:
        return Measure(label=f"mqtt {self.address.shown} delivery", unit="s", minimum=0)


class _OfKept(_OfTopic):
    @derived
    def asked(self) -> Need[Mqtt]:
        return Need("mqtt", (self.url, "kept", self.topic))

    @property
    def words(self) -> str:
        return f'the topic "{self.topic}" of "{self.address.shown}"'

    def look(self, broker: Mqtt) -> Seen:
        if broker.message is None:
            return Seen(holds=False, saw=f"{self.words} has no message that is kept", absent=True)
        return self.seen(broker.message, f"{self.words} has {literal(broker.message, SHOWN)}", broker.cut)

    @abstractmethod
    def seen(self, message: str, words: str, cut: bool) -> Seen:
        """Return what is seen in a message; `cut`: only its beginning is known."""


@check(
    'the topic "{topic}" of "{url}" has a message',
    negation='the topic "{topic}" of "{url}" has no message',
    example='the topic "site/door" of "mqtt://mq" has a message',
)
class TopicKept(_OfKept):
    """The broker keeps a message under the topic (it is retained), and gives it to whoever subscribes."""

    def look(self, broker: Mqtt) -> Seen:
        return super().look(broker).changed(absent=False)

    def seen(self, message: str, words: str, cut: bool) -> Seen:
        return Seen(holds=True, saw=words)


@check(
    'the topic "{topic}" of "{url}" is "{value}"',
    negation='the topic "{topic}" of "{url}" is not "{value}"',
    example='the topic "site/door" of "mqtt://mq" is "closed"',
)
class TopicEqual(_OfKept):
    """The message that the broker keeps under the topic is this text."""

    value: str = ""

    def seen(self, message: str, words: str, cut: bool) -> Seen:
        if cut and self.value.startswith(message):
            raise FactError(f"{self.words} has a message of which only the beginning was looked at")
        return Seen(message == self.value, words)


@check(
    'the topic "{topic}" of "{url}" is {bound:count}',
    example='the topic "$SYS/broker/clients/connected" of "mqtt://mq" is less than 100, warning 80',
)
class TopicNumber(_OfKept):
    """The message that the broker keeps under the topic begins with a number, which is judged: `12`, `345 seconds`."""

    def seen(self, message: str, words: str, cut: bool) -> Seen:
        try:
            number = exact(message.split()[0])
        except (ValueError, IndexError):
            raise FactError(f"{words}, which is no number: {in_quotes(self.topic)}") from None
        return Seen(holds=True, saw=words, number=number)

    def measure(self) -> Measure:
        return Measure(label=f"topic {self.topic}")
