"""What can be said of listening sockets: ports at addresses, and unix sockets.

A listener on a wildcard answers at every address of its family; one on `::` answers at IPv4 addresses too unless it is
limited to IPv6. One that is bound to an interface answers at the addresses of that interface alone. `::ffff:127.0.0.1`
is the IPv4 address in it. A unix socket answers at every path that leads to its file, as long as the file is there.
Where the host could not say what it hangs on, the answer is unknown, not guessed.
"""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address, IPv6Address

    from infratest.facts.base import FactValues
    from infratest.facts.file import File
    from infratest.facts.real_path import RealPath
    from infratest.facts.socket import Listener, Listeners
    from infratest.facts.unix_socket import UnixListener, UnixListeners

    Address = IPv4Address | IPv6Address

PORTS: Need[Listeners] = Need("socket")
UNIX: Need[UnixListeners] = Need("unix-socket")

LOOPBACK = "lo"
FAMILIES = {"IPv4": 4, "IPv6": 6}

#: How many listeners a reason names.
NAMED = 10


@check(
    "port {port:number} is listening",
    negation="port {port:number} is not listening",
    example="port 80 is listening",
)
class PortListening(Check):
    """Something listens on this TCP port, at whatever address.

    Args:
        protocol: `tcp` or `udp`. address: where it must be reached at; None for any address.
        only: whether nothing may listen on this port at another address.
        family: `IPv4` or `IPv6` where what is listened at must be an address of it.
    """

    port: int
    protocol: str = "tcp"
    address: str | None = None
    only: bool = False
    family: str = ""

    def __post_init__(self) -> None:
        if self.family not in ("", *FAMILIES):
            raise UserError(f"port {self.port} at an {self.family} address: addresses are of IPv4 or IPv6")
        if not 0 < self.port < 65536:
            raise UserError(f"port {self.port}: a port is a whole number from 1 to 65535")
        if self.protocol not in ("tcp", "udp"):
            raise UserError(f"port {self.port}/{self.protocol}: the protocol is tcp or udp")
        if self.address is not None:
            try:
                ip_address(self.address.partition("%")[0])
            except ValueError:
                raise UserError(f'port {self.port} at "{self.address}": not an IPv4 or IPv6 address') from None

    def needs(self) -> tuple[Need, ...]:
        return (PORTS,)

    @property
    def subject(self) -> str:
        return f"port {self.port}" if self.protocol == "tcp" else f"port {self.port}/{self.protocol}"

    def observe(self, facts: FactValues) -> Seen:
        listeners = facts[PORTS]
        here = listeners.on(self.protocol, self.port)
        if not here:
            ports = sorted({one.port for one in listeners if one.kind == self.protocol})
            return Seen(holds=False, saw=f"{self.subject} is not listening; listening are {_listed(ports)}")
        at = ", ".join(sorted({_shown(one) for one in here}))
        words = f"{self.subject} is listening at {at}"
        if self.address is None:
            return _of_family(here, FAMILIES[self.family], words) if self.family else Seen(holds=True, saw=words)
        if self.only:
            place, scope = _place(self.address), self.address.partition("%")[2]
            there = [_place(one.address) == place and scope in ("", one.interface) for one in here]
            return Seen(holds=all(there), saw=words)
        return Seen(holds=_answers(here, self.address), saw=words)


@check(
    'port {port:number} is listening at "{address}"',
    negation='port {port:number} is not listening at "{address}"',
    example='port 80 is listening at "127.0.0.1"',
)
def port_listening_at(port: int, address: str) -> PortListening:
    """Whoever connects to this address gets to a TCP listener: one at the address or at a wildcard of its family."""
    return PortListening(port, address=address)


@check(
    'port {port:number} is listening only at "{address}"',
    negation='port {port:number} is not listening only at "{address}"',
    example='port 5432 is listening only at "127.0.0.1"',
)
def port_listening_only_at(port: int, address: str) -> PortListening:
    """The TCP port listens at this address and at no other, wildcards included."""
    return PortListening(port, address=address, only=True)


@check(
    "port {port:number} is listening at an {family:word} address",
    negation="port {port:number} is not listening at an {family:word} address",
    example="port 80 is listening at an IPv6 address",
)
def port_listening_by_family(port: int, family: str) -> PortListening:
    """A TCP listener is bound to an address of this family; of `::` that takes IPv4 too, IPv4 is neither so nor not."""
    return PortListening(port, family=family)


