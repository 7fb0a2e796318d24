"""The processes of a name killed: `the process "nginx" is killed`."""

from __future__ import annotations

from dataclasses import dataclass, field

from infratest.acts.base import Access, Act, succeeded
from infratest.cleaning import decoded
from infratest.deadline import Deadline
from infratest.errors import ActError
from infratest.facts.base import Answer, Fact
from infratest.facts.process import Processes, process_name, unsure
from infratest.facts.process.names import Process
from infratest.plugins import builtin

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
        pids = [str(process.pid) for process in self._processes(access, deadline)]
        what = f"kill {self.name} (pid {', '.join(pids)})"
        return succeeded(access.run(["sh", "-c", KILL, "sh", *pids], deadline), what)

    def _processes(self, access: Access, deadline: Deadline) -> list[Process]:
        fact: Fact = builtin("fact", "process")()
        result = access.run(["env", "LC_ALL=C", "sh", "-c", fact.ask([()])], deadline)
        answer = Answer(result.exit, decoded(result.stdout), decoded(result.stderr), result.truncated)
        processes: Processes = fact.read(answer, [()])[()]
        if perhaps := processes.perhaps(self.name):
            raise ActError(f"{unsure(self.name, perhaps)}; nothing was killed")
        named = processes.named(self.name)
        if not named:
            raise ActError(f"no process is named {self.name!r}: nothing was killed")
        return named
