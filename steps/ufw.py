"""What can be said of ufw, the firewall of Debian and Ubuntu. What the kernel has of it, `firewall` asks."""

from __future__ import annotations

from infratest.check import Check, Seen, in_quotes
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.ufw import Ufw

    #: The first and the last port, and the protocol.
    Span = tuple[int, int, str]

UFW: Need[Ufw] = Need("ufw")

#: Ways that traffic goes, of which each has a policy.
WAYS = ("incoming", "outgoing", "routed")
#: Protocols that a rule may name with ports: ufw(8).
PROTOCOLS = ("tcp", "udp")
POLICIES = ("allow", "deny", "reject", "disabled")


@check("ufw is active", negation="ufw is not active", example="ufw is active")
class UfwActive(Check):
    """ufw filters packets now. Asked of ufw, as root."""

    def needs(self) -> tuple[Need, ...]:
        return (UFW,)

    def observe(self, facts: FactValues) -> Seen:
        ufw = facts[UFW]
        return Seen(holds=ufw.active, saw=f"ufw is {ufw.in_words()}")


@check(
    'ufw has the policy "{policy}" for {way:word} traffic',
    negation='ufw does not have the policy "{policy}" for {way:word} traffic',
    example='ufw has the policy "deny" for incoming traffic',
)
class UfwPolicy(Check):
    """What becomes of incoming, outgoing or routed traffic that no rule decides on: allow, deny, reject, disabled."""

    policy: str
    way: str

    def __post_init__(self) -> None:
        if self.way not in WAYS:
            raise UserError(f"the policy of ufw for {self.way} traffic: it has one for {', '.join(WAYS)} traffic")
        if self.policy not in POLICIES:
            raise UserError(f"the policy {in_quotes(self.policy)} of ufw: it is one of {', '.join(POLICIES)}")

    def needs(self) -> tuple[Need, ...]:
        return (UFW,)

    def observe(self, facts: FactValues) -> Seen:
        ufw = facts[UFW]
        policy = dict(ufw.policies).get(self.way)
        if not ufw.active or policy is None:
            return Seen(holds=False, saw=f"ufw is {ufw.in_words()}", absent=True)
        return Seen(policy == self.policy, f"ufw has the policy {in_quotes(policy)} for {self.way} traffic")


@check('ufw allows "{to}"', negation='ufw does not allow "{to}"', example='ufw allows "22/tcp"')
class UfwAllows(Check):
    """Who comes from anywhere is let in, by IPv4 and IPv6: by the first rule that decides it, else by the policy.

    As `ufw status` writes it: `22/tcp`, `80,443/tcp`, `6000:6010/udp`, `22` (TCP and UDP), an application that a rule
    names. Whom a rule before that shuts out by the source alone may be shut out all the same. Where some are let in
    (from some sources, over one interface, a part of the ports, one protocol), neither is met.
    """

    to: str

    def __post_init__(self) -> None:
        to = self.to.partition(" on ")[0]  # 22/tcp on eth0
        spans = [] if to == "Anywhere" else _spans(to)
        odd = any(not 0 < low <= high < 65536 or of not in PROTOCOLS for low, high, of in spans)
        # What has none but signs of ports and is no list or range of them; addresses have more colons, or dots.
        signs = to.partition("/")[0].replace(",", "").replace(" ", "").replace("-", "")
        like_ports = signs.replace(":", "", 1).isdecimal() and not spans
        if not self.to.strip() or "*" in self.to or odd or like_ports:
            words = "expected ports as 22/tcp, 80,443/tcp or 6000:6010/udp, an application or an address"
            raise UserError(f"what ufw allows, {in_quotes(self.to)}: {words}")

    def needs(self) -> tuple[Need, ...]:
        return (UFW,)

    def observe(self, facts: FactValues) -> Seen:
        ufw = facts[UFW]
        if not ufw.active:
            return Seen(holds=False, saw="ufw is inactive", absent=True)
        rules = [_Rule(each) for each in ufw.rules if each[1].endswith(" IN")]
        policy = dict(ufw.policies).get("incoming", "")
        spans = _spans(self.to) or [span for rule in rules if self.to == rule.application for span in rule.spans]
        families = (False, True) if any(rule.six for rule in rules) else (False,)
        if not spans:
            return self.as_written(rules, policy, families)
        here = [rule for rule in rules if any(rule.touches(span) for span in spans)]
        words = f"ufw has for {in_quotes(self.to)}: {_shown(here)}, and the policy {policy or 'none'}"
        for rule in here:
            if not rule.spans:
                raise FactError(f"{words}: which ports {in_quotes(rule.to)} is, ufw does not tell")
        lets_in = {six: {_lets_in(here, span, six, policy == "allow") for span in spans} for six in families}
        decided = set().union(*lets_in.values())
        alike = len({frozenset(each) for each in lets_in.values()}) == 1
        words += "" if alike else "; IPv4 and IPv6 differ"
        mixed = decided not in ({True}, {False})
        return Seen(holds=decided == {True}, saw=words + ("; some are let in" if mixed and alike else ""), absent=mixed)

    def as_written(self, rules: list[_Rule], policy: str, families: tuple[bool, ...]) -> Seen:
        """Return what is seen of what is no ports: an interface, an address, an application that no rule names."""
        here = [rule for rule in rules if self.to in (rule.to, rule.to.partition(" (")[0])]
        if here and all(rule.address for rule in here):
            families = (here[0].six,)  # an address is of one
        first = [[rule.allows for rule in here if rule.six == six and rule.anywhere][:1] for six in families]
        words = f"ufw has for {in_quotes(self.to)}: {_shown(here)}, and the policy {policy or 'none'}"
        if all(each == [True] for each in first):
            return Seen(holds=True, saw=words)
        if policy == "allow" or any(rule.allows for rule in rules if rule not in here):
            raise FactError(f"{words}: whether another rule lets it in is not known; ask for its ports, as 22/tcp")
        some = any(rule.allows for rule in here)
        return Seen(holds=False, saw=words + ("; IPv4 and IPv6 differ" if some else ""), absent=some)


