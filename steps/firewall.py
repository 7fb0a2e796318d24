"""What can be said of what the kernel filters packets by: chains of iptables and nftables, sets of nftables.

A rule is compared as a whole, as the program itself prints it. Whether a port is open is better asked from elsewhere.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.iptables import Table
    from infratest.facts.nftables import Ruleset

RULESET: Need[Ruleset] = Need("nftables")

#: What may become of a packet that no rule decides on, of chains of both programs: iptables(8), nft(8). QUEUE was one
#: of Linux before 3.5.
POLICIES = ("accept", "drop", "queue")
#: How many rules a reason shows.
SHOWN = 8


class _OfChain(Check):
    """A chain of a table; `program` is `iptables`, `ip6tables` or `nftables`."""

    #: True in the classes that look at a property of the chain.
    of_property: ClassVar[bool] = True

    program: str
    chain: str
    table: str

    def __post_init__(self) -> None:
        if self.program == "nftables":
            from infratest.facts.nftables import object_name, table_name

            table_name(self.table)
            object_name(self.chain, "chain")
        else:
            from infratest.facts import iptables

            iptables.table_name(self.table)
            iptables.chain_name(self.chain)

    @derived
    def asked(self) -> Need:
        return RULESET if self.program == "nftables" else Need("iptables", (self.program, self.table))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @property
    def subject(self) -> str:
        return f"the {self.program} chain {in_quotes(self.chain)} of {in_quotes(self.table)}"

    def observe(self, facts: FactValues) -> Seen:
        if self.program == "nftables":
            table = " ".join(self.table.split())
            here = [one for one in facts[RULESET].chains if one[:2] == (table, self.chain)]
            if here:
                return self.look(here[0][2], here[0][3])
            return Seen(holds=False, saw=f"{self.subject} does not exist", absent=self.of_property)
        found: Table = facts[self.asked]
        if found.problem:
            raise FactError(f"{self.subject}: {found.problem}")
        policies = dict(found.chains)
        if self.chain not in policies:
            self.unseen(found)
            return Seen(holds=False, saw=f"{self.subject} does not exist", absent=self.of_property)
        seen = self.look(policies[self.chain], tuple(rule for chain, rule in found.rules if chain == self.chain))
        if not seen.holds or seen.number is not None:
            self.unseen(found)
        return seen

    def unseen(self, table: Table) -> None:
        """Raise FactError where there are rules that this program does not show: what is not seen may be among them."""
        if table.warning:
            raise FactError(f"{self.subject}: {table.warning.lstrip('# ')}")

    @abstractmethod
    def look(self, policy: str, rules: tuple[str, ...]) -> Seen:
        """Return what is seen of a chain that is there; `policy` is empty for one of one's own."""


class ChainExists(_OfChain):
    """Whether there is such a chain."""

    of_property = False

    def look(self, policy: str, rules: tuple[str, ...]) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} exists, with {len(rules)} rules")


class ChainPolicy(_OfChain):
    """What becomes of a packet that no rule of a chain decides on."""

    policy: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.policy.lower() not in POLICIES:
            raise UserError(f'{self.subject}: no chain has the policy "{self.policy}": write drop or accept')

    def look(self, policy: str, rules: tuple[str, ...]) -> Seen:
        if not policy:
            return Seen(holds=False, saw=f"{self.subject} has no policy: no packet begins there", absent=True)
        return Seen(policy.lower() == self.policy.lower(), f"{self.subject} has the policy {in_quotes(policy)}")


class ChainRule(_OfChain):
    """Whether a chain has a rule."""

    rule: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.rule.strip():
            raise UserError(f"{self.subject} has the rule {in_quotes(self.rule)}: write the rule")

    def look(self, policy: str, rules: tuple[str, ...]) -> Seen:
        if self.program == "nftables":
            from infratest.facts.nftables import plain

            asked = plain(self.rule)
            holds = any(asked in (plain(each), plain(each, comment=False)) for each in rules)
        else:
            from infratest.facts.iptables import parts_of

            parts = parts_of(self.rule)
            parts = parts[2:] if parts[:2] == ["-A", self.chain] else parts
            holds = any(parts_of(each) == parts for each in rules)
        shown = "; ".join(rules[:SHOWN]) + (f"; and {len(rules) - SHOWN} more" if len(rules) > SHOWN else "")
        return Seen(holds=holds, saw=f"{self.subject} has {f'the rules {shown}' if rules else 'no rule'}")


