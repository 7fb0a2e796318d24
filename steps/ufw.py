"""What can be said of ufw, the firewall of Debian and Ubuntu. What the kernel has of it, `firewall` asks."""

from __future__ import annotations

from infratest.check import Check, Seen, in_quotes
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.ufw import Ufw

UFW: Need[Ufw] = Need("ufw")

#: Ways that traffic goes, of which each has a policy.
WAYS = ("incoming", "outgoing", "routed")
#: Whom a rule is from that is for everybody, by IPv4 and by IPv6.
ANYWHERE = ("Anywhere", "Anywhere (v6)")


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
    """The first rule for just this, as `ufw status` writes it, lets it in from anywhere, by IPv4 and IPv6.

    A rule for a port with no protocol (`22`) is one for `22/tcp` and `22/udp`, too; `80,443/tcp` is one for each.
    """

    to: str

    def needs(self) -> tuple[Need, ...]:
        return (UFW,)

    def observe(self, facts: FactValues) -> Seen:
        ufw = facts[UFW]
        if not ufw.active:
            return Seen(holds=False, saw="ufw is inactive", absent=True)
        here = [rule for rule in ufw.rules if rule[1].endswith(" IN") and self.to in _names(rule[0], self.to)]
        shown = "; ".join(f"{to} {action} {whom}" for to, action, whom in here) or "no rule"
        allowed = [_allows([action for _, action, whom in here if whom == each]) for each in ANYWHERE]
        if not any(whom.endswith(ANYWHERE[1]) for _, _, whom in ufw.rules):
            del allowed[1]  # it leaves IPv6 alone
        alike = len(set(allowed)) == 1
        words = f"ufw has for {in_quotes(self.to)}: {shown}{'' if alike else '; IPv4 and IPv6 differ'}"
        return Seen(holds=alike and allowed[0], saw=words, absent=not alike)


def _allows(actions: list[str]) -> bool:
    """Whether the first of the rules for one thing lets it in."""
    return bool(actions) and actions[0].partition(" ")[0] in ("ALLOW", "LIMIT")


def _names(to: str, asked: str) -> set[str]:
    """Return what a rule may be asked for as: `80,443/tcp (Nginx Full)` also as `80/tcp`, `443/tcp`, `Nginx Full`."""
    plain, _, application = to.partition(" (")
    ports, slash, protocol = plain.partition("/")
    names = {to, plain, application.removesuffix(")"), *(f"{port}{slash}{protocol}" for port in ports.split(","))}
    if not slash:
        names |= {f"{port}/{asked.rpartition('/')[2]}" for port in ports.split(",") if "/" in asked}
    return names - {""}
