"""Checks of what a monitor's store has, told where that lies. Called for each run, by the project."""

from __future__ import annotations

from infratest.plan.tasks import CheckStep, Plan, Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.plan.tasks import Look, Step


def asks_store(plan: Plan) -> bool:
    """Whether a check of a plan asks the store of a monitor."""
    return any(look.check.of_store for task in plan.tasks for step in task.steps for look in getattr(step, "looks", ()))


def in_store(plan: Plan, state_directory: str, place: str) -> Plan:
    """Return the plan with its checks told which state directory the store lies in, and whose it is."""

    def look_in(look: Look) -> Look:
        return look.changed(check=look.check.in_store(state_directory, place)) if look.check.of_store else look

    def step_in(step: Step) -> Step:
        if not isinstance(step, CheckStep):
            return step
        return step.changed(looks=tuple([look_in(look) for look in step.looks]))

    def task_in(task: Task) -> Task:
        return task.changed(steps=tuple([step_in(step) for step in task.steps]))

    return plan.changed(tasks=tuple([task_in(task) for task in plan.tasks]))
