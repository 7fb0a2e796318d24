"""Checks of where a number is heading, handed the readings that are kept of it. Called for each run, by the project."""

from __future__ import annotations

from infratest.plan.tasks import CheckStep, Plan, Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from infratest.plan.tasks import Look, Step
    from infratest.store.readings import Reading


def has_trends(plan: Plan) -> bool:
    """Whether a check of a plan is about where a number is heading."""
    return any(look.check.trend for task in plan.tasks for step in task.steps for look in getattr(step, "looks", ()))


def with_readings(
    plan: Plan, readings: Mapping[tuple[str, str], tuple[Reading, ...]], now: float, problem: str = ""
) -> Plan:
    """Return the plan with its checks told what was read before.

    Args:
        readings: by host and label. now: seconds since the epoch. problem: why what was kept is not known, or empty.
    """

    def look_with(look: Look) -> Look:
        if not look.check.trend:
            return look
        return look.changed(
            check=look.check.read_before(readings.get((look.subject, look.check.trend), ()), now, problem)
        )

    def step_with(step: Step) -> Step:
        if not isinstance(step, CheckStep):
            return step
        return step.changed(looks=tuple([look_with(look) for look in step.looks]))

    def task_with(task: Task) -> Task:
        return task.changed(steps=tuple([step_with(step) for step in task.steps]))

    return plan.changed(tasks=tuple([task_with(task) for task in plan.tasks]))


def trends(plan: Plan) -> tuple[tuple[str, str, str, str], ...]:
    """Return what of a run is to be kept: the id of a result, the name of its number, the host and the label."""
    found = []
    for task in plan.tasks:
        for step in task.steps:
            if isinstance(step, CheckStep):
                alone = len(step.looks) == 1 and not step.tail.across
                found += [
                    (task.id, label if alone else f"{look.subject}: {label}", look.subject, label)
                    for look in step.looks
                    if (label := look.check.trend)
                ]
    return tuple(dict.fromkeys(found))
