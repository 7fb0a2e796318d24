"""The fact `route`: the routes of the kernel's main table, IPv4 and IPv6. It has no argument: all are told.

As `ip route` of iproute2 or busybox prints them: ip-route(8).
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import lines, number, without
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Kinds of routes that lead nowhere: what goes there is thrown away, or answered with an error.
NOWHERE = ("blackhole", "unreachable", "prohibit", "throw")
KINDS = ("unicast", "local", "broadcast", "anycast", "multicast", "nat", *NOWHERE)
DEFAULT = {4: "0.0.0.0/0", 6: "::/0"}


class Route(Record):
    """One route.

    Args:
        destination: a network, `10.0.0.0/8`. kind: unicast, blackhole and others. hops: gateway and interface of each
        of its ways, either empty where it has none.
    """

    destination: str
    kind: str = "unicast"
    hops: tuple[tuple[str, str], ...] = ()
    metric: int = 0

    def in_words(self) -> str:
        hops = [(f" by {by}" if by else "") + (f" over {device}" if device else "") for by, device in self.hops]
        kind = "" if self.kind == "unicast" else f" ({self.kind})"
        return f"{self.destination}{' and'.join(hops)}{kind}"


class Routes(tuple[Route, ...]):
    """The routes of a host."""

    def to(self, destination: str) -> list[Route]:
        """Return the routes to just this network; of several those that the kernel takes, with the least metric."""
        here = [one for one in self if one.destination == destination]
        least = min([one.metric for one in here], default=0)
        return [one for one in here if one.metric == least]

    def in_words(self) -> str:
        return f"{len(self)} routes: {', '.join(one.in_words() for one in self)}"


#: A host without IPv6 answers nothing, or that it does not know such a family.
SNIPPET = r"""
echo 4
ip -o -4 route show || exit 1
echo 6
if [ -e /proc/net/if_inet6 ]; then ip -o -6 route show || exit 1; fi
echo done
"""


class RouteFact(Fact):
    """Routes."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return without("ip", "ip (iproute2) is not installed on this host") + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if rows[:1] != ["4"] or "6" not in rows or rows[-1] != "done":
            raise FactError(f"the answer about routes is not understood: {cited(answer.out, 80)}")
        second = rows.index("6")
        routes = [_route(row, 4) for row in rows[1:second]] + [_route(row, 6) for row in rows[second + 1 : -1]]
        return dict.fromkeys(arguments, Routes(routes))


def _route(row: str, family: int) -> Route:
    """Return the route of a line: `default via 10.0.0.1 dev eth0 metric 100`, the hops of several behind `nexthop`.

    Raises:
        FactError: it is not understood.
    """
    first, *hops = (part.split() for part in row.replace("\\", " ").replace("\t", " ").split("nexthop "))
    words = list(first)
    kind = words.pop(0) if words[:1] and words[0] in KINDS else "unicast"
    if not words:
        raise FactError(f"ip answers a route that is not understood: {cited(row, 120)}")
    destination = _network(words[0], family, row)
    own = _after(words[1:])
    metric = number(own["metric"], "a metric") if "metric" in own else 0
    ways = [_after(hop) for hop in hops] or [own]
    found = [(way.get("via", ""), way.get("dev", "")) for way in ways]
    return Route(destination, kind, tuple(one for one in found if any(one)), metric)


def _after(words: Sequence[str]) -> dict[str, str]:
    """Return the words behind `via`, `dev` and `metric`; `via inet6 ADDRESS` names the family first."""
    found = {}
    for place, word in enumerate(words[:-1]):
        if word in ("via", "dev", "metric"):
            follows = words[place + 1 : place + 3]
            found[word] = follows[-1] if follows[0] in ("inet", "inet6") else follows[0]
    return found


def _network(word: str, family: int, row: str) -> str:
    from ipaddress import ip_network

    try:
        network = ip_network(DEFAULT[family] if word == "default" else word)
    except ValueError:
        raise FactError(f"ip answers a route that is not understood: {cited(row, 120)}") from None
    return str(network)
