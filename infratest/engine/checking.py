"""Checking tasks carried out together, each ending in a result; what the plugin program and the whole run share.

Collects by whatever collector it is given, so that a check of this machine alone imports no threads and no transports.
"""

from __future__ import annotations

import time

from infratest.engine.judge import unseen
from infratest.engine.looks import Item
from infratest.engine.results import not_judged, result
from infratest.engine.settle import Uncollected, settle
from infratest.gherkin.suite import GIVEN, THEN
from infratest.model import StepResult
from infratest.plan.tasks import CheckStep, OtherStep, reachable_id
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, held
from infratest.units import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from infratest.collect.base import Collects
    from infratest.deadline import Deadline
    from infratest.errors import TransportError
    from infratest.hosts import Host
    from infratest.model import Result
    from infratest.plan.tasks import Step, Task

    #: Called with a task and its result, as the run goes on.
    OnResult = Callable[[Task, Result], None]

#: Seconds between two attempts at a scenario tagged @attempts:.
ATTEMPT_PAUSE = 1.0


class Checking:
    """What a run has found so far: `blocked` holds the locations that at some time could not be asked, and why;
    `answered` those that at some time answered.
    """

    def __init__(self, hosts: Mapping[str, Host], collector: Collects, deadline: Deadline) -> None:
        self.hosts = hosts
        self.collector = collector
        self.deadline = deadline
        self.blocked: dict[str, TransportError] = {}
        self.answered: set[str] = set()

    def check(self, tasks: Sequence[Task], on_result: OnResult | None = None) -> list[Result]:
        """Run checking tasks together; those tagged @attempts: again while they do not hold.

        Args:
            on_result: called with results as soon as they are final, in that order; not with all of them.
        """
        on_final = self._on_final(on_result, 1)
        results = {task.id: outcome for task, outcome in zip(tasks, self._stretch(tasks, on_final), strict=True)}
        attempt = 1
        while True:
            again = [task for task in tasks if self._once_more(task, results[task.id], attempt)]
            if not again or self.deadline.passed:
                return [results[task.id] for task in tasks]
            attempt += 1
            time.sleep(min(ATTEMPT_PAUSE, self.deadline.left))
            for task, outcome in zip(again, self._stretch(again, self._on_final(on_result, attempt)), strict=True):
                results[task.id] = outcome.changed(attempts=attempt)

    def _once_more(self, task: Task, outcome: Result, attempt: int) -> bool:
        return outcome.state not in (OK, SKIPPED) and attempt < (task.scenario.attempts or (1, 1))[0]

    def _on_final(self, on_result: OnResult | None, attempt: int) -> OnResult | None:
        """Return a callback that reports only final results: not those of an attempt that is followed by another."""
        if on_result is None:
            return None

        def report(task: Task, outcome: Result) -> None:
            if not self._once_more(task, outcome, attempt):
                on_result(task, outcome.changed(attempts=attempt))

        return report

    def _stretch(self, tasks: Sequence[Task], on_result: OnResult | None) -> list[Result]:
        started = time.monotonic()
        listed = [[self._asked(step, task) for step in task.steps] for task in tasks]
        settled_first = self._conditions(tasks, listed)
        items = [item for each in listed for item in each if item is not None]
        items = [item for item in items if id(item) not in settled_first] if settled_first else items
        if on_result is None:
            settle(items, self.collector, self.deadline, self.blocked, answered=self.answered)
            took = time.monotonic() - started
            with Uncollected():
                return [self.judged(task, each, took) for task, each in zip(tasks, listed, strict=True)]
        found: dict[int, Result] = {}
        of = {id(item): place for place, each in enumerate(listed) for item in each if item is not None}
        left = [sum(item is not None for item in each) for each in listed]

        def settled(item: Item) -> None:
            place = of[id(item)]
            left[place] -= 1
            if not left[place]:
                found[place] = self.judged(tasks[place], listed[place], time.monotonic() - started)
                on_result(tasks[place], found[place])

        settle(items, self.collector, self.deadline, self.blocked, settled, answered=self.answered)
        took = time.monotonic() - started
        with Uncollected():
            return [
                found[place] if place in found else self.judged(task, listed[place], took)
                for place, task in enumerate(tasks)
            ]

    def _conditions(self, tasks: Sequence[Task], listed: Sequence[Sequence[Item | None]]) -> set[int]:
        """Look at the conditions of tasks that run commands; return the items that are not to be asked any more.

        Those are the conditions themselves, and what stands behind one that does not hold.
        """
        waiting: list[Sequence[Item | None]] = []
        for task, each in zip(tasks, listed, strict=True):
            for step in task.steps:
                if step.line.condition:
                    waiting += [each] if task.waits else []
                    break
        if not waiting:
            return set()
        conditions = [item for each in waiting for item in each if item is not None and item.step.line.condition]
        settle(conditions, self.collector, self.deadline, self.blocked, answered=self.answered)
        done = {id(item) for item in conditions}
        unmet = {id(item) for item in conditions if item.verdict and item.verdict.state == CRITICAL}
        for each in waiting:
            if any(id(item) in unmet for item in each):
                done |= {id(item) for item in each if item is not None}
        return done

    def _asked(self, step: Step, task: Task) -> Item | None:
        return self.item(step, task) if isinstance(step, CheckStep) else None

    def item(self, step: CheckStep, task: Task) -> Item:
        tag = task.scenario.tag("timeout")
        limit = duration(tag) if tag else None
        deadline = self.deadline if limit is None else self.deadline.at_most(limit)
        # Not the severity of what it says where to look for: one that does not hold is no warning.
        severity = CRITICAL if step.line.condition else task.scenario.severity
        return Item(step, severity, deadline, limit)

    def judged(self, task: Task, items: Sequence[Item | None], took: float) -> Result:
        """Put a checking task's verdicts together; what follows a Given that does not hold, or a step of a
        session that cannot be done, is blocked.

        Where a condition does not hold, the task is skipped on this host.
        """
        for item in items:  # written out, as it is done for every task of a monitor's every cycle
            if item is not None and item.step.line.condition and item.verdict and item.verdict.state == CRITICAL:
                return self._left_out(task, items, item, took)
        steps: list[StepResult] = []
        blocked, stop = "", ""
        unjudged: set[int] = set()
        for step, item in zip(task.steps, items, strict=True):
            verdict = item.verdict if item else None
            if isinstance(step, OtherStep) and step.problem:
                steps.append(StepResult(step.line.text, step.line.number, UNKNOWN, step.problem))
            elif item is None:
                steps.append(StepResult(step.line.text, step.line.number, OK))
            elif verdict is None:
                steps.append(StepResult(step.line.text, step.line.number, UNKNOWN, "it was not asked"))
            elif stop and step.line.kind != GIVEN:
                unjudged.add(len(steps))
                steps.append(StepResult(step.line.text, step.line.number, UNKNOWN, stop, unseen(item.step)))
            else:
                steps.append(verdict.step(item.step))
                blocked = blocked or verdict.blocked
                if step.line.kind != THEN and not held(verdict.state, item.severity):
                    stop = not_judged(step.line, verdict.state)
        if blocked and not any(step.state == CRITICAL for step in steps):
            by = reachable_id(blocked)
            return result(
                task, self.hosts, steps, state=UNKNOWN, reason=f"blocked by {by}", blocked_by=by, duration=took
            )
        return result(task, self.hosts, steps, duration=took, unjudged=unjudged)

    def _left_out(self, task: Task, items: Sequence[Item | None], unmet: Item, took: float) -> Result:
        """Return the result of a task whose condition does not hold; its numbers are named as always, and not there."""
        steps = [
            StepResult(step.line.text, step.line.number, SKIPPED, "", unseen(step))
            for step in task.steps
            if isinstance(step, CheckStep)
        ]
        reason = f"'{unmet.step.line.text}' does not hold here: {unmet.verdict.reason if unmet.verdict else ''}"
        return result(task, self.hosts, steps, state=SKIPPED, reason=reason, duration=took)
