"""Faults of memory: taken, as by the act, where the host has a limit that something else does not share."""

from __future__ import annotations

from infratest.acts._fault import looked
from infratest.acts.base import Access, Act
from infratest.acts.memory import MemoryAct
from infratest.deadline import Deadline
from infratest.errors import ActError
from infratest.facts.memory import Memory
from infratest.mutations.base import Claim, Fault
from infratest.units import human

#: Percent of memory: what may be taken without the kernel ending something, and how far beyond a bound it is taken.
MOST, BEYOND = 97, 3
#: Above this percentage a machine, whose kernel shares it, is left so many bytes: one of 256 MiB was lost while 97 % of
#: it were taken, for whoever logs in has to be read from the disk again and again.
SAFE, ROOM = 90, 64 * 1024 * 1024


class TakenAct(MemoryAct):
    """Memory taken of a host, and not so much that the host itself is taken away with it."""

    def guard(self, access: Access, deadline: Deadline) -> None:
        """Refuse also nearly all memory of a machine, whose kernel needs some to answer."""
        super().guard(access, deadline)
        memory: Memory = looked(access, deadline, "memory")
        if words := too_much(self.percent, memory):
            raise ActError(words)


def too_much(percent: int, memory: Memory) -> str:
    """Return why so much of a machine's memory is not taken, in words; empty where it may be."""
    left = memory.total * (100 - percent) // 100
    if percent <= SAFE or memory.limited or left >= ROOM:
        return ""
    return (
        f"a machine with {percent} % of its memory taken has {human(left, 'B')} left, and may answer nobody any more: "
        f"it is left alone; with {human(ROOM, 'B')} left it is tried (more `memory:`), and in a container with "
        "`memory:`, which has a limit of its own"
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
