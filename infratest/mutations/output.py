"""Faults of what a user's own commands print: their program prints something else."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._program import answers
from infratest.mutations.base import Claim, Fault


def error(claim: Claim) -> Act | str:
    """Nothing, or just that text on standard error."""
    return answers(claim.check.command, err=claim.check.text if claim.negated else "")


def matching(claim: Claim) -> Act | str:
    """Nothing."""
    return "which line a pattern fits is not known" if claim.negated else answers(claim.check.command)


def nothing(claim: Claim) -> Act | str:
    """Something, or nothing."""
    if claim.negated:
        return answers(claim.check.command)
    if claim.check.errors:
        return answers(claim.check.command, err="infratest")
    return answers(claim.check.command, out="infratest")


FAULTS: dict[str, Fault] = {"PrintsError": error, "PrintsMatching": matching, "PrintsNothing": nothing}
