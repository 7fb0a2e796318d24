"""The processes of a name stopped where they are: `the process "nginx" is paused`."""

from __future__ import annotations

from dataclasses import dataclass, field

from infratest.acts._fault import pids
from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline
from infratest.facts.process import process_name

#: Lets each go on; one that has ended meanwhile needs it no more.
GO_ON = """s=0
for p; do kill -CONT "$p" || ! [ -d "/proc/$p" ] || s=1; done
exit $s"""


@dataclass(frozen=True)
class PauseAct(Act):
    """Every process of a name stopped where it is (SIGSTOP), and let go on: it is there, and answers nobody."""

    name: str = field(metadata={"description": "the processes' name", "title": "the name of a process"})

    def __post_init__(self) -> None:
        process_name(self.name)

    def apply(self, access: Access, deadline: Deadline) -> str:
        found = pids(access, deadline, self.name, "paused")
        return succeeded(access.run(["kill", "-STOP", *found], deadline), f"pause {self.name} (pid {', '.join(found)})")

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        found = pids(access, deadline, self.name, "paused")
        return ("sh", "-c", GO_ON, "sh", *found)
