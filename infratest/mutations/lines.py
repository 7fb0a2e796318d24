"""Faults of a file's lines: emptied, or the line added."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._path import appended, emptied
from infratest.mutations.base import Claim, Fault

UNKNOWN_LINE = "which line a pattern fits is not known"


def line(claim: Claim) -> Act | str:
    """Take the line away with all that is there, or add it."""
    return appended(claim.check.path, claim.check.text) if claim.negated else emptied(claim.check.path)


def pattern(claim: Claim) -> Act | str:
    """Take what the pattern fits away with all that is there."""
    return UNKNOWN_LINE if claim.negated else emptied(claim.check.path)


def checksum(claim: Claim) -> Act | str:
    """Add a line."""
    return "what has that checksum is not known" if claim.negated else appended(claim.check.path, "infratest")


FAULTS: dict[str, Fault] = {
    "LineThere": line,
    "LineMatching": pattern,
    "TextMatching": pattern,
    "FileChecksum": checksum,
}
