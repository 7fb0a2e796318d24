"""Memory taken: `the memory is filled to 90 %`. A process holds what is missing, and is ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from infratest.acts._fault import OWN_KERNEL, begin, ending, looked, shares_kernel, token
from infratest.acts.base import Access, Act
from infratest.deadline import Deadline
from infratest.errors import ActError, UserError
from infratest.facts.memory import Memory

#: $1: bytes. Each `dd` reads into one block (of 1 GiB at most: read(2) ends before 2 GiB) and writes it to somebody who
#: does not read, for a day: an undo that nobody makes. Where the kernel has to end somebody for want of memory, it is
#: one of these (proc(5): oom_score_adj).
HOLD = """echo 1000 >/proc/self/oom_score_adj
left=$1
while [ "$left" -gt 0 ]; do
  block=$left
  [ "$block" -le 1073741824 ] || block=1073741824
  dd if=/dev/zero bs="$block" count=1 | sleep 86400 &
  left=$((left - block))
done
wait"""
#: Percent by which it may be emptier than was asked for, seconds between two looks, how many of these without more in
#: use say that no more is taken, and how often more is asked for.
NEAR, PAUSE, STILL, TIMES = 3.0, 0.25, 24, 5


@dataclass(frozen=True)
class MemoryAct(Act):
    """Main memory in use up to a percentage of what the host may use."""

    seconds = 300.0  # a machine of some GiB that is emulated on a busy one takes minutes

    percent: int = field(metadata={"description": "how much of it is in use then"})
    id: str = field(default_factory=token, compare=False, metadata={"description": "what tells it from other faults"})

    def __post_init__(self) -> None:
        if not 1 <= self.percent <= 99:
            raise UserError(f"memory cannot be filled to {self.percent} %: write 1 to 99")

    def guard(self, access: Access, deadline: Deadline) -> None:
        """Refuse the memory of the machine that infratest runs on."""
        if shares_kernel(access, deadline) and not self._memory(access, deadline).limited:
            raise ActError(
                f"the memory of {access.host} is that of the machine infratest runs on, without a limit: it is left "
                f"alone; give the host `memory:`, or {OWN_KERNEL}"
            )

    def apply(self, access: Access, deadline: Deadline) -> str:
        memory = self._memory(access, deadline)
        if self._missing(memory) <= 0:
            return f"it is {_percent(memory):.0f} % in use already"
        for id in self._holders():
            begin(access, deadline, id, HOLD, str(self._missing(memory)))
            memory = self._grown(access, deadline)
            if _percent(memory) >= self.percent - NEAR:
                return f"{_percent(memory):.0f} % of memory is in use"
        raise ActError(f"{_percent(memory):.0f} % of memory is in use, and no more of it can be taken")

    def _grown(self, access: Access, deadline: Deadline) -> Memory:
        """Return what is in use when it is as much as was asked for, or no more is taken for a while.

        Files that were kept in memory give way to what is taken: there may be more to take than it seemed.
        """
        most, still, memory = 0.0, 0, self._memory(access, deadline)
        while _percent(memory) < self.percent - NEAR and still < STILL:
            if deadline.left < PAUSE:
                raise ActError(f"{_percent(memory):.0f} % of memory is in use, with {self.percent} asked for")
            time.sleep(PAUSE)
            memory = self._memory(access, deadline)
            still = 0 if _percent(memory) > most + 0.1 else still + 1
            most = max(most, _percent(memory))
        return memory

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        return ending(*self._holders())

    def _holders(self) -> tuple[str, ...]:
        return tuple(f"{self.id}-{number}" for number in range(TIMES))

    def _missing(self, memory: Memory) -> int:
        return memory.total * self.percent // 100 - (memory.total - memory.available)

    def _memory(self, access: Access, deadline: Deadline) -> Memory:
        memory: Memory = looked(access, deadline, "memory")
        return memory


def _percent(memory: Memory) -> float:
    return 100 * (memory.total - memory.available) / memory.total
