"""What can be said of the revocation of a certificate at a TLS port.

From the controller unless a sentence says from where. The responders (OCSP) and lists (CRL) that the certificate names
are asked; one of them that is signed, of this time and about this certificate is enough to know that it was not
revoked, and each can say that it was. Where none can be believed or reached, it is unknown.
"""

from __future__ import annotations

from infratest.check import CONTROLLER, Check, Seen
from infratest.cleaning import clean
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.revocation import Revocation

#: Characters of an answer in a reason.
SHOWN = 300
SOURCES = ("OCSP", "CRL")
_SUBJECT = 'the certificate of "{place}"[ for the name "{name}"][ by the CA file "{authorities}"]'


@check(
    f"{_SUBJECT} is revoked[ according to {{source:word}}]",
    negation=f"{_SUBJECT} is not revoked[ according to {{source:word}}]",
    example='the certificate of "shop.example:443" is not revoked',
)
class PortRevoked(Check):
    """Its issuer has revoked the server's own certificate, as OCSP or a CRL has it that the certificate names."""

    viewpoint = CONTROLLER
    from_others = True

    place: str
    name: str = ""
    authorities: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        from infratest.facts._tls_place import endpoint
        from infratest.facts.name import name_of

        endpoint(self.place)
        if self.name:
            name_of(self.name)
        if self.authorities:
            absolute(self.authorities)
        if self.source and self.source not in SOURCES:
            raise UserError(f"according to {self.source}: expected one of {', '.join(SOURCES)}")

    @derived
    def asked(self) -> Need[Revocation]:
        from infratest.facts._tls_place import endpoint
        from infratest.facts.name import name_of

        name = name_of(self.name) if self.name else ""
        return Need("revocation", (endpoint(self.place).text, name, self.authorities))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        there = facts[self.asked]
        if there.refused:
            return Seen(holds=False, saw=f'"{self.place}" has no TLS: {clean(there.refused, SHOWN)}', absent=True)
        subject = (
            f'the certificate of "{self.place}"{f" for the name {chr(34)}{self.name}{chr(34)}" if self.name else ""}'
        )
        verdicts = [one for one in there.verdicts if self.source in ("", one.source)]
        known = sorted([one for one in verdicts if one.revoked is not None], key=lambda one: not one.revoked)
        listed = "; ".join([f"{one.source} at {one.url}: {one.words}" for one in known[:1] or verdicts])
        if not known:
            why = listed or f"it names no {self.source or 'responder and no CRL'} that is had over HTTP"
            raise FactError(f"whether {subject} is revoked is not known: {clean(why, SHOWN)}")
        verdict = "is revoked" if known[0].revoked else "is not revoked"
        return Seen(holds=bool(known[0].revoked), saw=f"{subject} {verdict}: {clean(listed, SHOWN)}")
