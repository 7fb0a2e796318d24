"""Faults of memory: taken, as by the act, where the host has a limit that something else does not share."""

from __future__ import annotations

from infratest.acts._fault import looked
from infratest.acts.base import Access, Act
from infratest.acts.memory import MemoryAct
from infratest.deadline import Deadline
from infratest.errors import ActError
from infratest.facts.memory import Memory
from infratest.mutations.base import Claim, Fault

#: Percent of memory: what may be taken without the kernel ending something, and how far beyond a bound it is taken.
MOST, BEYOND = 97, 3
#: Above this a machine, whose kernel shares it, may answer nobody any more, the undo neither: one of 256 MiB was lost
#: while 97 % of it were taken.
SAFE = 90


class TakenAct(MemoryAct):
    """Memory taken of a host, and not so much that the host itself is taken away with it."""

    def guard(self, access: Access, deadline: Deadline) -> None:
        """Refuse also nearly all memory of a machine, whose kernel needs some to answer."""
        super().guard(access, deadline)
        memory: Memory = looked(access, deadline, "memory")
        if self.percent > SAFE and not memory.limited:
            raise ActError(
                f"a machine with {self.percent} % of its memory taken may answer nobody any more: it is left alone; a "
                "container with `memory:` has a limit of its own"
            )


def used(claim: Claim) -> Act | str:
    """Take more than may be in use."""
    if claim.bound is None or claim.bound.words not in ("less than", "at most", "between"):
        return "memory in use cannot be given back"
    percent = min(MOST, round(claim.bound.top) + BEYOND)
    if claim.bound.holds(percent):
        return f"more than {MOST} % of memory cannot be taken without the kernel ending programs"
    return TakenAct(percent)


FAULTS: dict[str, Fault] = {"MemoryUsed": used}