class ChainRules(_OfChain):
    """How many rules a chain has."""

    def look(self, policy: str, rules: tuple[str, ...]) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} has {len(rules)} rules", number=len(rules))

    def measure(self) -> Measure:
        return Measure(label=f"{self.program} {self.table} {self.chain} rules", minimum=0)


@check(
    'the iptables chain "{chain}" of "{table}" exists',
    negation='the iptables chain "{chain}" of "{table}" does not exist',
    example='the iptables chain "DOCKER" of "nat" exists',
)
def iptables_chain_exists(chain: str, table: str) -> ChainExists:
    """The table has a chain of this name. Asked of iptables, as root."""
    return ChainExists("iptables", chain, table)


@check(
    'the iptables chain "{chain}" of "{table}" has the policy "{policy}"',
    negation='the iptables chain "{chain}" of "{table}" does not have the policy "{policy}"',
    example='the iptables chain "INPUT" of "filter" has the policy "DROP"',
)
def iptables_chain_policy(chain: str, table: str, policy: str) -> ChainPolicy:
    """What becomes of packets that no rule of the chain decides on. Asked of iptables, as root."""
    return ChainPolicy("iptables", chain, table, policy)


@check(
    'the iptables chain "{chain}" of "{table}" has the rule "{rule}"',
    negation='the iptables chain "{chain}" of "{table}" does not have the rule "{rule}"',
    example='the iptables chain "INPUT" of "filter" has the rule "-p tcp -m tcp --dport 22 -j ACCEPT"',
)
def iptables_chain_rule(chain: str, table: str, rule: str) -> ChainRule:
    """The chain has just this rule, as `iptables -S` prints it; `-m tcp` behind `-p tcp` may be left out."""
    return ChainRule("iptables", chain, table, rule)


@check(
    'the iptables chain "{chain}" of "{table}" has {bound:count} rules',
    example='the iptables chain "INPUT" of "filter" has at least 1 rules',
)
def iptables_chain_rules(chain: str, table: str) -> ChainRules:
    """How many rules the chain has. Asked of iptables, as root."""
    return ChainRules("iptables", chain, table)


@check(
    'the ip6tables chain "{chain}" of "{table}" exists',
    negation='the ip6tables chain "{chain}" of "{table}" does not exist',
    example='the ip6tables chain "INPUT" of "filter" exists',
)
def ip6tables_chain_exists(chain: str, table: str) -> ChainExists:
    """The table for IPv6 has a chain of this name. Asked of ip6tables, as root."""
    return ChainExists("ip6tables", chain, table)


@check(
    'the ip6tables chain "{chain}" of "{table}" has the policy "{policy}"',
    negation='the ip6tables chain "{chain}" of "{table}" does not have the policy "{policy}"',
    example='the ip6tables chain "INPUT" of "filter" has the policy "DROP"',
)
def ip6tables_chain_policy(chain: str, table: str, policy: str) -> ChainPolicy:
    """What becomes of IPv6 packets that no rule of the chain decides on. Asked of ip6tables, as root."""
    return ChainPolicy("ip6tables", chain, table, policy)


@check(
    'the ip6tables chain "{chain}" of "{table}" has the rule "{rule}"',
    negation='the ip6tables chain "{chain}" of "{table}" does not have the rule "{rule}"',
    example='the ip6tables chain "INPUT" of "filter" has the rule "-p ipv6-icmp -j ACCEPT"',
)
def ip6tables_chain_rule(chain: str, table: str, rule: str) -> ChainRule:
    """The chain has just this rule for IPv6, as `ip6tables -S` prints it."""
    return ChainRule("ip6tables", chain, table, rule)


@check(
    'the nftables chain "{chain}" of "{table}" exists',
    negation='the nftables chain "{chain}" of "{table}" does not exist',
    example='the nftables chain "input" of "inet filter" exists',
)
def nftables_chain_exists(chain: str, table: str) -> ChainExists:
    """The table, named with its family, has a chain of this name. Asked of nft, as root."""
    return ChainExists("nftables", chain, table)


