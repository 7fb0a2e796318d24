"""What can be said of an LDAP server: that it answers and lets in who asks, its entries, and their attributes.

From the controller unless a sentence says from where. An address with a DN and a secret
(`ldap://cn=monitor,dc=example:{param.ldap_password}@ldap`) logs in first, within TLS that is verified (StartTLS, or
`ldaps://`); without one, nobody does, and it is what everybody sees. A login that is refused is unknown, and so is a
search that the server does not answer whole; an entry that who asks may not see is none for LDAP.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen, in_quotes
from infratest.cleaning import clean, literal
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts._converses import ConversedAddress
    from infratest.facts.base import FactValues
    from infratest.facts.ldap import Ldap

#: Characters of an answer in a reason.
SHOWN = 300


class _OfLdap(Check):
    viewpoint = CONTROLLER
    from_others = True

    url: str

    def __post_init__(self) -> None:
        self.address.shown  # noqa: B018 - refuses what is no address

    @derived
    def address(self) -> ConversedAddress:
        from infratest.facts.ldap import ldap_address

        return ldap_address(self.url)

    @property
    def server(self) -> str:
        return f'the LDAP server "{self.address.shown}"'

    def question(self) -> str:
        """Return what the server is asked: who it is, which each may know."""
        return "entry 1.1 "

    @derived
    def asked(self) -> Need[Ldap]:
        return Need("ldap", (self.url, self.question()))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        seen = facts[self.asked]
        if seen.refused:
            return self.unanswered(f"{self.server} does not answer: {clean(seen.refused, SHOWN)}")
        return self.look(seen)

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words, absent=True)

    @abstractmethod
    def look(self, seen: Ldap) -> Seen:
        """Return what is seen in what the server answers."""


@check(
    'the LDAP server "{url}" answers',
    negation='the LDAP server "{url}" does not answer',
    example='the LDAP server "ldap://ldap.example" answers',
)
class LdapAnswers(_OfLdap):
    """Who connects is answered as LDAP does; with a login in the address, it is let in."""

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words)

    def look(self, seen: Ldap) -> Seen:
        words = f"{self.server} answers, after {human(seen.seconds, 's')}"
        return Seen(holds=True, saw=words, number=seen.seconds)


@check(
    'the LDAP server "{url}" answers in {bound:time}',
    example='the LDAP server "ldaps://ldap.example" answers in less than 500 ms, warning 100 ms',
)
class LdapTime(LdapAnswers):
    """The time from before the connection until it has said who it is (its root DSE), TLS and login included."""

    def measure(self) -> Measure:
        return Measure(label=_label(self.address.shown, "time"), unit="s", minimum=0)


@check(
    'the LDAP server "{url}" accepts the login',
    negation='the LDAP server "{url}" does not accept the login',
    example='the LDAP server "ldaps://cn=monitor,dc=example:{param.ldap_password}@ldap.example" accepts the login',
)
class LdapLogin(_OfLdap):
    """A simple bind with the DN and the secret of the address succeeds. What else fails it is unknown."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.address.user:
            raise UserError(f"{self.server} accepts the login: its address has none: write DN:{{param.NAME}}@")

    def question(self) -> str:
        return "login"

    def look(self, seen: Ldap) -> Seen:
        if seen.login == "accepted":
            return Seen(True, f"{self.server} accepts the login")
        return Seen(False, f"{self.server} does not accept the login: {literal(seen.refusal, SHOWN)}")


@check(
    'the LDAP server "{url}" has {bound:count} entries below "{base}"[ matching "{filter}"]',
    example='the LDAP server "ldap://ldap.example" has at least 1 entries below "dc=example" matching "(mail=*)"',
)
class LdapCount(_OfLdap):
    """How many entries are in a subtree, its base with them; those alone that a filter of LDAP (RFC 4515) fits."""

    base: str
    filter: str = "(objectClass=*)"

    def __post_init__(self) -> None:
        from infratest.facts._ldap_filter import ldap_filter

        super().__post_init__()
        _checked_name(self.base)
        ldap_filter(self.filter)

    def question(self) -> str:
        from infratest.facts._ldap_filter import ldap_filter

        return f"below {ldap_filter(self.filter).hex()} {self.base}"

    def look(self, seen: Ldap) -> Seen:
        if not seen.exists:
            return Seen(False, f"{self.server} has no entry {in_quotes(self.base)}", absent=True)
        words = f"{self.server} has {seen.count} entries below {in_quotes(self.base)} matching {in_quotes(self.filter)}"
        return Seen(holds=True, saw=words, number=seen.count)

    def measure(self) -> Measure:
        return Measure(label=_label(self.address.shown, self.base, self.filter), minimum=0)


