"""Faults of files with private keys: another key in the file."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._certificate import keyed
from infratest.mutations.base import Claim, Fault


def belongs(claim: Claim) -> Act | str:
    """Another key."""
    return "which key belongs to it is not known" if claim.negated else keyed(claim.check.path)


FAULTS: dict[str, Fault] = {"KeyBelongs": belongs}
