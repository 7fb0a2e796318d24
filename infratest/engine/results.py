"""Verdicts to results: one scenario's steps put together, what blocks what, and a host's implicit result. Pure."""

from __future__ import annotations

from infratest.cleaning import clean
from infratest.engine.tasks import OtherStep
from infratest.model import Result
from infratest.states import OK, SKIPPED, UNKNOWN, WARNING, worst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infratest.engine.tasks import Task
    from infratest.errors import TransportError
    from infratest.hosts import Host
    from infratest.model import StepResult

REACHABLE = "reachable"
REASON_LIMIT = 500


def reachable_id(host: str) -> str:
    """The id of a host's implicit result."""
    return f"{REACHABLE}@{host}"


def unreachable(host: Host, error: TransportError) -> Result:
    """Return the implicit result of a host that cannot be reached or not be logged in to."""
    return Result(
        reachable_id(host.name),
        "",
        REACHABLE,
        0,
        host.name,
        error.state,
        clean(str(error), REASON_LIMIT),
        host.groups,
        host.labels,
    )


def result(
    task: Task,
    hosts: Mapping[str, Host],
    steps: Sequence[StepResult] = (),
    *,
    state: str = "",
    reason: str = "",
    blocked_by: str | None = None,
    attempts: int = 1,
    duration: float = 0.0,
) -> Result:
    """Return the result of a task.

    Args:
        state, reason: where they do not follow from the steps (a problem, a skip, a block); else left empty.
    """
    host = hosts.get(task.host)
    if not state:
        state, reason = _from_steps(task, steps)
    return Result(
        task.id,
        task.scenario.feature,
        task.scenario.name,
        task.scenario.line,
        task.host,
        state,
        clean(reason, REASON_LIMIT),
        host.groups if host else (),
        host.labels if host else {},
        task.scenario.tags,
        blocked_by,
        None,
        steps,
        attempts,
        round(duration, 4),
    )


def problem(task: Task, hosts: Mapping[str, Host]) -> Result:
    """Return the result of a task that could not be planned: unknown, with why."""
    return result(task, hosts, state=UNKNOWN, reason=task.problem)


def skipped(task: Task, hosts: Mapping[str, Host]) -> Result:
    return result(task, hosts, state=SKIPPED, reason=task.skip)


def _from_steps(task: Task, steps: Sequence[StepResult]) -> tuple[str, str]:
    if all(isinstance(step, OtherStep) and not step.problem and not step.line.user for step in task.steps):
        return UNKNOWN, "it only selects hosts: no sentence in it checks anything"
    state = worst(step.state for step in steps)
    return state, "" if state == OK else next(step.reason for step in steps if step.state == state)


def with_needs(results: Sequence[Result], tasks: Sequence[Task]) -> list[Result]:
    """Return the results with those blocked whose `@needs:` scenario did not hold on their host (or on none)."""
    needs = {task.id: task.scenario.tag("needs") for task in tasks}
    if not any(needs.values()):
        return list(results)
    by_slug: dict[tuple[str, str], Result] = {}
    by_id = {item.id: item for item in results}
    for task in tasks:
        found = by_id.get(task.id)
        if found is not None:
            by_slug.setdefault((task.scenario.slug, task.host), found)
    changed = []
    for item in results:
        slug = needs.get(item.id, "")
        wanted = by_slug.get((slug, item.host)) or by_slug.get((slug, "-")) if slug else None
        if slug and wanted is None and item.state != SKIPPED:
            item = item.changed(state=UNKNOWN, reason=f"@needs:{slug} names no scenario of this run")
        elif wanted is not None and wanted.state not in (OK, WARNING) and item.state not in (OK, SKIPPED):
            item = item.changed(state=UNKNOWN, blocked_by=wanted.id, reason=f"blocked by {wanted.id}")
        changed.append(item)
    return changed
