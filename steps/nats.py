"""What can be said of a NATS server: that it answers, that messages come through it, and what JetStream's streams hold.

From the controller unless a sentence says from where; a host asks by its python3. A password or a token is that of a
secret parameter: `nats://monitor:{param.password}@mq`, `nats://:{param.token}@mq`. A login or a right that is refused
is unknown, and so is a stream where JetStream is not.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen
from infratest.cleaning import clean
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import counted, human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts._service_address import ServiceAddress
    from infratest.facts.base import FactValues
    from infratest.facts.nats import Nats

#: Characters of an answer in a reason.
SHOWN = 200


class _OfServer(Check):
    viewpoint = CONTROLLER
    from_others = True

    url: str

    def __post_init__(self) -> None:
        self.address.shown  # noqa: B018 - refuses what is no address

    @derived
    def address(self) -> ServiceAddress:
        from infratest.facts.nats import nats_address

        return nats_address(self.url)

    @property
    def subject(self) -> str:
        return f'the NATS server "{self.address.shown}"'

    @derived
    def asked(self) -> Need[Nats]:
        return Need("nats", (self.url, "server"))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        server = facts[self.asked]
        if server.refused:
            return self.unanswered(f"{self.subject} does not answer: {clean(server.refused, SHOWN)}")
        return self.look(server)

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words, absent=True)

    @abstractmethod
    def look(self, server: Nats) -> Seen:
        """Return what is seen in what the server answers."""


@check(
    'the NATS server "{url}" answers',
    negation='the NATS server "{url}" does not answer',
    example='the NATS server "nats://mq:4222" answers',
)
class NatsAnswers(_OfServer):
    """The server lets who asks in."""

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words)

    def look(self, server: Nats) -> Seen:
        return Seen(True, f"{self.subject} answers in {human(server.seconds, 's')}", server.seconds)


@check(
    'the NATS server "{url}" answers in {bound:time}',
    example='the NATS server "nats://mq:4222" answers in less than 500 ms, warning 200 ms',
)
class NatsTime(NatsAnswers):
    """The time from before the connection until the server has let us in."""

    def measure(self) -> Measure:
        return Measure(label=f"nats {self.address.shown} time", unit="s", minimum=0)


class _OfVersion(_OfServer):
    version: str = ""

    def __post_init__(self) -> None:
        from infratest.facts.package.versions import refuse_no_version

        super().__post_init__()
        refuse_no_version(self.version)

    def look(self, server: Nats) -> Seen:
        from infratest.facts.package.versions import order

        words = f"{self.subject} has version {clean(server.version, SHOWN)}"
        return Seen(self.fits(order(server.version, self.version, "dpkg")), words)

    @abstractmethod
    def fits(self, order: int) -> bool:
        """Whether the claim is so; `order` is less than, equal to or more than 0 as the server's is to the other."""


@check(
    'the NATS server "{url}" has version "{version}"',
    negation='the NATS server "{url}" does not have version "{version}"',
    example='the NATS server "nats://mq:4222" has version "2.9.10"',
)
class NatsVersion(_OfVersion):
    """Exactly this version of the server."""

    def fits(self, order: int) -> bool:
        return order == 0


@check(
    'the NATS server "{url}" has at least version "{version}"',
    negation='the NATS server "{url}" does not have at least version "{version}"',
    example='the NATS server "nats://mq:4222" has at least version "2.9"',
)
class NatsAtLeast(_OfVersion):
    """This version of the server or a later one."""

    def fits(self, order: int) -> bool:
        return order >= 0


@check(
    'the NATS server "{url}" delivers a message in {bound:time}',
    example='the NATS server "nats://mq:4222" delivers a message in less than 500 ms, warning 100 ms',
)
class NatsDelivers(_OfServer):
    """The time of a message there and back, to an inbox that nobody else hears of; nothing of it is kept."""

    @derived
    def asked(self) -> Need[Nats]:
        return Need("nats", (self.url, "message"))

    def look(self, server: Nats) -> Seen:
        return Seen(True, f"{self.subject} delivers a message in {human(server.took, 's')}", server.took)

    def measure(self) -> Measure:
        return Measure(label=f"nats {self.address.shown} delivery", unit="s", minimum=0)


class _OfStream(_OfServer):
    stream: str = ""

    def __post_init__(self) -> None:
        from infratest.facts.nats import stream_name

        super().__post_init__()
        stream_name(self.stream)

    @derived
    def asked(self) -> Need[Nats]:
        return Need("nats", (self.url, "stream", self.stream))

    @property
    def words(self) -> str:
        return f'the stream "{self.stream}" of "{self.address.shown}"'

    def look(self, server: Nats) -> Seen:
        if not server.there:
            return Seen(holds=False, saw=f"{self.words} does not exist", absent=True)
        return self.holding(server)

    @abstractmethod
    def holding(self, stream: Nats) -> Seen:
        """Return what is seen in a stream that exists."""


@check(
    'the stream "{stream}" of "{url}" exists',
    negation='the stream "{stream}" of "{url}" does not exist',
    example='the stream "orders" of "nats://mq" exists',
)
class StreamExists(_OfStream):
    """JetStream has a stream of this name."""

    def look(self, server: Nats) -> Seen:
        return super().look(server).changed(absent=False)

    def holding(self, stream: Nats) -> Seen:
        return Seen(holds=True, saw=f"{self.words} exists")


@check(
    'the stream "{stream}" of "{url}" has {bound:count} message[s]',
    example='the stream "orders" of "nats://mq" has less than 1000 messages, warning 100',
)
class StreamMessages(_OfStream):
    """How many messages the stream keeps."""

    def holding(self, stream: Nats) -> Seen:
        return Seen(True, f"{self.words} has {counted(stream.messages, 'message')}", stream.messages)

    def measure(self) -> Measure:
        return Measure(label=f"stream {self.stream} messages", minimum=0)


@check(
    'the stream "{stream}" of "{url}" has {bound:count} consumer[s]',
    example='the stream "orders" of "nats://mq" has at least 1 consumer',
)
class StreamConsumers(_OfStream):
    """How many consumers the stream has, those that nobody listens to with them."""

    def holding(self, stream: Nats) -> Seen:
        return Seen(True, f"{self.words} has {counted(stream.consumers, 'consumer')}", stream.consumers)

    def measure(self) -> Measure:
        return Measure(label=f"stream {self.stream} consumers", minimum=0)


@check(
    'the stream "{stream}" of "{url}" is {bound:size} in size',
    example='the stream "orders" of "nats://mq" is less than 1 GiB in size',
)
class StreamSize(_OfStream):
    """How much room the stream's messages take."""

    def holding(self, stream: Nats) -> Seen:
        return Seen(True, f"{self.words} is {human(stream.bytes, 'B')} in size", stream.bytes)

    def measure(self) -> Measure:
        return Measure(label=f"stream {self.stream} size", unit="B", minimum=0)
