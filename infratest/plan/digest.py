"""What tells whether two plans ask the same under one id: a short text of all that a verdict hangs on.

The same id may mean another limit (another `-D`, a feature that was edited), another machine, or a waiver that is gone.
The plugin program has them beside its kept plan, and a monitor works them out once for each reading: neither does for a
question.
"""

from __future__ import annotations

from typing import Any

from infratest.check import CONTROLLER
from infratest.plan.keep import of_step
from infratest.plan.kept import checksum
from infratest.plan.tasks import NO_HOST, CheckStep, OtherStep, Plan, Task

#: What of a host says which machine it is, and as whom it is asked.
WAY = ("address", "routed", "endpoints", "transport", "options", "sudo")


def digests(plan: Plan) -> dict[str, str]:
    """Return by id what tells a task apart from one of the same id that asks something else, of all that are asked.

    What changes nothing that is judged is left out: a title, and on which line something stands. Of the user's own
    steps it is their texts, and not what their functions do.
    """
    ways = {name: repr([getattr(host, field) for field in WAY]) for name, host in plan.hosts.items()}
    return {task.id: _digest(task, plan, ways) for task in plan.tasks if not task.skip}


def _digest(task: Task, plan: Plan, ways: dict[str, str]) -> str:
    steps = [step for step in task.steps if isinstance(step, CheckStep)]
    looks = [look for step in steps for look in step.looks]
    asked = {task.host, *task.given, *(look.subject for look in looks), *(look.location for look in looks)}
    waivers = [(one.id, one.until) for one in plan.waivers if one.covers(task.id)]
    asks = (
        task.scenario.tags,
        task.problem,
        [_of_step(step) for step in task.steps],
        [ways[name] for name in sorted(asked - {NO_HOST, CONTROLLER}) if name in ways],
        waivers,
    )
    return checksum(repr(asks).encode("utf-8", "surrogatepass")).hex()


def _of_step(step: Any) -> tuple[Any, ...]:
    if not isinstance(step, CheckStep | OtherStep):
        return (type(step).__name__,)  # it changes something, so that no monitor looks at it
    (kind, _, text, _, condition), *rest = of_step(step)
    own = (step.text, step.below) if isinstance(step, OtherStep) else ()
    return kind, text, condition, rest, own