class _Rule:
    """A rule for what comes in, from the columns of `ufw status verbose`."""

    __slots__ = ("address", "allows", "anywhere", "application", "narrow", "spans", "row", "six", "to")

    def __init__(self, row: tuple[str, str, str]) -> None:
        self.row = row
        self.to, action, whom = row
        self.allows = action.partition(" ")[0] in ("ALLOW", "LIMIT")
        plain, _, application = self.to.partition(" (")
        what, _, interface = plain.partition(" on ")
        self.address, _, ports = what.rpartition(" ")
        sender = whom.removesuffix(" (v6)")
        #: Protocols stand behind both columns or, where a rule names no port, behind one.
        protocol = _protocol(what) or _protocol(sender)
        if not self.address and any(mark in ports for mark in ".:") and not _spans(ports):
            self.address, ports = ports, "Anywhere"
        self.spans = _spans(ports, protocol)
        self.application = application.removesuffix(")") or ("" if self.spans else plain)
        self.anywhere = sender.partition("/")[0] == "Anywhere"
        #: Whether it is for a part of what comes to these ports, whoever sends it.
        self.narrow = bool(interface or self.address)
        self.six = whom.endswith(" (v6)") or ":" in sender or ":" in self.address

    def touches(self, span: Span) -> bool:
        """Whether it is about some of what comes to these ports; of what it is not known for, too."""
        low, high, protocol = span
        ours = [(a, b) for a, b, each in self.spans if protocol == each]
        return not self.spans or any(a <= high and low <= b for a, b in ours)

    def covers(self, span: Span) -> bool:
        """Whether it is about all of what comes to these ports."""
        low, high, protocol = span
        whole = any(a <= low and high <= b and protocol == each for a, b, each in self.spans)
        return whole and self.anywhere and not self.narrow


def _lets_in(rules: list[_Rule], span: Span, six: bool, policy: bool) -> bool | None:
    """Whether what comes to ports is let in by rules, the first that decides; None where some of it is."""
    some = set()
    for rule in rules:
        if rule.six != six or not rule.touches(span):
            continue
        if rule.covers(span):
            policy = rule.allows
            break
        if rule.allows or rule.narrow or rule.anywhere:
            some.add(rule.allows)
    return policy if some <= {policy} else None


def _protocol(text: str) -> str:
    name = text.rpartition("/")[2]
    return name if "/" in text and name.isalpha() else ""


def _spans(text: str, protocol: str = "") -> list[Span]:
    """Return ports of `80,443/tcp`, `6000:6010/udp`, `22`, `Anywhere`: each the first, the last and the protocol.

    None of what is not written so.
    """
    protocol = _protocol(text) or protocol
    ports = text.removesuffix(f"/{protocol}")
    spans: list[Span] = []
    for each in ["0:65535"] if ports == "Anywhere" else ports.split(","):
        low, _, high = each.partition(":")
        if not all(one.isascii() and one.isdigit() for one in (low, high or low)):
            return []
        spans += [(int(low), int(high or low), one) for one in ([protocol] if protocol else ["tcp", "udp"])]
    return spans


def _shown(rules: list[_Rule]) -> str:
    more = f" and {len(rules) - 5} more" if len(rules) > 5 else ""
    return "; ".join([" ".join(rule.row) for rule in rules[:5]]) + more or "no rule"