@check(
    "port {port:number}/{protocol:word} is listening",
    negation="port {port:number}/{protocol:word} is not listening",
    example="port 53/udp is listening",
)
def protocol_port_listening(port: int, protocol: str) -> PortListening:
    """Something listens on this port of tcp or udp, at whatever address."""
    return PortListening(port, protocol)


@check(
    'port {port:number}/{protocol:word} is listening at "{address}"',
    negation='port {port:number}/{protocol:word} is not listening at "{address}"',
    example='port 53/udp is listening at "127.0.0.1"',
)
def protocol_port_listening_at(port: int, protocol: str, address: str) -> PortListening:
    """Whoever sends to this address gets to a listener of tcp or udp."""
    return PortListening(port, protocol, address)


@check(
    'port {port:number}/{protocol:word} is listening only at "{address}"',
    negation='port {port:number}/{protocol:word} is not listening only at "{address}"',
    example='port 53/udp is listening only at "127.0.0.1"',
)
def protocol_port_listening_only_at(port: int, protocol: str, address: str) -> PortListening:
    """The port of tcp or udp listens at this address and at no other, wildcards included."""
    return PortListening(port, protocol, address, only=True)


@check(
    "port {port:number}/{protocol:word} is listening at an {family:word} address",
    negation="port {port:number}/{protocol:word} is not listening at an {family:word} address",
    example="port 53/udp is listening at an IPv4 address",
)
def protocol_port_listening_by_family(port: int, protocol: str, family: str) -> PortListening:
    """A listener of tcp or udp is bound to an address of this family; of `::` that takes both, as it is of TCP."""
    return PortListening(port, protocol, family=family)


class UnixListening(Check):
    """Whether who connects to a path (or to an abstract name, written `@name`) gets to a unix socket that waits."""

    spare = ("real-path",)

    path: str

    def __post_init__(self) -> None:
        if not self.path.startswith("@"):
            absolute(self.path)

    def needs(self) -> tuple[Need, ...]:
        return (UNIX,) if self.path.startswith("@") else (UNIX, self.file, self.real)

    @derived
    def file(self) -> Need[File]:
        return Need("file", (absolute(self.path),))

    @derived
    def real(self) -> Need[RealPath]:
        return Need("real-path", (absolute(self.path),))

    def observe(self, facts: FactValues) -> Seen:
        listeners = facts[UNIX]
        subject = f'the socket "unix:{self.path}"'
        # Whoever was bound under this very path, and is not reached by it, would say the opposite here.
        others = f"listening are {_listed(sorted(each for each in listeners.addresses if each != self.path))}"
        if self.path.startswith("@"):
            there = any(one.address == self.path and one.file is None for one in listeners)
            return Seen(there, f"{subject} is listening" if there else f"{subject} is not listening; {others}")
        file = facts[self.file]
        if file.problem:
            raise FactError(f"{self.path}: {file.problem}")
        if file.kind != "socket":
            return Seen(holds=False, saw=f"{subject} is not listening: {_instead(self.path, file)}; {others}")
        # An error holds no path: then it is known by the path alone that was written.
        paths = (self.path, getattr(facts[self.real], "path", ""))
        at = [_is_at(one, paths, file) for one in listeners]
        if True in at:
            return Seen(holds=True, saw=f"{subject} is listening")
        if unsure := [one for one in at if isinstance(one, str)]:
            raise FactError(unsure[0])
        return Seen(holds=False, saw=f"{subject} is not listening: nobody waits at the file that is there; {others}")


def _instead(path: str, file: File) -> str:
    """Return words for a path at which there is no socket."""
    if file.kind is not None:
        return f"{path} is a {file.kind}"
    return f"there is no file {path}" if file.link is None else f"{path} is a link to {file.link}, which is not there"


