"""What can be said of an address: whether one can connect to it, how it greets, and whether it answers ping.

From the controller unless a sentence says from where. A firewall is tested by what it stops: that an address is not
reachable holds on a refusal, on a filter that says so and on silence; where who looks has no way itself, or cannot
look, it is unknown. Of a name that nobody knows neither a claim nor its negation is met.
"""

from __future__ import annotations

from infratest.check import CONTROLLER, Check, Measure, Seen, in_quotes
from infratest.cleaning import clean, literal
from infratest.errors import UserError
from infratest.facts.address import place
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.address import Reach
    from infratest.facts.base import FactValues
    from infratest.facts.greeting import Greeting
    from infratest.facts.ping import Echo

#: Characters of a greeting in a reason.
SHOWN = 200


@check(
    'the address "{address}" is reachable',
    negation='the address "{address}" is not reachable',
    example='the address "db.example:5432" is reachable',
)
class AddressReachable(Check):
    """Who connects is let in, by TCP; by `udp://`, an answer comes. Refused, filtered and silent are not reachable."""

    viewpoint = CONTROLLER
    from_others = True

    address: str
    local: str = ""

    def __post_init__(self) -> None:
        place(self.address)
        if self.local:
            _address(self.local)

    @derived
    def asked(self) -> Need[Reach]:
        text = place(self.address).text
        return Need("address", (text, self.local) if self.local else (text,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        reach = facts[self.asked]
        through = f' through "{self.local}"' if self.local else ""
        words = f'the address "{self.address}"'
        if reach.outcome == "nameless":
            return Seen(False, f"{words} has a name that nobody knows: {clean(reach.words, SHOWN)}", absent=True)
        if reach.outcome != "open":
            why = f"{reach.outcome}: {clean(reach.words, SHOWN)}"
            return Seen(holds=False, saw=f"{words} is not reachable{through}: {why}")
        time = "" if reach.seconds is None else f", after {human(reach.seconds, 's')}"
        return Seen(holds=True, saw=f"{words} is reachable{through}{time}")


@check(
    'the address "{address}" is reachable through "{local}"',
    negation='the address "{address}" is not reachable through "{local}"',
    example='the address "db.example:5432" is reachable through "10.0.0.3"',
)
def address_reachable_through(address: str, local: str) -> AddressReachable:
    """The same, coming from this address of who looks."""
    if not local:
        raise UserError(f'the address "{address}" is reachable through "": write an address of the machine that looks')
    return AddressReachable(address, local)


@check(
    'the address "{address}" is reachable in {bound:time}',
    example='the address "db.example:5432" is reachable in less than 100 ms, warning 50 ms',
)
class AddressTime(AddressReachable):
    """The time until who connects is let in, the look-up of a name included."""

    def observe(self, facts: FactValues) -> Seen:
        seen, seconds = super().observe(facts), facts[self.asked].seconds
        return seen.changed(number=seconds) if seen.holds else seen

    def measure(self) -> Measure:
        return Measure(label=f"address {self.address} time", unit="s", minimum=0)


@check(
    'the address "{address}" greets with "{text}"',
    negation='the address "{address}" does not greet with "{text}"',
    example='the address "db.example:22" greets with "SSH-2.0-OpenSSH"',
)
class AddressGreets(Check):
    """The text occurs in what a TCP service says unasked to who connects: its first line, or all until it rests."""

    viewpoint = CONTROLLER
    from_others = True

    address: str
    text: str

    def __post_init__(self) -> None:
        if place(self.address).kind != "tcp":
            raise UserError(f'the address "{self.address}": over UDP nobody greets')
        if not self.text:
            raise UserError(f'the address "{self.address}" greets with "": write the text that is meant')

    @derived
    def asked(self) -> Need[Greeting]:
        return Need("greeting", (place(self.address).text,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        greeting = facts[self.asked]
        words = f'the address "{self.address}"'
        if not greeting.text:
            return Seen(False, f"{words} does not greet: {clean(greeting.refused, SHOWN)}", absent=True)
        if self.text in greeting.text:
            return Seen(holds=True, saw=f"{words} greets with {in_quotes(self.text)}")
        return Seen(holds=False, saw=f"{words} greets with {literal(greeting.text, SHOWN)}")


@check(
    'the address "{host}" answers ping',
    negation='the address "{host}" does not answer ping',
    example='the address "db.example" answers ping',
)
class AddressPing(Check):
    """One of ten echo requests comes back, or more; without a port, for ICMP has none."""

    viewpoint = CONTROLLER
    from_others = True

    host: str

    def __post_init__(self) -> None:
        from infratest.facts._server_place import pinged

        pinged(self.host)

    @derived
    def asked(self) -> Need[Echo]:
        return Need("ping", (self.host,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        echo = facts[self.asked]
        if echo.nameless:
            return Seen(False, f'the address "{self.host}": {clean(echo.nameless, SHOWN)}', absent=True)
        words = f'of {echo.sent} pings of the address "{self.host}", {echo.received} came back'
        time = "" if echo.seconds is None else f", in {human(echo.seconds, 's')} on average"
        return Seen(holds=echo.received > 0, saw=words + time)


@check(
    'the address "{host}" answers ping in {bound:time}',
    example='the address "db.example" answers ping in less than 50 ms, warning 20 ms',
)
class AddressPingTime(AddressPing):
    """The time of a round trip, on average of ten."""

    def observe(self, facts: FactValues) -> Seen:
        return super().observe(facts).changed(number=facts[self.asked].seconds)

    def measure(self) -> Measure:
        return Measure(label=f"ping {self.host} time", unit="s", minimum=0)


@check(
    'the address "{host}" answers ping with {bound:percent} loss',
    example='the address "db.example" answers ping with less than 5 % loss',
)
class AddressPingLoss(AddressPing):
    """The share of ten echo requests that do not come back; where none does, it does not answer."""

    def observe(self, facts: FactValues) -> Seen:
        seen = super().observe(facts)
        return seen if seen.absent else seen.changed(number=facts[self.asked].loss)

    def measure(self) -> Measure:
        return Measure(label=f"ping {self.host} loss", unit="%", minimum=0, maximum=100)


def _address(text: str) -> None:
    """Refuse what is no IPv4 or IPv6 address. Raises UserError."""
    from ipaddress import ip_address

    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        raise UserError(f'through "{text}": not an IPv4 or IPv6 address') from None
