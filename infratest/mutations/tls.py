"""Faults of TLS at a port: of Postfix, a certificate that ends too soon."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._postfix import certified
from infratest.mutations.base import Claim, Fault

DAY = 86400


def left(claim: Claim) -> Act | str:
    """One that ends too soon."""
    if not claim.check.place.startswith("smtp://"):
        return "of servers with TLS, only the certificate of Postfix is changed: write its place as smtp://"
    days = int((claim.bound.low - DAY) // DAY) if claim.bound and claim.bound.words in ("at least", "more than") else 0
    return certified(days) if days > 0 else "a certificate is made for a day at least"


FAULTS: dict[str, Fault] = {"PortExpires": left}
