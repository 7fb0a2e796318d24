"""Faults of what is in a file: emptied, or the text added."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._path import appended, emptied
from infratest.mutations.base import Claim, Fault


def text(claim: Claim) -> Act | str:
    """Take the text away with all that is there, or add it."""
    return appended(claim.check.path, claim.check.text) if claim.negated else emptied(claim.check.path)


FAULTS: dict[str, Fault] = {"FileContains": text}
