"""Faults of the kernel's variables: another value is told."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.facts.sysctl import path_of
from infratest.mutations._kernel import told
from infratest.mutations.base import Claim, Fault, outside


def value(claim: Claim) -> Act | str:
    """Another value, or just that one."""
    expected = claim.check.expected
    if claim.negated:
        return told(path_of(claim.check.name), expected[0])
    number = next(number for number in range(len(expected) + 1) if str(number) not in expected)
    return told(path_of(claim.check.name), str(number))


def number(claim: Claim) -> Act | str:
    """A number that it must not be."""
    other = outside(claim.bound) if claim.bound else None
    if other is None:
        return "each number is in the bound"
    return told(path_of(claim.check.name), " ".join([f"{other:.0f}"] * max(1, claim.check.place)))


FAULTS: dict[str, Fault] = {"SysctlValue": value, "SysctlNumber": number}
