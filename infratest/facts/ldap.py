"""The fact `ldap`: what an LDAP server answers. Arguments: its address, with who logs in, and the question: `login` (of
which a refusal is an answer), `entry ATTRIBUTE DN`, `below FILTER BASE`, the filter as hexadecimal digits of its BER.

From a host it takes python3. LDAP is spoken by `_ldap_look`: of its libraries ldap3 has had no version since 2021, and
bonsai and python-ldap are built from source wherever infratest would be installed, and look from no host.
"""

from __future__ import annotations

from infratest.errors import FactError, UserError
from infratest.facts._converses import ConversedAddress, Converses
from infratest.facts._service_address import service_address
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
    from typing import Any

    from infratest.facts.base import Argument

PORTS = {"ldap": 389, "ldaps": 636}
LOGIN, ENTRY, BELOW = "login", "entry", "below"

#: Scopes of a search, RFC 4511, 4.5.1.2: the entry itself, and the whole subtree; the attribute that stands for none.
ITSELF, SUBTREE, NONE = 0, 2, "1.1"
#: `(objectClass=*)`, which every entry has.
EVERY = b"\x87\x0bobjectClass"


class Ldap(Record):
    """What was answered.

    Args:
        exists: whether there is such an entry, or that below which was looked; of a login, the server's own. count: of
        entries. texts: the values of the attribute. login: `accepted`, `refused`, or empty. seconds: of all together.
        refused: why nothing was answered.
    """

    exists: bool = False
    count: int = 0
    texts: tuple[str, ...] = ()
    seconds: float = 0.0
    login: str = ""
    refusal: str = ""
    refused: str = ""

    def in_words(self) -> str:
        if self.refused:
            return f"no answer: {self.refused}"
        rows = [f"the login is {self.login}{f': {self.refusal}' if self.refusal else ''}"] if self.login else []
        if not self.exists or self.count or not self.login:
            rows.append(f"{self.count} entries" if self.exists else "no such entry")
        return "\n".join([*rows, *self.texts])


def ldap_address(url: str) -> ConversedAddress:
    """Return an address taken apart. Raises UserError."""
    schemes = {each: each for each in PORTS}
    example = "ldap://ldap.example or ldaps://cn=monitor,dc=example:{param.ldap_password}@ldap.example"
    address = ConversedAddress(*service_address(url, "LDAP server", schemes, PORTS, example).values())
    if address.name:
        raise UserError(f'the LDAP server "{address.shown}": what is looked for is none of its address')
    return address


class LdapFact(Converses):
    """LDAP servers."""

    def program(self) -> ModuleType:
        from infratest.facts import _ldap_look

        return _ldap_look

    def address(self, argument: Argument) -> ConversedAddress:
        return ldap_address(argument[0])

    def question(self, argument: Argument) -> str:
        kind, _, rest = argument[1].partition(" ")
        word, _, name = rest.partition(" ")
        if kind == LOGIN and not rest:
            return LOGIN
        if kind == ENTRY and word:
            return f"search {ITSELF} {EVERY.hex()} {word} {name}"
        if kind == BELOW and word and not word.strip("0123456789abcdef"):
            return f"search {SUBTREE} {word} {NONE} {name}"
        raise UserError(f"{argument[1]!r} is nothing that an LDAP server is asked")

    def refused(self, words: str) -> Ldap:
        return Ldap(refused=words)

    def value(self, argument: Argument, seen: Mapping[str, Any]) -> Ldap | FactError:
        login, took = str(seen["login"]), float(seen["seconds"])
        if argument[1] == LOGIN or login == "refused":
            if login not in ("accepted", "refused", ""):
                raise ValueError(login)
            if argument[1] != LOGIN:
                return FactError(f"could not log in to {self.address(argument).shown}: {seen['refusal']}")
            return Ldap(exists=True, seconds=took, login=login, refusal=str(seen.get("refusal", "")))
        if not seen["there"]:
            return Ldap(seconds=took, login=login)
        if not isinstance(seen["values"], list):
            raise ValueError(seen)
        return Ldap(True, int(seen["count"]), tuple([str(each) for each in seen["values"]]), took, login)