@check(
    'the nftables chain "{chain}" of "{table}" has the policy "{policy}"',
    negation='the nftables chain "{chain}" of "{table}" does not have the policy "{policy}"',
    example='the nftables chain "input" of "inet filter" has the policy "drop"',
)
def nftables_chain_policy(chain: str, table: str, policy: str) -> ChainPolicy:
    """What becomes of packets that no rule of the chain decides on. Asked of nft, as root."""
    return ChainPolicy("nftables", chain, table, policy)


@check(
    'the nftables chain "{chain}" of "{table}" has the rule "{rule}"',
    negation='the nftables chain "{chain}" of "{table}" does not have the rule "{rule}"',
    example='the nftables chain "input" of "inet filter" has the rule "tcp dport 22 accept"',
)
def nftables_chain_rule(chain: str, table: str, rule: str) -> ChainRule:
    """The chain has this rule, as `nft list ruleset` prints it; sets in any order, without counter and comment too."""
    return ChainRule("nftables", chain, table, rule)


@check(
    'the nftables chain "{chain}" of "{table}" has {bound:count} rules',
    example='the nftables chain "input" of "inet filter" has at least 1 rules',
)
def nftables_chain_rules(chain: str, table: str) -> ChainRules:
    """How many rules the chain has. Asked of nft, as root."""
    return ChainRules("nftables", chain, table)


@check(
    'the nftables set "{name}" of "{table}" has the element "{element}"',
    negation='the nftables set "{name}" of "{table}" does not have the element "{element}"',
    example='the nftables set "blocked" of "inet filter" has the element "192.0.2.7"',
)
class SetElement(Check):
    """The set or map has this element as nft prints it, or an address or port is in a network or range of it."""

    name: str
    table: str
    element: str

    def __post_init__(self) -> None:
        from infratest.facts.nftables import object_name, table_name

        table_name(self.table)
        object_name(self.name, "set")
        if not self.element.strip():
            raise UserError(f"the nftables set {in_quotes(self.name)} has an element: write which one")

    def needs(self) -> tuple[Need, ...]:
        return (RULESET,)

    def observe(self, facts: FactValues) -> Seen:
        table = " ".join(self.table.split())
        subject = f"the nftables set {in_quotes(self.name)} of {in_quotes(self.table)}"
        here = [elements for one, name, elements in facts[RULESET].sets if (one, name) == (table, self.name)]
        if not here:
            return Seen(holds=False, saw=f"{subject} does not exist", absent=True)
        holds = any(_covers(each, " ".join(self.element.split())) for each in here[0])
        listed = ", ".join(here[0][:SHOWN]) + (f" and {len(here[0]) - SHOWN} more" if len(here[0]) > SHOWN else "")
        return Seen(holds=holds, saw=f"{subject} has {f'the elements {listed}' if here[0] else 'no element'}")


def _numbers(text: str) -> tuple[int, ...]:
    """Return the one number or the two ends of a range, as of ports and marks; nothing where it is neither."""
    try:
        return tuple([int(part, 0) for part in text.split("-")]) if text.count("-") < 2 else ()
    except ValueError:
        return ()


def _covers(element: str, asked: str) -> bool:
    """Whether an element of a set is the one that is asked about, or holds the address or network that this is."""
    from ipaddress import ip_address, ip_network

    plain = element
    for word in (" timeout ", " expires ", " counter", " comment ", " limit "):
        plain = plain.partition(word)[0]
    key = plain.partition(" : ")[0]
    if asked in (element, plain, key, plain.replace('"', "")):
        return True
    numbers = _numbers(key)
    if numbers:
        if asked.isalpha():
            raise FactError(f"{in_quotes(asked)} is a word, and the elements are numbers: write its number")
        of = _numbers(asked)
        return bool(of) and numbers[0] <= of[0] <= of[-1] <= numbers[-1]
    try:
        network = ip_network(asked)
        first, dash, last = plain.partition(" : ")[0].partition("-")
        if dash:
            low, high = ip_address(first), ip_address(last)
            ends = (network.network_address, network.broadcast_address)
            return low.version == network.version and all(int(low) <= int(end) <= int(high) for end in ends)
        covering = ip_network(first)
        return covering.version == network.version and covering.supernet_of(network)  # type: ignore[arg-type]
    except ValueError:
        return False
