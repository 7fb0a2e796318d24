"""Memory taken: `the memory is filled to 90 %`. A process holds what is missing, and is ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from infratest.acts._fault import OWN_KERNEL, begin, ending, looked, shares_kernel, token
from infratest.acts.base import Access, Act
from infratest.deadline import Deadline
from infratest.errors import ActError, UserError
from infratest.facts.memory import Memory
from infratest.units import human

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
#: Percent by which it may be emptier than was asked for, and seconds between two looks.
NEAR, PAUSE = 3.0, 0.1


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
        size = memory.total * self.percent // 100 - (memory.total - memory.available)
        if size <= 0:
            return f"it is {_percent(memory):.0f} % in use already"
        begin(access, deadline, self.id, HOLD, str(size))
        while _percent(memory) < self.percent - NEAR:
            if deadline.left < PAUSE:
                raise ActError(f"{_percent(memory):.0f} % of memory is in use with {human(size, 'B')} more asked for")
            time.sleep(PAUSE)
            memory = self._memory(access, deadline)
        return f"{_percent(memory):.0f} % of memory is in use"

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        return ending(self.id)

    def _memory(self, access: Access, deadline: Deadline) -> Memory:
        memory: Memory = looked(access, deadline, "memory")
        return memory


def _percent(memory: Memory) -> float:
    return 100 * (memory.total - memory.available) / memory.total
