"""What can be said of routes: what the main table holds, and which way the kernel takes to an address.

A route is that to just the network that is named. Which of all routes an address is sent by, `traffic to` asks.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Seen, in_quotes
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import act, check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.acts.netem import NetemAct
    from infratest.acts.traffic import DropAct
    from infratest.facts.base import FactValues
    from infratest.facts.route import Route, Routes
    from infratest.facts.traffic import Traffic

ROUTES: Need[Routes] = Need("route")

#: The network that every IPv4 address is in; the default route leads there.
DEFAULT = "0.0.0.0/0"


class _OfRoute(Check):
    #: True in the classes that look at a property of the route.
    of_property: ClassVar[bool] = True

    destination: str

    def __post_init__(self) -> None:
        _network(self.destination)

    def needs(self) -> tuple[Need, ...]:
        return (ROUTES,)

    @property
    def subject(self) -> str:
        return "the default route" if self.destination == DEFAULT else f"the route to {in_quotes(self.destination)}"

    def observe(self, facts: FactValues) -> Seen:
        routes = facts[ROUTES].to(_network(self.destination))
        if not routes:
            return Seen(holds=False, saw=f"{self.subject} does not exist", absent=self.of_property)
        return self.look(routes)

    def words(self, routes: list[Route]) -> str:
        return f"{self.subject} exists: {' and '.join(route.in_words() for route in routes)}"

    @abstractmethod
    def look(self, routes: list[Route]) -> Seen:
        """Return what is seen of routes with the same destination and metric."""


@check(
    'the route to "{destination}" exists',
    negation='the route to "{destination}" does not exist',
    example='the route to "10.0.0.0/8" exists',
)
class RouteExists(_OfRoute):
    """The main table has a route to just this network (IPv6's default is `::/0`), by whichever way.

    One that leads nowhere (blackhole, unreachable, prohibit, throw) is none, and of it neither is met.
    """

    of_property = False

    def look(self, routes: list[Route]) -> Seen:
        from infratest.facts.route import NOWHERE

        nowhere = any(route.kind in NOWHERE for route in routes)
        words = f"{self.words(routes)}{', which leads nowhere' if nowhere else ''}"
        return Seen(holds=not nowhere, saw=words, absent=nowhere)


@check(
    "the default route exists",
    negation="the default route does not exist",
    example="the default route exists",
)
def default_route_exists() -> RouteExists:
    """The main table has a default route for IPv4 that leads somewhere; IPv6's is `the route to "::/0"`."""
    return RouteExists(DEFAULT)


@check(
    'the route to "{destination}" goes by "{gateway}"',
    negation='the route to "{destination}" does not go by "{gateway}"',
    example='the route to "10.0.0.0/8" goes by "10.1.0.1"',
)
class RouteGateway(_OfRoute):
    """The gateway of the route to this network, or one of them; of several routes that with the least metric counts."""

    gateway: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _address(self.gateway)

    def look(self, routes: list[Route]) -> Seen:
        gateways = [_address(gateway) for gateway, _ in _hops(self.subject, routes) if gateway]
        return Seen(holds=_address(self.gateway) in gateways, saw=self.words(routes))


@check(
    'the default route goes by "{gateway}"',
    negation='the default route does not go by "{gateway}"',
    example='the default route goes by "10.0.0.1"',
)
def default_route_by(gateway: str) -> RouteGateway:
    """The gateway of the default route, of IPv6 where that is an IPv6 address; of several that of the least metric."""
    return RouteGateway("::/0" if ":" in gateway else DEFAULT, gateway)


@check(
    'the route to "{destination}" goes over "{interface}"',
    negation='the route to "{destination}" does not go over "{interface}"',
    example='the route to "10.0.0.0/8" goes over "eth0"',
)
class RouteInterface(_OfRoute):
    """The interface of the route to this network, or one of them; of several routes that of the least metric counts."""

    interface: str

    def look(self, routes: list[Route]) -> Seen:
        interfaces = [interface for _, interface in _hops(self.subject, routes)]
        return Seen(holds=self.interface in interfaces, saw=self.words(routes))


@check(
    'the default route goes over "{interface}"',
    negation='the default route does not go over "{interface}"',
    example='the default route goes over "eth0"',
)
def default_route_over(interface: str) -> RouteInterface:
    """The interface of the default route for IPv4; of several that of the least metric."""
    return RouteInterface(DEFAULT, interface)


class _OfTraffic(Check):
    #: True in the classes that look at a property of the way.
    of_property: ClassVar[bool] = True

    address: str

    def __post_init__(self) -> None:
        _address(self.address)

    @derived
    def asked(self) -> Need[Traffic]:
        return Need("traffic", (_address(self.address),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        traffic = facts[self.asked]
        subject = f"traffic to {in_quotes(self.address)}"
        if not traffic.known:
            raise FactError(f"{subject}: {traffic.problem}")
        if not traffic.interface:
            return Seen(holds=False, saw=f"{subject} has no route: {traffic.problem}", absent=self.of_property)
        return Seen(holds=self.holds(traffic), saw=f"{subject} goes {traffic.in_words()}")

    @abstractmethod
    def holds(self, traffic: Traffic) -> bool:
        """Whether the claim is so of a way that there is."""


@check(
    'traffic to "{address}" has a route',
    negation='traffic to "{address}" has no route',
    example='traffic to "192.0.2.9" has a route',
)
class TrafficRoute(_OfTraffic):
    """The kernel has a way to this address, by all its tables and rules. Nothing is sent."""

    of_property = False

    def holds(self, traffic: Traffic) -> bool:
        return True


@check(
    'traffic to "{address}" goes by "{gateway}"',
    negation='traffic to "{address}" does not go by "{gateway}"',
    example='traffic to "192.0.2.9" goes by "10.0.0.1"',
)
class TrafficGateway(_OfTraffic):
    """The gateway that the kernel would send to on the way to this address. Nothing is sent."""

    gateway: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _address(self.gateway)

    def holds(self, traffic: Traffic) -> bool:
        return bool(traffic.gateway) and _address(traffic.gateway) == _address(self.gateway)


@check(
    'traffic to "{address}" goes over "{interface}"',
    negation='traffic to "{address}" does not go over "{interface}"',
    example='traffic to "192.0.2.9" goes over "eth0"',
)
class TrafficInterface(_OfTraffic):
    """The interface that the kernel would send over on the way to this address. Nothing is sent."""

    interface: str

    def holds(self, traffic: Traffic) -> bool:
        return traffic.interface == self.interface


@check(
    'traffic to "{address}" has the source "{source}"',
    negation='traffic to "{address}" does not have the source "{source}"',
    example='traffic to "192.0.2.9" has the source "10.0.0.2"',
)
class TrafficSource(_OfTraffic):
    """The address that the kernel would send from on the way to this address. Nothing is sent."""

    source: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _address(self.source)

    def holds(self, traffic: Traffic) -> bool:
        return bool(traffic.source) and _address(traffic.source) == _address(self.source)


def _hops(subject: str, routes: list[Route]) -> list[tuple[str, str]]:
    """Return the ways of routes. Raises FactError where the host did not tell them."""
    hops = [hop for route in routes for hop in route.hops]
    if not hops and any(route.kind == "unicast" for route in routes):
        raise FactError(
            f"{subject} exists, and which way it goes is not known: busybox's ip does not tell several ways"
        )
    return hops


def _network(text: str) -> str:
    """Return a network as routes have it. Raises UserError."""
    from ipaddress import ip_network

    try:
        return str(ip_network(text))
    except ValueError as error:
        raise UserError(f'the route to "{text}": {error}; write a network, 10.0.0.0/8, or an address') from None


def _address(text: str) -> str:
    """Return an address as the kernel writes it. Raises UserError."""
    from ipaddress import ip_address

    try:
        return str(ip_address(text))
    except ValueError:
        raise UserError(f'"{text}" is no IPv4 or IPv6 address, as 10.0.0.1 or fe80::1') from None


@act(
    'traffic from "{source}" to "{to}" is dropped',
    example='traffic from "web-1" to "db:5432" is dropped',
    undo="the rules are removed",
    host="source",
)
def traffic_is_dropped(source: str, to: str) -> DropAct:
    """Drop what a host sends to an address, of one port or of all; refused where its network is this machine's."""
    return _dropped(to)


@act('traffic to "{to}" is dropped', example='traffic to "192.0.2.9" is dropped', undo="the rules are removed")
def traffic_to_is_dropped(to: str) -> DropAct:
    """Drop what the hosts send to a name or an address, of one port or of all."""
    return _dropped(to)


@act(
    "traffic is delayed by {by:time}",
    example="traffic is delayed by 200 ms",
    undo="it goes as it went",
)
def traffic_is_delayed(by: str) -> NetemAct:
    """Delay what goes out by the interface of the default route."""
    from infratest.acts.netem import NetemAct  # a check does not act
    from infratest.units import duration

    return NetemAct("delay", f"{duration(by, 'the delay') * 1000:.0f}ms")


@act("{percent:number} % of traffic is lost", example="10 % of traffic is lost", undo="it goes as it went")
def traffic_is_lost(percent: int) -> NetemAct:
    """Lose a part of what goes out by the interface of the default route; at most half of it."""
    from infratest.acts.netem import NetemAct  # a check does not act

    return NetemAct("loss", f"{percent}%")


def _dropped(to: str) -> DropAct:
    from infratest.acts.traffic import DropAct  # a check does not act

    return DropAct(to)
