"""What can be said of a name: what it stands for where somebody looks, and the records that name servers have of it.

From the controller unless a sentence says from where. `resolves` is what programs there get (/etc/hosts, DNS, whatever
is configured), `has the MX record` is DNS alone. No such name is an answer; a server that fails, refuses or is silent
is none: then it is unknown, and no name is said not to be there.
"""

from __future__ import annotations

from infratest.check import CONTROLLER, Check, Measure, Seen, in_quotes
from infratest.cleaning import clean, literal
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import act, check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.acts.name import NameAct
    from infratest.facts.base import FactValues
    from infratest.facts.dns import Records
    from infratest.facts.dnssec import Authentication
    from infratest.facts.name import Resolution

#: Characters of an answer in a reason.
SHOWN = 300


@check('the name "{name}" resolves', negation='the name "{name}" does not resolve', example='the name "db" resolves')
class NameResolves(Check):
    """Programs there get an address for the name.

    Args:
        addresses: that it must stand for, with commas between them; empty for any. only: and for no other.
    """

    viewpoint = CONTROLLER
    from_others = True

    name: str
    addresses: str = ""
    only: bool = False

    def __post_init__(self) -> None:
        from infratest.facts.name import name_of

        if not name_of(self.name).strip("0123456789."):
            raise UserError(f'the name "{self.name}": that is an address, which stands for itself')

    @derived
    def asked(self) -> Need[Resolution]:
        return Need("name", (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        there = facts[self.asked]
        if not there.addresses:
            words = f'the name "{self.name}" does not resolve: {clean(there.words, SHOWN)}'
            return Seen(holds=False, saw=words, absent=bool(self.addresses))
        words = f'the name "{self.name}" resolves to {clean(", ".join(there.addresses), SHOWN)}'
        if not self.addresses:
            return Seen(holds=True, saw=words)
        named, seen = _addresses(self.addresses), _addresses(",".join(there.addresses))
        if not self.only and named & seen and not named <= seen:
            # That it does not resolve to them is no more so than that it does.
            return Seen(holds=False, saw=f"{words}; that is some of those and not all", absent=True)
        return Seen(holds=named == seen if self.only else named <= seen, saw=words)


@check(
    'the name "{name}" resolves to "{address}"',
    negation='the name "{name}" does not resolve to "{address}"',
    example='the name "shop.example" resolves to "10.0.0.2"',
)
def name_resolves_to(name: str, address: str) -> NameResolves:
    """This is one of the addresses that programs there get; of several with commas between them each is, or none."""
    _addresses(address)
    return NameResolves(name, address)


@check(
    'the name "{name}" resolves only to "{address}"',
    negation='the name "{name}" does not resolve only to "{address}"',
    example='the name "shop.example" resolves only to "10.0.0.2, 10.0.0.3"',
)
def name_resolves_only_to(name: str, address: str) -> NameResolves:
    """These are the addresses that programs there get, all of them and no other, in whatever order."""
    _addresses(address)
    return NameResolves(name, address, only=True)


class _OfRecords(Check):
    viewpoint = CONTROLLER
    from_others = True

    name: str
    type: str = "A"
    server: str = ""

    def __post_init__(self) -> None:
        from infratest.facts._name_server import checked
        from infratest.facts.dns import TYPES

        if self.type not in TYPES:
            raise UserError(
                f'the name "{self.name}": {self.type} is no type of record; write one of {", ".join(TYPES)}'
            )
        checked(self.server)
        self.full_name()

    def full_name(self) -> str:
        """Return the name that is asked for: of an address whose name is meant (PTR), the one that stands for it."""
        from infratest.facts.name import name_of

        if self.type == "PTR" and not self.name.lower().rstrip(".").endswith(".arpa"):
            from ipaddress import ip_address

            try:
                return ip_address(self.name).reverse_pointer
            except ValueError:
                pass
        return name_of(self.name)

    @derived
    def asked(self) -> Need[Records]:
        return Need("dns", (self.server, self.type, self.full_name()))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def shown(self, records: Records) -> str:
        """Return what a name server has, in words."""
        by = f" by the server {self.server}" if self.server else ""
        if records.status != "NOERROR":
            return f'the name "{self.name}" does not exist{by} ({records.status})'
        listed = ", ".join(literal(one, SHOWN) for one in records.records[:10]) or "none"
        return f'the name "{self.name}" has the {self.type} records{by}: {listed}'


@check(
    'the name "{name}" has the {type:word} record "{record}"[ by the server "{server}"]',
    negation='the name "{name}" does not have the {type:word} record "{record}"[ by the server "{server}"]',
    example='the name "shop.example" has the MX record "10 mail.shop.example" by the server "10.0.0.53"',
)
class NameRecord(_OfRecords):
    """A name server has this record, written as in a zone file; TXT as it reads. Of an address, PTR is its name."""

    record: str = ""

    def observe(self, facts: FactValues) -> Seen:
        from infratest.facts.dns import record_text

        records = facts[self.asked]
        absent = records.status != "NOERROR"
        holds = record_text(self.type, self.record) in records.records
        words = f'the name "{self.name}" has the {self.type} record {in_quotes(self.record)}'
        return Seen(holds and not absent, words if holds else self.shown(records), absent=absent)


@check(
    'the name "{name}" has {bound:count} {type:word} records[ by the server "{server}"]',
    example='the name "shop.example" has at least 2 MX records',
)
class NameCount(_OfRecords):
    """How many records of a type a name server has; of a name that does not exist, none can be asked for."""

    def observe(self, facts: FactValues) -> Seen:
        records = facts[self.asked]
        absent = records.status != "NOERROR"
        number = None if absent else len(records.records)
        return Seen(holds=not absent, saw=self.shown(records), number=number, absent=absent)

    def measure(self) -> Measure:
        return Measure(label=f"name {self.name} {self.type} records", minimum=0)


@check(
    'the name "{name}" has {type:word} records with a TTL of {bound:time}[ by the server "{server}"]',
    example='the name "shop.example" has A records with a TTL of at least 5 min',
)
class NameTtl(_OfRecords):
    """How long the shortest-lived of its records may be kept; a resolver that has kept them says what is left."""

    def observe(self, facts: FactValues) -> Seen:
        records = facts[self.asked]
        return Seen(records.ttl is not None, self.shown(records), records.ttl, absent=records.ttl is None)

    def measure(self) -> Measure:
        return Measure(label=f"name {self.name} {self.type} TTL", unit="s", minimum=0)


@check(
    'the name "{name}" exists[ by the server "{server}"]',
    negation='the name "{name}" does not exist[ by the server "{server}"]',
    example='the name "shop.example" exists',
)
class NameExists(_OfRecords):
    """A name server knows the name, be it without any address."""

    def observe(self, facts: FactValues) -> Seen:
        records = facts[self.asked]
        there = records.status == "NOERROR"
        return Seen(holds=there, saw=f'the name "{self.name}" exists' if there else self.shown(records))


@check(
    'the name "{name}" is authenticated by DNSSEC[ by the server "{server}"]',
    negation='the name "{name}" is not authenticated by DNSSEC[ by the server "{server}"]',
    example='the name "shop.example" is authenticated by DNSSEC by the server "10.0.0.53"',
)
class NameAuthenticated(Check):
    """A validating resolver has checked the signatures of its addresses; of what has none, or wrong ones, it is not."""

    viewpoint = CONTROLLER
    from_others = True

    name: str
    server: str = ""

    def __post_init__(self) -> None:
        from infratest.facts._name_server import checked
        from infratest.facts.name import name_of

        name_of(self.name)
        checked(self.server)

    @derived
    def asked(self) -> Need[Authentication]:
        from infratest.facts.name import name_of

        return Need("dnssec", (self.server, name_of(self.name)))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        there = facts[self.asked]
        by = f" by the server {self.server}" if self.server else ""
        verdict = "authenticated by DNSSEC" if there.authentic else "not authenticated by DNSSEC"
        why = "" if there.authentic else f": {clean(there.words, SHOWN)}"
        if there.status != "NOERROR":
            words = f'the name "{self.name}" does not exist{by} ({there.status}, {verdict}{why})'
            return Seen(holds=False, saw=words, absent=True)
        return Seen(holds=there.authentic, saw=f'the name "{self.name}" is {verdict}{by}{why}')


def _addresses(text: str) -> set[str]:
    """Return addresses that stand in a text with commas between them. Raises UserError."""
    from ipaddress import ip_address

    try:
        return {str(ip_address(one.strip().partition("%")[0])) for one in text.split(",")}
    except ValueError:
        raise UserError(f'resolves to "{text}": expected addresses, as 10.0.0.2 or "10.0.0.2, ::1"') from None


@act(
    'the name "{name}" is not resolved',
    example='the name "db" is not resolved',
    undo="/etc/hosts, /etc/resolv.conf and /etc/nsswitch.conf are what they were",
)
def name_is_not_resolved(name: str) -> NameAct:
    """Take a name out of /etc/hosts, and have nobody else asked: those names go with it that are in no file there."""
    from infratest.acts.name import NameAct  # a check does not act

    return NameAct(name)
