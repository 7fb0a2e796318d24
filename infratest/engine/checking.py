"""Checking tasks carried out together, each ending in a result; what the plugin program and the whole run share.

Collects by whatever collector it is given, so that a check of this machine alone imports no threads and no transports.
"""

from __future__ import annotations

import time

from infratest.engine.judge import unseen
from infratest.engine.results import reachable_id, result
from infratest.engine.settle import Item, settle
from infratest.engine.tasks import CheckStep, OtherStep
from infratest.gherkin.suite import GIVEN
from infratest.model import StepResult
from infratest.states import CRITICAL, OK, UNKNOWN, held
from infratest.units import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infratest.deadline import Deadline
    from infratest.engine.settle import Collects
    from infratest.engine.tasks import Step, Task
    from infratest.errors import TransportError
    from infratest.hosts import Host
    from infratest.model import Result

#: Seconds between two attempts at a scenario tagged @attempts:.
ATTEMPT_PAUSE = 1.0


class Checking:
    """What a run has found so far: `blocked` holds the locations that could not be asked, and why."""

    def __init__(self, hosts: Mapping[str, Host], collector: Collects, deadline: Deadline) -> None:
        self.hosts = hosts
        self.collector = collector
        self.deadline = deadline
        self.blocked: dict[str, TransportError] = {}

    def check(self, tasks: Sequence[Task]) -> list[Result]:
        """Run checking tasks together; those tagged @attempts: again while they do not hold."""
        results = {task.id: outcome for task, outcome in zip(tasks, self._stretch(tasks), strict=True)}
        attempt = 1
        while True:
            again = [task for task in tasks if self._once_more(task, results[task.id], attempt)]
            if not again or self.deadline.passed:
                return [results[task.id] for task in tasks]
            attempt += 1
            time.sleep(min(ATTEMPT_PAUSE, self.deadline.left))
            for task, outcome in zip(again, self._stretch(again), strict=True):
                results[task.id] = outcome.changed(attempts=attempt)

    def _once_more(self, task: Task, outcome: Result, attempt: int) -> bool:
        return outcome.state != OK and attempt < int(task.scenario.tag("attempts") or 1)

    def _stretch(self, tasks: Sequence[Task]) -> list[Result]:
        started = time.monotonic()
        listed = [[self._asked(step, task) for step in task.steps] for task in tasks]
        items = [item for each in listed for item in each if item is not None]
        self.blocked.update(settle(items, self.collector, self.deadline).blocked)
        took = time.monotonic() - started
        return [self.judged(task, each, took) for task, each in zip(tasks, listed, strict=True)]

    def _asked(self, step: Step, task: Task) -> Item | None:
        return self.item(step, task) if isinstance(step, CheckStep) else None

    def item(self, step: CheckStep, task: Task) -> Item:
        tag = task.scenario.tag("timeout")
        limit = duration(tag) if tag else None
        deadline = self.deadline if limit is None else self.deadline.at_most(limit)
        return Item(step, task.scenario.severity, deadline, limit)

    def judged(self, task: Task, items: Sequence[Item | None], took: float) -> Result:
        """Put a checking task's verdicts together; what follows a Given that does not hold is blocked."""
        steps: list[StepResult] = []
        blocked, stop = "", ""
        unjudged: set[int] = set()
        for step, item in zip(task.steps, items, strict=True):
            verdict = item.verdict if item else None
            if isinstance(step, OtherStep) and step.problem:
                steps.append(StepResult(step.line.text, step.line.number, UNKNOWN, step.problem))
            elif item is None or verdict is None:
                steps.append(StepResult(step.line.text, step.line.number, OK))
            elif stop and step.line.kind != GIVEN:
                unjudged.add(len(steps))
                steps.append(StepResult(step.line.text, step.line.number, UNKNOWN, stop, unseen(item.step)))
            else:
                steps.append(verdict.step(item.step))
                blocked = blocked or verdict.blocked
                if step.line.kind == GIVEN and not held(verdict.state, item.severity):
                    stop = f"not judged: {step.line.text!r} does not hold"
        if blocked and not any(step.state == CRITICAL for step in steps):
            by = reachable_id(blocked)
            return result(
                task, self.hosts, steps, state=UNKNOWN, reason=f"blocked by {by}", blocked_by=by, duration=took
            )
        return result(task, self.hosts, steps, duration=took, unjudged=unjudged)
