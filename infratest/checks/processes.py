"""Questions about processes.

A process has a name when the kernel's name for it, whole where its first 15 bytes are no more than that, or the file
name of its first argument, is that name. Zombies run nothing and do not count, nor does what is there for the question
alone.
"""

from __future__ import annotations

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.found import Process, Processes, User, unsure
from infratest.names import process_name
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

PROCESSES = Need("process")


class _OfProcess(Check):
    name: str

    def __post_init__(self) -> None:
        process_name(self.name)

    def needs(self) -> tuple[Need, ...]:
        return (PROCESSES,)

    def found(self, facts: Mapping[Need, Any]) -> list[Process]:
        """Return the processes of this name.

        Raises:
            FactError: of others no more is known than that their names begin like this one.
        """
        processes: Processes = facts[PROCESSES]
        perhaps = processes.perhaps(self.name)
        if perhaps:
            raise FactError(unsure(self.name, perhaps))
        return processes.named(self.name)

    def absence(self) -> str:
        return f'no process "{self.name}" is running'


class ProcessRunning(_OfProcess):
    """Whether a process of this name runs."""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        processes: Processes = facts[PROCESSES]
        found = processes.named(self.name) or self.found(facts)
        if not found:
            return Seen(holds=False, saw=self.absence())
        return Seen(holds=True, saw=f'the process "{self.name}" is running ({_ids(found)})')


class ProcessUser(_OfProcess):
    """Whether every process of this name runs as this user (its effective one)."""

    user: str

    def needs(self) -> tuple[Need, ...]:
        return (PROCESSES, Need("user", (self.user,)))

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        found = self.found(facts)
        user: User | None = facts[Need("user", (self.user,))]
        if not found:
            return Seen(holds=False, saw=self.absence(), absent=True)
        if user is None:
            return Seen(holds=False, saw=f'the user "{self.user}" does not exist')
        others = [process for process in found if process.uid != user.uid]
        uids = ", ".join(str(uid) for uid in sorted({process.uid for process in found}))
        words = f'the process "{self.name}" runs as uid {uids}; "{self.user}" has uid {user.uid}'
        return Seen(holds=not others, saw=words)


class ProcessCount(_OfProcess):
    """How many processes of this name run."""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        found = self.found(facts)
        words = f'the process "{self.name}" runs {len(found)} times ({_ids(found)})' if found else self.absence()
        return Seen(holds=True, saw=words, number=len(found))

    def measure(self) -> Measure:
        return Measure(label=f"process {self.name} instances", minimum=0)


class ProcessMemory(_OfProcess):
    """How much memory the processes of this name hold together (resident; shared pages count in each)."""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        found = self.found(facts)
        if not found:
            return Seen(holds=False, saw=self.absence(), absent=True)
        used = sum(process.rss for process in found)
        return Seen(holds=True, saw=f'the process "{self.name}" holds {human(used, "B")} ({_ids(found)})', number=used)

    def measure(self) -> Measure:
        return Measure(label=f"process {self.name} memory", unit="B", minimum=0)


def _ids(found: list[Process]) -> str:
    shown = ", ".join(str(process.pid) for process in found[:5])
    return f"pid {shown}" + (f" and {len(found) - 5} more" if len(found) > 5 else "")
