"""What can be said of the way to an address: how many hops it has, and which routers it passes through.

From the controller unless a sentence says from where. A hop is a router, and the address itself is the last: what is on
the same network is one hop away. Where a router says that the way ends, or nobody knows the name, neither a claim nor
its negation is met; where the address or a router that matters does not answer, it is unknown.
"""

from __future__ import annotations

from infratest.check import CONTROLLER, Check, Measure, Seen
from infratest.cleaning import clean
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.trace import Trace

#: Characters of a way in a reason.
SHOWN = 300


class _OfWay(Check):
    viewpoint = CONTROLLER
    from_others = True

    host: str

    def __post_init__(self) -> None:
        from infratest.facts._server_place import pinged

        pinged(self.host)

    @derived
    def asked(self) -> Need[Trace]:
        return Need("trace", (self.host,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def ended(self, trace: Trace) -> Seen:
        """Return what is seen where the address is not reached. Raises FactError: nobody says that it is not."""
        if trace.nameless:
            return Seen(False, f'the address "{self.host}": {clean(trace.nameless, SHOWN)}', absent=True)
        if trace.stopped:
            words = f'the way to the address "{self.host}" ends: {clean(trace.stopped, SHOWN)}{_by(trace)}'
            return Seen(False, words, absent=True)
        words = f"does not answer datagrams ({clean(trace.silent, SHOWN)}{_by(trace)})"
        raise FactError(f'the address "{self.host}" {words}, so that its way is not known to the end')


@check(
    'the address "{host}" is reached by {bound:count} hop[s]',
    example='the address "10.1.2.3" is reached by at most 3 hops',
)
class AddressHops(_OfWay):
    """The routers on the way to an address, and itself: on the same network it is 1; it must answer datagrams (UDP)."""

    def observe(self, facts: FactValues) -> Seen:
        trace = facts[self.asked]
        if not trace.reached:
            return self.ended(trace)
        number = len(trace.hops)
        words = f'the address "{self.host}" is reached by {number} hop{"s" if number != 1 else ""}{_by(trace)}'
        return Seen(holds=True, saw=words, number=number)

    def measure(self) -> Measure:
        return Measure(label=f"trace {self.host} hops", unit="", minimum=0)


@check(
    'the way to the address "{host}" passes through "{router}"',
    negation='the way to the address "{host}" does not pass through "{router}"',
    example='the way to the address "10.1.2.3" passes through "10.0.0.1"',
)
class WayThrough(_OfWay):
    """A router of this address is on the way; one that does not answer may be it, and then it is not known."""

    router: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _canonical(self.router)

    def observe(self, facts: FactValues) -> Seen:
        trace, router = facts[self.asked], _canonical(self.router)
        between = trace.hops[:-1] if trace.reached else trace.hops
        if router in [_canonical(each) for each in between if each]:
            return Seen(True, f'the way to the address "{self.host}" passes through "{self.router}"{_by(trace)}')
        if not trace.reached:
            return self.ended(trace)
        if "" in between:
            words = f"hop {between.index('') + 1} does not answer, and may be it{_by(trace)}"
            raise FactError(f'whether the way to "{self.host}" passes through "{self.router}" is not known: {words}')
        return Seen(False, f'the way to the address "{self.host}" does not pass through "{self.router}"{_by(trace)}')


def _by(trace: Trace) -> str:
    way = ", ".join(each or "*" for each in trace.hops)
    return f": {clean(way, SHOWN)}" if way else ""


def _canonical(text: str) -> str:
    """Return an address as it is written in one way alone. Raises UserError."""
    from ipaddress import ip_address

    try:
        return str(ip_address(text))
    except ValueError:
        raise UserError(f'"{text}" is not an IPv4 or IPv6 address of a router') from None
