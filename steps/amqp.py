"""What can be said of a broker of AMQP 0-9-1, as RabbitMQ: that it answers, its version, that messages come through it.

From the controller unless a sentence says from where; a host asks by its python3. A password is that of a secret
parameter: `amqp://monitor:{param.mq_password}@mq:5672/shop`, whose last part is the virtual host. Without a login it is
`guest`, as of a new broker. A login that is refused is unknown.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen
from infratest.cleaning import beginning, clean
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import counted, human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts._service_address import ServiceAddress
    from infratest.facts.amqp import Brokered
    from infratest.facts.base import FactValues

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
        from infratest.facts.amqp import amqp_address

        return amqp_address(self.url)

    @property
    def subject(self) -> str:
        return f'the AMQP server "{self.address.shown}"'

    @derived
    def asked(self) -> Need[Brokered]:
        return Need("amqp", (self.url, "broker"))

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
    def look(self, broker: Brokered) -> Seen:
        """Return what is seen in what the broker answers."""


@check(
    'the AMQP server "{url}" answers',
    negation='the AMQP server "{url}" does not answer',
    example='the AMQP server "amqp://mq:5672/shop" answers',
)
class AmqpAnswers(_OfBroker):
    """The broker lets who asks in, into the virtual host of the address."""

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words)

    def look(self, broker: Brokered) -> Seen:
        return Seen(True, f"{self.subject} answers in {human(broker.seconds, 's')}", broker.seconds)


@check(
    'the AMQP server "{url}" answers in {bound:time}',
    example='the AMQP server "amqp://mq:5672/shop" answers in less than 500 ms, warning 200 ms',
)
class AmqpTime(AmqpAnswers):
    """The time from before the connection until the broker has let us in."""

    def measure(self) -> Measure:
        return Measure(label=f"amqp {self.address.shown} time", unit="s", minimum=0)


class _OfVersion(_OfBroker):
    version: str

    def __post_init__(self) -> None:
        from infratest.facts.package.versions import refuse_no_version

        super().__post_init__()
        refuse_no_version(self.version)

    def look(self, broker: Brokered) -> Seen:
        from infratest.facts.package.versions import order

        if not broker.version:
            return Seen(False, f"{self.subject} does not say its version", absent=True)
        words = f"{self.subject} is {clean(broker.product, SHOWN)} {clean(broker.version, SHOWN)}"
        return Seen(self.fits(order(broker.version, self.version, "dpkg")), words)

    @abstractmethod
    def fits(self, order: int) -> bool:
        """Whether the claim is so; `order` is less than, equal to or more than 0 as the broker's is to the other."""


@check(
    'the AMQP server "{url}" has version "{version}"',
    negation='the AMQP server "{url}" does not have version "{version}"',
    example='the AMQP server "amqp://mq:5672/shop" has version "3.10.8"',
)
class AmqpVersion(_OfVersion):
    """Exactly this version of the broker."""

    def fits(self, order: int) -> bool:
        return order == 0


@check(
    'the AMQP server "{url}" has at least version "{version}"',
    negation='the AMQP server "{url}" does not have at least version "{version}"',
    example='the AMQP server "amqp://mq:5672/shop" has at least version "3.10"',
)
class AmqpAtLeast(_OfVersion):
    """This version of the broker or a later one."""

    def fits(self, order: int) -> bool:
        return order >= 0


@check(
    'the AMQP server "{url}" delivers a message in {bound:time}',
    example='the AMQP server "amqp://mq:5672/shop" delivers a message in less than 500 ms, warning 100 ms',
)
class AmqpDelivers(_OfBroker):
    """The time of a message into a queue of its own and back; that queue is nobody else's and ends with the look."""

    @derived
    def asked(self) -> Need[Brokered]:
        return Need("amqp", (self.url, "message"))

    def look(self, broker: Brokered) -> Seen:
        return Seen(True, f"{self.subject} delivers a message in {human(broker.took, 's')}", broker.took)

    def measure(self) -> Measure:
        return Measure(label=f"amqp {self.address.shown} delivery", unit="s", minimum=0)


class _OfQueue(_OfBroker):
    """A queue. `name`: before the address, as sentences have it."""

    name: str

    @property
    def words(self) -> str:
        return f'the queue "{self.name}" of "{self.address.shown}"'

    def __post_init__(self) -> None:
        from infratest.errors import UserError

        super().__post_init__()
        if not self.name or not self.name.isprintable() or len(self.name.encode()) > 255:
            raise UserError(f'the queue "{beginning(self.name, 80)}": a name has one line of 1 to 255 bytes')

    @derived
    def asked(self) -> Need[Brokered]:
        return Need("amqp", (self.url, "queue", self.name))

    def look(self, broker: Brokered) -> Seen:
        if not broker.there:
            return self.missing(f"{self.words} does not exist")
        messages, consumers = counted(broker.messages, "message"), counted(broker.consumers, "consumer")
        return self.seen(broker, f"{self.words} has {messages} and {consumers}")

    def missing(self, words: str) -> Seen:
        return Seen(holds=False, saw=words, absent=True)

    @abstractmethod
    def seen(self, queue: Brokered, words: str) -> Seen:
        """Return what is seen in a queue that is there."""

    def label(self, of: str) -> str:
        return f"queue {self.name} {of}"


@check(
    'the queue "{name}" of "{url}" exists',
    negation='the queue "{name}" of "{url}" does not exist',
    example='the queue "orders" of "amqp://mq/shop" exists',
)
class QueueExists(_OfQueue):
    """There is such a queue in the virtual host of the address."""

    def missing(self, words: str) -> Seen:
        return Seen(holds=False, saw=words)

    def seen(self, queue: Brokered, words: str) -> Seen:
        return Seen(holds=True, saw=words)


@check(
    'the queue "{name}" of "{url}" has {bound:count} message[s]',
    example='the queue "orders" of "amqp://mq/shop" has less than 1000 messages, warning 100',
)
class QueueMessages(_OfQueue):
    """How many messages wait in the queue; those that a consumer has and did not confirm are not counted."""

    def seen(self, queue: Brokered, words: str) -> Seen:
        return Seen(holds=True, saw=words, number=queue.messages)

    def measure(self) -> Measure:
        return Measure(label=self.label("messages"), minimum=0)


@check(
    'the queue "{name}" of "{url}" has {bound:count} consumer[s]',
    example='the queue "orders" of "amqp://mq/shop" has at least 2 consumers',
)
class QueueConsumers(_OfQueue):
    """How many take messages out of the queue."""

    def seen(self, queue: Brokered, words: str) -> Seen:
        return Seen(holds=True, saw=words, number=queue.consumers)

    def measure(self) -> Measure:
        return Measure(label=self.label("consumers"), minimum=0)


@check(
    'the queue "{name}" of "{url}" has {bound:count} message[s] per consumer',
    example='the queue "orders" of "amqp://mq/shop" has less than 100 messages per consumer',
)
class QueueShare(_OfQueue):
    """How many messages wait for each consumer; of a queue without consumers there is no such number."""

    def seen(self, queue: Brokered, words: str) -> Seen:
        if not queue.consumers:
            return Seen(holds=False, saw=words, absent=True)
        return Seen(holds=True, saw=words, number=queue.messages / queue.consumers)

    def measure(self) -> Measure:
        return Measure(label=self.label("messages per consumer"), minimum=0)
