"""Faults of memory: taken, as by the act."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.acts.memory import MemoryAct
from infratest.mutations.base import Claim, Fault

#: Percent of memory: what may be taken without the kernel ending something, and how far beyond a bound it is taken.
MOST, BEYOND = 97, 3


def used(claim: Claim) -> Act | str:
    """Take more than may be in use."""
    if claim.bound is None or claim.bound.words not in ("less than", "at most", "between"):
        return "memory in use cannot be given back"
    percent = min(MOST, round(claim.bound.top) + BEYOND)
    if claim.bound.holds(percent):
        return f"more than {MOST} % of memory cannot be taken without the kernel ending programs"
    return MemoryAct(percent)


FAULTS: dict[str, Fault] = {"MemoryUsed": used}