def _is_at(one: UnixListener, paths: tuple[str, str], file: File) -> bool | str:
    """Whether a unix socket is the one whose file is at a path; words where the host could not say whose it is.

    Args:
        paths: as it is written, and without the links on its way.
    """
    path = paths[0]
    names = (path.rpartition("/")[2], (file.link or "").rpartition("/")[2])
    if one.file is not None:
        # A file system of several devices (btrfs, overlay) has one number for the kernel's list, another for the file.
        # Only at the path that was bound it is the same file then: elsewhere each file system counts its own from 1.
        if one.file[1] != file.inode or one.file[0] == file.device or one.address in paths:
            return one.file[1] == file.inode
        return (
            f"a socket was bound as {one.address}, to a file of the number that {path} has, on what the kernel calls "
            "another device: whether it is the same file is not known"
        )
    # Without its file, `@x` is an abstract name, or the path `@x` from where it was bound.
    bound = one.address if one.address.startswith("@") else one.address.rpartition("/")[2]
    if bound in names:
        return (
            f"a socket was bound as {one.address}, and without ss (iproute2) the host cannot say if it is the one "
            f"at {path}"
        )
    return False


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
        FactError: it hangs on what the host could not say of one of them.
    """
    text, _, scope = address.partition("%")
    reached = [_reached(one, _place(text), scope) for one in listeners]
    unsure = [one for one in reached if isinstance(one, str)]
    if unsure and True not in reached:
        raise FactError(unsure[0])
    return True in reached


def _of_family(listeners: Sequence[Listener], version: int, words: str) -> Seen:
    """Return whether one of the listeners of a port is bound to an address of a family.

    Who connects by IPv4 gets to one on `::` that is not limited to IPv6: of that it is not said that nobody listens.
    """
    if any(_place(one.address).version == version for one in listeners):
        return Seen(holds=True, saw=words)
    both = [one for one in listeners if version == 4 and one.only6 is not True and _place(one.address).is_unspecified]
    if both and all(one.only6 is None for one in both):
        raise FactError(f"{words}, and without ss (iproute2) the host cannot say if that takes IPv4 too")
    return Seen(holds=False, saw=words + (", which takes IPv4 too" if both else ""), absent=bool(both))


def _reached(one: Listener, place: Address, scope: str) -> bool | str:
    """Whether a listener answers at a place; words where the host could not say what that hangs on."""
    bound = _place(one.address)
    if bound != place and not (bound.is_unspecified and bound.version == place.version):
        if not (bound.is_unspecified and bound.version == 6 and place.version == 4) or one.only6:
            return False
        if one.only6 is None:
            return "a socket listens on [::], and without ss (iproute2) the host cannot say if it takes IPv4 too"
    if one.interface == "":
        return True
    if one.interface is None:
        words = (
            f"a socket listens on {one.address}, and without ss (iproute2) the host cannot say if over one interface"
        )
        return words if bound.is_unspecified else True
    return _over_interface(one, bound, place, scope)


def _over_interface(one: Listener, bound: Address, place: Address, scope: str) -> bool | str:
    """The same of a listener that is bound to an interface: what comes over another one does not get to it."""
    if scope:
        return scope == one.interface
    if place.is_loopback or place.is_unspecified:  # who connects to 0.0.0.0 comes by the loopback interface, too
        return one.interface == LOOPBACK
    if any(_place(address) == place for address in one.reached or ()):
        return True
    if one.interface == LOOPBACK and one.reached is not None:
        return False
    if bound == place:
        return True
    return (
        f"a socket listens on {_shown(one)}, over the interface {one.interface} alone, and {place} is not known to be "
        "an address of that; look from another host"
    )


def _shown(one: Listener) -> str:
    return f"{one.address}%{one.interface}" if one.interface else one.address


def _listed(found: Sequence[object]) -> str:
    """Return the first of them in words, and how many more there are."""
    shown = ", ".join(str(one) for one in found[:NAMED])
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"{shown}{more}" if found else "none"


def _place(text: str) -> Address:
    """Return an address, of an IPv4 one that is written as an IPv6 one the former: they are the same place."""
    address = ip_address(text.partition("%")[0])
    mapped: IPv4Address | None = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped


def ip_address(text: str) -> Address:
    """Return an address. Its module is imported here: few sentences name an address, and all would pay for it."""
    from ipaddress import ip_address as parsed

    return parsed(text)


@check(
    'the socket "{socket}" is listening',
    negation='the socket "{socket}" is not listening',
    example='the socket "unix:/run/docker.sock" is listening',
)
def socket_listening(socket: str) -> Check:
    """A socket written as one word listens: unix:/PATH, tcp://ADDRESS:PORT, udp://PORT."""
    return socket_check(socket)
