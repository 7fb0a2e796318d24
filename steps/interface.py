"""What can be said of network interfaces, bonds and bridges."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, single
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.interface import Interface


#: No kernel with the bonding driver was at hand.
UNSEEN = "any bond, written after the kernel's bonding.rst"


#: Modes of a bond: Documentation/networking/bonding.rst.
BOND_MODES = (
    "balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb",
)  # fmt: skip


class _OfInterface(Check):
    #: What it must be of: `bond` or `bridge`, empty for any interface.
    kind: ClassVar[str] = ""
    #: True in the classes that look at a property of the interface.
    of_property: ClassVar[bool] = True

    name: str

    def __post_init__(self) -> None:
        from infratest.facts.interface import interface_name

        interface_name(self.name)

    @derived
    def asked(self) -> Need[Interface]:
        return Need("interface", (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @property
    def subject(self) -> str:
        return f"the {self.kind or 'interface'} {in_quotes(self.name)}"

    def observe(self, facts: FactValues) -> Seen:
        interface = facts[self.asked]
        if not interface.there:
            return Seen(holds=False, saw=f"{self.subject} does not exist", absent=self.of_property)
        if self.kind and interface.kind != self.kind:
            words = f"the interface {in_quotes(self.name)} is no {self.kind}"
            return Seen(holds=False, saw=words, absent=self.of_property)
        return self.look(interface)

    @abstractmethod
    def look(self, interface: Interface) -> Seen:
        """Return what is seen of an interface that is there."""


@check(
    'the interface "{name}" exists',
    negation='the interface "{name}" does not exist',
    example='the interface "eth0" exists',
)
class InterfaceExists(_OfInterface):
    """The host has a network interface of this name, up or not."""

    of_property = False

    def look(self, interface: Interface) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} exists ({interface.in_words()})")


@check(
    'the interface "{name}" is up',
    negation='the interface "{name}" is not up',
    example='the interface "eth0" is up',
)
class InterfaceUp(_OfInterface):
    """The interface is switched on, and its link is up as far as it has one (the loopback has none)."""

    def look(self, interface: Interface) -> Seen:
        link = f"its link is {interface.operational}" if interface.on else "it is switched off"
        return Seen(interface.up, f"{self.subject} is {'' if interface.up else 'not '}up: {link}")


@check(
    'the interface "{name}" has the address "{address}"',
    negation='the interface "{name}" does not have the address "{address}"',
    example='the interface "eth0" has the address "10.0.0.2/24"',
)
class InterfaceAddress(_OfInterface):
    """An IPv4 or IPv6 address of the interface; with bits behind a slash, these too."""

    address: str

    def __post_init__(self) -> None:
        from ipaddress import ip_interface

        super().__post_init__()
        try:
            ip_interface(self.address)
        except ValueError:
            raise UserError(
                f'the interface "{self.name}": "{self.address}" is no address: write 10.0.0.2, 10.0.0.2/24 or fe80::1'
            ) from None

    def look(self, interface: Interface) -> Seen:
        from ipaddress import ip_interface

        if interface.addresses is None:
            raise FactError(f"the addresses of {self.subject} are not known: the host has no ip (iproute2)")
        asked, known = ip_interface(self.address), [ip_interface(each) for each in interface.addresses]
        holds = asked in known if "/" in self.address else asked.ip in [each.ip for each in known]
        listed = f"has the addresses {', '.join(interface.addresses)}" if interface.addresses else "has no address"
        return Seen(holds=holds, saw=f"{self.subject} {listed}")


@check(
    'the interface "{name}" has an address matching "{pattern}"',
    negation='the interface "{name}" has no address matching "{pattern}"',
    example='the interface "eth0" has an address matching "^10[.]0[.]"',
)
class InterfaceAddressMatching(_OfInterface):
    """The pattern (RE2) matches in an address of the interface, as `ip` writes it: 10.0.0.2/24."""

    pattern: str

    def __post_init__(self) -> None:
        from infratest.regular_expression import compiled

        super().__post_init__()
        if not self.pattern:
            raise UserError(f'{self.subject} has an address matching "": every one does; write the pattern')
        compiled(self.pattern)

    def look(self, interface: Interface) -> Seen:
        from infratest.regular_expression import compiled

        if interface.addresses is None:
            raise FactError(f"the addresses of {self.subject} are not known: the host has no ip (iproute2)")
        holds = any(compiled(self.pattern).search(each.encode()) for each in interface.addresses)
        listed = f"has the addresses {', '.join(interface.addresses)}" if interface.addresses else "has no address"
        return Seen(holds=holds, saw=f"{self.subject} {listed}")


@check(
    'the interface "{name}" has the MAC address "{mac}"',
    negation='the interface "{name}" does not have the MAC address "{mac}"',
    example='the interface "eth0" has the MAC address "52:54:00:12:34:56"',
)
class InterfaceMac(_OfInterface):
    """The address of the interface on its link, in hexadecimal of either case."""

    mac: str

    def __post_init__(self) -> None:
        from infratest.facts.interface import is_mac

        super().__post_init__()
        if not is_mac(self.mac):
            raise UserError(
                f"{self.subject} has the MAC address {in_quotes(self.mac)}: expected one as 52:54:00:12:34:56"
            )

    def look(self, interface: Interface) -> Seen:
        if not interface.mac:
            return Seen(holds=False, saw=f"{self.subject} has no MAC address", absent=True)
        saw = f"{self.subject} has the MAC address {in_quotes(interface.mac)}"
        return Seen(holds=interface.mac.lower() == self.mac.lower(), saw=saw)


@check(
    'the interface "{name}" uses the driver "{driver}"',
    negation='the interface "{name}" does not use the driver "{driver}"',
    example='the interface "eth0" uses the driver "virtio_net"',
)
class InterfaceDriver(_OfInterface):
    """The driver of the device behind the interface; one that is software alone has none."""

    driver: str

    def __post_init__(self) -> None:
        super().__post_init__()
        single(self.driver, "driver")

    def look(self, interface: Interface) -> Seen:
        if not interface.driver:
            return Seen(holds=False, saw=f"{self.subject} has no device, and so no driver", absent=True)
        return Seen(interface.driver == self.driver, f"{self.subject} uses the driver {in_quotes(interface.driver)}")


@check('the interface "{name}" has an MTU of {bound:count}', example='the interface "eth0" has an MTU of exactly 1500')
class InterfaceMtu(_OfInterface):
    """How many bytes of one packet the interface sends at most."""

    def look(self, interface: Interface) -> Seen:
        return Seen(True, f"{self.subject} has an MTU of {interface.mtu}", number=interface.mtu)

    def measure(self) -> Measure:
        return Measure(label=f"interface {self.name} mtu", minimum=0)


@check(
    'the interface "{name}" has a speed of {bound:count} Mbit/s',
    example='the interface "eth0" has a speed of at least 1000 Mbit/s',
)
class InterfaceSpeed(_OfInterface):
    """The speed of the link that the driver tells; unknown where it tells none, as of many virtual machines."""

    def look(self, interface: Interface) -> Seen:
        if interface.speed is None:
            raise FactError(f"{self.subject} does not tell its speed (its link is {interface.operational})")
        return Seen(True, f"{self.subject} has a speed of {interface.speed} Mbit/s", number=interface.speed)

    def measure(self) -> Measure:
        return Measure(label=f"interface {self.name} speed", minimum=0)


@check('the interface "{name}" has {bound:count} errors', example='the interface "eth0" has less than 10 errors')
class InterfaceErrors(_OfInterface):
    """How many packets were received or sent with errors since the interface was made."""

    def look(self, interface: Interface) -> Seen:
        return Seen(True, f"{self.subject} has {interface.errors} errors", number=interface.errors)

    def measure(self) -> Measure:
        return Measure(label=f"interface {self.name} errors", minimum=0)


@check(
    'the interface "{name}" has {bound:count} dropped packets',
    example='the interface "eth0" has less than 1000 dropped packets',
)
class InterfaceDropped(_OfInterface):
    """How many packets were dropped on their way in or out since the interface was made."""

    def look(self, interface: Interface) -> Seen:
        return Seen(True, f"{self.subject} has {interface.dropped} dropped packets", number=interface.dropped)

    def measure(self) -> Measure:
        return Measure(label=f"interface {self.name} dropped", minimum=0)


class _OfBridge(_OfInterface):
    kind = "bridge"


class _OfBond(_OfInterface):
    kind = "bond"


@check(
    'the bridge "{name}" exists',
    negation='the bridge "{name}" does not exist',
    example='the bridge "br0" exists',
)
class BridgeExists(_OfBridge):
    """The host has a bridge of this name; an interface that is no bridge is none."""

    of_property = False

    def look(self, interface: Interface) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} exists, {_members(interface)}")


@check(
    'the bridge "{name}" has the interface "{member}"',
    negation='the bridge "{name}" does not have the interface "{member}"',
    example='the bridge "br0" has the interface "eth1"',
)
class BridgeMember(_OfBridge):
    """An interface that is a port of the bridge."""

    member: str

    def __post_init__(self) -> None:
        from infratest.facts.interface import interface_name

        super().__post_init__()
        interface_name(self.member)

    def look(self, interface: Interface) -> Seen:
        return Seen(self.member in interface.members, f"{self.subject} exists, {_members(interface)}")


@check(
    'the bond "{name}" exists',
    negation='the bond "{name}" does not exist',
    example='the bond "bond0" exists',
    unseen=UNSEEN,
)
class BondExists(_OfBond):
    """The host has a bond of this name."""

    of_property = False

    def look(self, interface: Interface) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} exists in the mode {interface.mode}, {_members(interface)}")


@check(
    'the bond "{name}" has the mode "{mode}"',
    negation='the bond "{name}" does not have the mode "{mode}"',
    example='the bond "bond0" has the mode "active-backup"',
    unseen=UNSEEN,
)
class BondMode(_OfBond):
    """The mode by its name: active-backup, 802.3ad."""

    mode: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode not in BOND_MODES:
            raise UserError(f"{self.subject} has the mode {in_quotes(self.mode)}: it is one of {', '.join(BOND_MODES)}")

    def look(self, interface: Interface) -> Seen:
        if not interface.mode:
            raise FactError(f"{self.subject} does not tell its mode")
        return Seen(interface.mode == self.mode, f"{self.subject} has the mode {in_quotes(interface.mode)}")


@check(
    'the bond "{name}" has the interface "{member}"',
    negation='the bond "{name}" does not have the interface "{member}"',
    example='the bond "bond0" has the interface "eth0"',
    unseen=UNSEEN,
)
class BondMember(_OfBond):
    """An interface that is part of the bond."""

    member: str

    def __post_init__(self) -> None:
        from infratest.facts.interface import interface_name

        super().__post_init__()
        interface_name(self.member)

    def look(self, interface: Interface) -> Seen:
        return Seen(self.member in interface.members, f"{self.subject} exists, {_members(interface)}")


@check(
    'the bond "{name}" has {bound:count} interfaces up',
    example='the bond "bond0" has at least 2 interfaces up',
    unseen=UNSEEN,
)
class BondUp(_OfBond):
    """How many of its interfaces have their link up."""

    def look(self, interface: Interface) -> Seen:
        up = f"{len(interface.members_up)} of {len(interface.members)} interfaces up"
        down = [each for each in interface.members if each not in interface.members_up]
        words = f"{self.subject} has {up}" + (f"; down are {', '.join(down)}" if down else "")
        return Seen(holds=True, saw=words, number=len(interface.members_up))

    def measure(self) -> Measure:
        return Measure(label=f"bond {self.name} up", minimum=0)


def _members(interface: Interface) -> str:
    return f"with {', '.join(interface.members)}" if interface.members else "without any interface"