class _OfEntry(_OfLdap):
    name: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _checked_name(self.name)

    @property
    def subject(self) -> str:
        return f"the LDAP entry {in_quotes(self.name)} at {in_quotes(self.address.shown)}"

    def question(self) -> str:
        return f"entry 1.1 {self.name}"


@check(
    'the LDAP entry "{name}" at "{url}" exists',
    negation='the LDAP entry "{name}" at "{url}" does not exist',
    example='the LDAP entry "uid=anna,ou=people,dc=example" at "ldap://ldap.example" exists',
)
class LdapEntry(_OfEntry):
    """The server has an entry of this DN, for who asks."""

    def look(self, seen: Ldap) -> Seen:
        return Seen(seen.exists, f"{self.subject} {'exists' if seen.exists else 'does not exist'}")


class _OfAttribute(_OfEntry):
    attribute: str

    def __post_init__(self) -> None:
        from infratest.facts._ldap_filter import is_attribute

        super().__post_init__()
        if not is_attribute(self.attribute):
            raise UserError(f'{self.subject} has "{self.attribute}": that is no name of an attribute, as mail')

    def question(self) -> str:
        return f"entry {self.attribute} {self.name}"

    def look(self, seen: Ldap) -> Seen:
        if not seen.exists:
            return Seen(False, f"{self.subject} does not exist", absent=True)
        return self.look_at(seen.texts)

    @abstractmethod
    def look_at(self, values: tuple[str, ...]) -> Seen:
        """Return what is seen in an attribute's values."""

    def shown(self, values: tuple[str, ...]) -> str:
        shown = ", ".join(literal(each, SHOWN) for each in values[:5])
        more = f" and {len(values) - 5} more" if len(values) > 5 else ""
        return f"{self.subject} has {in_quotes(self.attribute)} of {shown}{more}" if values else self.without()

    def without(self) -> str:
        return f"{self.subject} has no {in_quotes(self.attribute)}"


@check(
    'the LDAP entry "{name}" at "{url}" has "{attribute}"',
    negation='the LDAP entry "{name}" at "{url}" does not have "{attribute}"',
    example='the LDAP entry "uid=anna,ou=people,dc=example" at "ldap://ldap" does not have "pwdAccountLockedTime"',
)
class LdapAttribute(_OfAttribute):
    """An entry has a value of this attribute that who asks may see; those of the server's own (`entryUUID`), too."""

    def look_at(self, values: tuple[str, ...]) -> Seen:
        return Seen(bool(values), self.shown(values))


@check(
    'the LDAP entry "{name}" at "{url}" has "{attribute}" equal to "{value}"',
    negation='the LDAP entry "{name}" at "{url}" has "{attribute}" not equal to "{value}"',
    example='the LDAP entry "cn=ops,ou=groups,dc=example" at "ldap://ldap.example" has "memberUid" equal to "anna"',
)
class LdapValue(_OfAttribute):
    """One of an attribute's values is this, as the server writes it; what is no text, in base 64."""

    value: str

    def look_at(self, values: tuple[str, ...]) -> Seen:
        return Seen(self.value in values, self.shown(values), absent=not values)


@check(
    'the LDAP entry "{name}" at "{url}" has {bound:count} values of "{attribute}"',
    example='the LDAP entry "cn=ops,ou=groups,dc=example" at "ldap://ldap" has at least 2 values of "memberUid"',
)
class LdapValues(_OfAttribute):
    """How many values an attribute of an entry has."""

    def look_at(self, values: tuple[str, ...]) -> Seen:
        return Seen(holds=True, saw=f"{self.shown(values)}: {len(values)} in all", number=len(values))

    def measure(self) -> Measure:
        return Measure(label=_label(self.address.shown, self.name, self.attribute), minimum=0)


def _checked_name(name: str) -> None:
    """Refuse what is no DN of an entry; the empty one is that of the server itself. Raises UserError."""
    if not name.isprintable() or (name and "=" not in name):
        raise UserError(f'"{name}": expected the DN of an entry, as uid=anna,ou=people,dc=example')


def _label(*words: str) -> str:
    """Return a label of performance data, in which no equals sign may stand."""
    return f"LDAP {' '.join(words)}".replace("=", ":")
