"""Checks of what was since the last run of their scenario, told when that was. Called for each run, by the project.

The window begins with the last run that has looked (or with the first, which could not), and a second before: what was
at its edge is seen twice and never missed. Without a moment a check stays as it is, and is unknown.
"""

from __future__ import annotations

from math import ceil

from infratest.plan.tasks import CheckStep, Plan, Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from infratest.plan.tasks import Step

#: Seconds by which a window is longer than the time since the last run.
EDGE = 1


def looks_back(plan: Plan) -> bool:
    """Whether a check of a plan is about the last run of its scenario."""
    return any(_looks_back(task) for task in plan.tasks)


def since_last_run(plan: Plan, began: Mapping[str, float], now: float) -> Plan:
    """Return the plan with its checks of the last run told when that was.

    Args:
        began: when that run began, by the id of the result. now: both in seconds since the epoch,
        by the controller's clock; where it was set back since, nothing is known of that run.
    """
    tasks = [_with_window(task, now - began[task.id]) if task.id in began else task for task in plan.tasks]
    return plan.changed(tasks=tuple(tasks))


def _looks_back(task: Task) -> bool:
    return any(look.check.of_last_run for step in task.steps if isinstance(step, CheckStep) for look in step.looks)


def _with_window(task: Task, seconds: float) -> Task:
    if seconds < 0 or not _looks_back(task):
        return task
    return task.changed(steps=tuple([_step(step, ceil(seconds) + EDGE) for step in task.steps]))


def _step(step: Step, seconds: int) -> Step:
    if not isinstance(step, CheckStep):
        return step
    looks = [look.changed(check=look.check.since(seconds)) if look.check.of_last_run else look for look in step.looks]
    return step.changed(looks=tuple(looks))
