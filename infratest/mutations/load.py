"""Faults of the load: another one is told, since an average of 15 minutes is not made in one."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._kernel import told
from infratest.mutations.base import Claim, Fault, outside

#: Processors that a host may have at most: a load shared among them is above the bound all the same.
PROCESSORS = 1024


def average(claim: Claim) -> Act | str:
    """A load that it must not be."""
    number = outside(claim.bound) if claim.bound else None
    if number is None:
        return "each load is in the bound"
    load = f"{number * (PROCESSORS if claim.check.shared else 1):.2f}"
    return told("/proc/loadavg", f"{load} {load} {load} 1/100 1000")


FAULTS: dict[str, Fault] = {"LoadAverage": average}
