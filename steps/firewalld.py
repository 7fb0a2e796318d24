"""What can be said of firewalld, the firewall of Red Hat's and SUSE's systems: its zones, and what each lets in.

It is about what filters now, not what is kept for the next start. What the kernel has of it, `firewall` asks.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Seen, in_quotes
from infratest.errors import UserError
from infratest.facts.base import Need, single
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.firewalld import Firewalld, Zone

FIREWALLD: Need[Firewalld] = Need("firewalld")


class _OfFirewalld(Check):
    def needs(self) -> tuple[Need, ...]:
        return (FIREWALLD,)


#: What a zone may have for a source: firewall-cmd(1).
SOURCES = "expected an address, a network as 10.0.0.0/8, a MAC address or ipset:NAME"


def _word(value: str, noun: str) -> None:
    """Refuse what is no single word. Raises UserError."""
    single(value, noun)
    if not value.isprintable() or any(map(str.isspace, value)):
        raise UserError(f'the {noun} "{value}" holds a blank, which none does')


def _is_source(text: str) -> bool:
    from ipaddress import ip_network

    from infratest.facts.interface import is_mac

    if text.startswith("ipset:"):
        return text != "ipset:"
    try:
        ip_network(text, strict=False)
    except ValueError:
        return is_mac(text)
    return True


@check("firewalld is running", negation="firewalld is not running", example="firewalld is running")
class FirewalldRunning(_OfFirewalld):
    """firewalld filters packets now."""

    def observe(self, facts: FactValues) -> Seen:
        firewalld = facts[FIREWALLD]
        return Seen(holds=firewalld.running, saw=f"firewalld is {firewalld.in_words()}")


@check(
    'firewalld has the default zone "{zone}"',
    negation='firewalld does not have the default zone "{zone}"',
    example='firewalld has the default zone "public"',
)
class FirewalldDefault(_OfFirewalld):
    """Interfaces and sources that are in no other zone are in this one."""

    zone: str

    def __post_init__(self) -> None:
        _word(self.zone, "name of a zone")

    def observe(self, facts: FactValues) -> Seen:
        firewalld = facts[FIREWALLD]
        words = f"firewalld is {firewalld.in_words()}"
        return Seen(firewalld.default == self.zone, words, absent=not firewalld.running)


class _OfZone(_OfFirewalld):
    zone: str

    def __post_init__(self) -> None:
        _word(self.zone, "name of a zone")

    @property
    def subject(self) -> str:
        return f"the firewalld zone {in_quotes(self.zone)}"

    def observe(self, facts: FactValues) -> Seen:
        firewalld = facts[FIREWALLD]
        if not firewalld.running:
            return Seen(holds=False, saw="firewalld is not running", absent=True)
        zone = firewalld.zone(self.zone)
        return self.missing() if zone is None else self.look(zone)

    def missing(self) -> Seen:
        return Seen(holds=False, saw=f"{self.subject} does not exist", absent=True)

    @abstractmethod
    def look(self, zone: Zone) -> Seen:
        """Return what is seen in a zone that is there."""

    def listed(self, what: str, values: tuple[str, ...]) -> str:
        return f"{self.subject} has the {what} {', '.join(values)}" if values else f"{self.subject} has no {what}"


@check(
    'the firewalld zone "{zone}" exists',
    negation='the firewalld zone "{zone}" does not exist',
    example='the firewalld zone "dmz" exists',
)
class ZoneExists(_OfZone):
    """firewalld knows a zone of this name."""

    def missing(self) -> Seen:
        return Seen(holds=False, saw=f"{self.subject} does not exist")

    def look(self, zone: Zone) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} exists")


@check(
    'the firewalld zone "{zone}" is active',
    negation='the firewalld zone "{zone}" is not active',
    example='the firewalld zone "public" is active',
)
class ZoneActive(_OfZone):
    """An interface or a source is in the zone, so that it filters something."""

    def look(self, zone: Zone) -> Seen:
        return Seen(zone.active, f"{self.subject} is {'active' if zone.active else 'not active'}")


@check(
    'the firewalld zone "{zone}" allows the service "{service}"',
    negation='the firewalld zone "{zone}" does not allow the service "{service}"',
    example='the firewalld zone "public" allows the service "ssh"',
)
class ZoneService(_OfZone):
    """A service is let in by the zone, by its name in firewalld; a rich rule is one of its own."""

    service: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _word(self.service, "name of a service")

    def look(self, zone: Zone) -> Seen:
        return Seen(self.service in zone.services, self.listed("services", zone.services))


@check(
    'the firewalld zone "{zone}" allows port {port:word}',
    negation='the firewalld zone "{zone}" does not allow port {port:word}',
    example='the firewalld zone "public" allows port 443',
)
class ZonePort(_OfZone):
    """A port, of TCP unless it says `53/udp`, is let in by the zone as such or in a range; services are no ports."""

    port: str

    def __post_init__(self) -> None:
        super().__post_init__()
        number, _, protocol = self.port.partition("/")
        if not number.isdecimal() or not 0 < int(number) < 65536 or protocol not in ("", "tcp", "udp", "sctp", "dccp"):
            raise UserError(f"{self.subject} allows port {self.port}: expected a port, as 443 or 53/udp")

    def look(self, zone: Zone) -> Seen:
        number, _, protocol = self.port.partition("/")
        return Seen(
            any(_holds(each, int(number), protocol or "tcp") for each in zone.ports), self.listed("ports", zone.ports)
        )


def _holds(ports: str, number: int, protocol: str) -> bool:
    """Whether a port is one of those that firewalld writes as `443/tcp` or `8000-8100/udp`."""
    numbers, _, of = ports.partition("/")
    first, _, last = numbers.partition("-")
    if of != protocol or not first.isdecimal() or not (last or first).isdecimal():
        return False
    return int(first) <= number <= int(last or first)


@check(
    'the firewalld zone "{zone}" has the interface "{interface}"',
    negation='the firewalld zone "{zone}" does not have the interface "{interface}"',
    example='the firewalld zone "internal" has the interface "eth1"',
)
class ZoneInterface(_OfZone):
    """What comes in by the interface is filtered by the zone; of the default zone, only where it is named there."""

    interface: str

    def __post_init__(self) -> None:
        from infratest.facts.interface import interface_name

        super().__post_init__()
        interface_name(self.interface)

    def look(self, zone: Zone) -> Seen:
        return Seen(self.interface in zone.interfaces, self.listed("interfaces", zone.interfaces))


@check(
    'the firewalld zone "{zone}" has the source "{source}"',
    negation='the firewalld zone "{zone}" does not have the source "{source}"',
    example='the firewalld zone "trusted" has the source "10.0.0.0/8"',
)
class ZoneSource(_OfZone):
    """What comes from these addresses is filtered by the zone, as firewalld writes them."""

    source: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _word(self.source, "source")
        if not _is_source(self.source):
            raise UserError(f"{self.subject} has the source {in_quotes(self.source)}: {SOURCES}")

    def look(self, zone: Zone) -> Seen:
        return Seen(self.source in zone.sources, self.listed("sources", zone.sources))


@check(
    'the firewalld zone "{zone}" has the rule "{rule}"',
    negation='the firewalld zone "{zone}" does not have the rule "{rule}"',
    example='the firewalld zone "public" has the rule "rule service name=ftp reject"',
)
class ZoneRule(_OfZone):
    """The zone has this rich rule; quotes in it may be left out."""

    rule: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rule.split()[:1] != ["rule"]:
            words = "a rich rule begins with the word rule, as: rule service name=ftp reject"
            raise UserError(f"{self.subject} has the rule {in_quotes(self.rule)}: {words}")

    def look(self, zone: Zone) -> Seen:
        rules = [each.replace('"', "").split() for each in zone.rules]
        return Seen(self.rule.replace('"', "").split() in rules, self.listed("rules", zone.rules))
