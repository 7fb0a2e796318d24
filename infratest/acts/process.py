"""The processes of a name killed: `the process "nginx" is killed`."""

from __future__ import annotations

from dataclasses import dataclass, field

from infratest.acts._fault import pids
from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline
from infratest.facts.process import process_name

#: Ends each process by its id ($1 ...); one that has ended by itself since it was looked for is no failure. Why another
#: could not be ended is in the words of the shell's own `kill`.
KILL = """s=0
for p; do kill -KILL "$p" || ! [ -d "/proc/$p" ] || s=1; done
exit $s"""


@dataclass(frozen=True)
class KillAct(Act):
    """Every process of a name killed (SIGKILL): those of which `the process "..." is running` speaks, and no other."""

    name: str = field(metadata={"description": "the processes' name", "title": "the name of a process", "short": True})

    def __post_init__(self) -> None:
        process_name(self.name)

    def apply(self, access: Access, deadline: Deadline) -> str:
        found = pids(access, deadline, self.name, "killed")
        what = f"kill {self.name} (pid {', '.join(found)})"
        return succeeded(access.run(["sh", "-c", KILL, "sh", *found], deadline), what)
