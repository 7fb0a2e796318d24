"""Questions about listening sockets: ports at addresses, and unix sockets.

A listener on a wildcard answers at every address of its family; one on `::` answers at IPv4 addresses too unless it is
limited to IPv6. Where the host could not say whether it is, the answer at an IPv4 address is unknown, not guessed.
"""

from __future__ import annotations

from infratest.checks.base import Check, Seen
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.found import Listener, Listeners

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from ipaddress import IPv4Address, IPv6Address
    from typing import Any

PORTS, UNIX = Need("socket"), Need("unix-socket")
#: How many listeners a reason names.
NAMED = 10


class PortListening(Check):
    """Whether something listens on a port.

    Args:
        protocol: `tcp` or `udp`. address: where it must be reached at; None for any address.
        only: whether nothing may listen on this port at another address.
    """

    port: int
    protocol: str = "tcp"
    address: str | None = None
    only: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise UserError(f"port {self.port}: a port is a whole number from 1 to 65535")
        if self.protocol not in ("tcp", "udp"):
            raise UserError(f"port {self.port}/{self.protocol}: the protocol is tcp or udp")
        if self.address is not None:
            try:
                ip_address(self.address)
            except ValueError:
                raise UserError(f'port {self.port} at "{self.address}": not an IPv4 or IPv6 address') from None

    def needs(self) -> tuple[Need, ...]:
        return (PORTS,)

    @property
    def subject(self) -> str:
        return f"port {self.port}" if self.protocol == "tcp" else f"port {self.port}/{self.protocol}"

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        listeners: Listeners = facts[PORTS]
        here = listeners.on(self.protocol, self.port)
        if not here:
            ports = sorted({one.port for one in listeners if one.kind == self.protocol and one.port is not None})
            return Seen(holds=False, saw=f"{self.subject} is not listening; listening are {_listed(ports)}")
        at = ", ".join(sorted({one.address for one in here}))
        words = f"{self.subject} is listening at {at}"
        if self.address is None:
            return Seen(holds=True, saw=words)
        if self.only:
            wanted = ip_address(self.address)
            return Seen(holds=all(ip_address(one.address) == wanted for one in here), saw=words)
        return Seen(holds=_answers(here, self.address), saw=words)


class UnixListening(Check):
    """Whether a unix socket is bound to a path (or to an abstract name, written `@name`) and waits."""

    path: str

    def needs(self) -> tuple[Need, ...]:
        return (UNIX,)

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        listeners: Listeners = facts[UNIX]
        if self.path in listeners.paths:
            return Seen(holds=True, saw=f'the socket "unix:{self.path}" is listening')
        return Seen(
            holds=False,
            saw=f'the socket "unix:{self.path}" is not listening; listening are {_listed(sorted(listeners.paths))}',
        )


def socket_check(text: str) -> Check:
    """Return the check for `unix:/run/x.sock`, `tcp://127.0.0.1:80`, `udp://53`: testinfra's way to write sockets.

    Raises:
        UserError: it is none of these.
    """
    kind, _, rest = text.partition(":")
    rest = rest.removeprefix("//")
    if kind == "unix" and rest:
        return UnixListening(rest)
    address, _, port = rest.rpartition(":")
    if kind not in ("tcp", "udp") or not port.isdigit():
        raise UserError(
            f'the socket "{text}": expected unix:/PATH, tcp://ADDRESS:PORT, tcp://PORT or the same with udp'
        )
    return PortListening(int(port), kind, address.strip("[]") or None)


def _answers(listeners: Sequence[Listener], address: str) -> bool:
    """Whether one of the listeners of a port answers at an address.

    Raises:
        FactError: it hangs on an IPv6 wildcard of which the host could not say whether it takes IPv4.
    """
    wanted = ip_address(address)
    unsure = False
    for one in listeners:
        bound = ip_address(one.address)
        mapped = getattr(bound, "ipv4_mapped", None)
        if wanted in (bound, mapped) or (bound.is_unspecified and bound.version == wanted.version):
            return True
        if bound.is_unspecified and bound.version == 6 and wanted.version == 4:
            if one.only6 is False:
                return True
            unsure = unsure or one.only6 is None
    if unsure:
        raise FactError("a socket listens on [::], and without ss (iproute2) the host cannot say if it takes IPv4 too")
    return False


def _listed(found: Sequence[object]) -> str:
    """Return the first of them in words, and how many more there are."""
    shown = ", ".join(str(one) for one in found[:NAMED])
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"{shown}{more}" if found else "none"


def ip_address(text: str) -> IPv4Address | IPv6Address:
    """Return an address. Its module is imported here: few sentences name an address, and all would pay for it."""
    from ipaddress import ip_address as parsed

    return parsed(text)
