"""Faults of /etc/fstab: one more entry, which is not mounted."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._path import appended
from infratest.mutations.base import Claim, Fault


def every(claim: Claim) -> Act | str:
    """Have one more that is to be mounted."""
    if claim.negated:
        return "what is not mounted is left so"
    return appended("/etc/fstab", "infratest /nonexistent/infratest tmpfs defaults 0 0")


FAULTS: dict[str, Fault] = {"EveryFstabMounted": every}
