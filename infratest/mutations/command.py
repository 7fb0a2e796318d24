"""Faults of a user's own commands: their program ends, or prints, otherwise."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.check import choices
from infratest.mutations._program import answers
from infratest.mutations.base import Claim, Fault, outside

#: Seconds that a program is slowed down at most.
LONGEST = 20


def exits(claim: Claim) -> Act | str:
    """Another status, or just that one."""
    status = claim.check.status
    return answers(claim.check.command, status=status if claim.negated else int(status == 0))


def exits_among(claim: Claim) -> Act | str:
    """A status that is none of them, or the first of them."""
    statuses = [int(each) for each in choices(claim.check.statuses)]
    other = next(status for status in range(1, len(statuses) + 2) if status not in statuses)
    return answers(claim.check.command, status=statuses[0] if claim.negated else other)


def prints(claim: Claim) -> Act | str:
    """Nothing, or just that text."""
    text = claim.check.text
    if claim.negated or text:
        return answers(claim.check.command, out=text if claim.negated else "")
    return answers(claim.check.command, out="infratest")


def number(claim: Claim) -> Act | str:
    """A number that it must not be."""
    other = outside(claim.bound) if claim.bound else None
    return "each number is in the bound" if other is None else answers(claim.check.command, out=f"{other:g}")


def time(claim: Claim) -> Act | str:
    """Wait for longer than it may take."""
    if claim.bound is None or claim.bound.holds(claim.bound.top + 1) or claim.bound.top > LONGEST:
        return f"a program is slowed down by {LONGEST} s at most"
    return answers(claim.check.command, seconds=claim.bound.top + 1)


FAULTS: dict[str, Fault] = {
    "CommandExits": exits,
    "CommandExitsAmong": exits_among,
    "CommandPrints": prints,
    "CommandNumber": number,
    "CommandTime": time,
}
