"""Asks the hosts of a project again and again over connections that are held, as a resident monitor does.

    python held.py CYCLES JOBS        in a project's folder; prints one JSON object

The first cycle logs in. Each cycle asks every host anew, judges, and must find everything ok. Uses the engine's own
pieces (plan, run and its collector); `loop.py` uses this for the hosts that are this machine.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from infratest.collect.collector import Collector
from infratest.collect.here import Here
from infratest.deadline import Deadline
from infratest.engine.results import with_needs
from infratest.engine.run import Run, Settings
from infratest.model import Result
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from infratest.stack.open import open_transport

CYCLE_SECONDS = 60.0


def cpu() -> float:
    """Return the CPU seconds of this process and of all children that have ended."""
    spent = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in spent)


class Timed:
    """A collector, and the CPU seconds that collecting has cost."""

    def __init__(self, collector: Collector | Here) -> None:
        self._collector = collector
        self.spent = 0.0

    def collect(self, *arguments: object) -> object:
        began = cpu()
        try:
            return self._collector.collect(*arguments)
        finally:
            self.spent += cpu() - began


class Held:
    """A plan made once, and connections that stay."""

    def __init__(self, session: Session, features: tuple[str, ...], jobs: int) -> None:
        self.plan = prepare(session, Request(features=features, face="check")).plan
        self.run = Run(self.plan, open_transport, Settings(seconds=CYCLE_SECONDS, jobs=jobs, login=CYCLE_SECONDS))
        self.collector = self.run.collector
        self.run.collector = self.timed = Timed(self.collector)

    def cycle(self) -> list[Result]:
        """Ask and judge everything anew, and put the results together as a run does."""
        self.run.deadline = Deadline(CYCLE_SECONDS)
        return with_needs(self.run.check(self.plan.tasks), self.plan.tasks)


def main(cycles: int, jobs: int) -> None:
    held = Held(Session(), (), jobs)
    walls, cpus = [], []
    for _ in range(cycles + 1):
        wall, used = time.monotonic(), cpu()
        wrong = [result for result in held.cycle() if result.state != "ok"]
        walls.append(time.monotonic() - wall)
        cpus.append(cpu() - used)
        if wrong:
            why = next(iter(held.run.blocked.values()), "")
            sys.exit(
                f"{len(wrong)} of {len(held.plan.tasks)}: {wrong[0].id}: {wrong[0].state}: {wrong[0].reason} {why}"
            )
    status = Path("/proc/self/status").read_text()
    resident = next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    cost = held.collector.cost
    print(json.dumps({
        "first": walls[0], "walls": walls[1:], "cpus": cpus[1:], "memory": resident,
        "logins": cost.logins, "round_trips": cost.round_trips,
    }))  # fmt: skip
    held.run.collector = held.collector
    held.run.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
