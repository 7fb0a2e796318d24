"""Verdicts to results: one scenario's steps put together, what blocks what, and a host's implicit result. Pure."""

from __future__ import annotations

from infratest.cleaning import clean
from infratest.gherkin.suite import GIVEN
from infratest.model import NOT_JUDGED, UNDONE, Result, StepResult
from infratest.plan.tasks import NO_HOST, REACHABLE, OtherStep, reachable_id
from infratest.states import OK, SKIPPED, UNKNOWN, WARNING, worst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from infratest.errors import TransportError
    from infratest.gherkin.suite import Line
    from infratest.hosts import Host
    from infratest.plan.tasks import Task

REASON_LIMIT = 500


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


def reached(host: Host) -> Result:
    """Return the implicit result of a host that answered."""
    return Result(reachable_id(host.name), "", REACHABLE, 0, host.name, OK, "", host.groups, host.labels)


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
    unjudged: Collection[int] = (),
) -> Result:
    """Return the result of a task.

    Args:
        state, reason: where they do not follow from the steps (a problem, a skip, a block); else left empty.
        unjudged: places of steps that come behind one that stopped the scenario: that one decides, and not they.
    """
    host = hosts.get(task.host)
    if not state:
        decide = [step for place, step in enumerate(steps) if place not in unjudged] if unjudged else steps
        state, reason = _from_steps(task, decide)
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
    """Return the result of a task that could not be planned: unknown, with each sentence that stands in the way."""
    refused = [step for step in task.steps if isinstance(step, OtherStep)]
    steps = [
        StepResult(step.line.text, step.line.number, UNKNOWN, clean(step.problem, REASON_LIMIT)) for step in refused
    ]
    return result(task, hosts, steps, state=UNKNOWN, reason=task.problem)


def skipped(task: Task, hosts: Mapping[str, Host]) -> Result:
    return result(task, hosts, state=SKIPPED, reason=task.skip)


def _from_steps(task: Task, steps: Sequence[StepResult]) -> tuple[str, str]:
    state = worst([step.state for step in steps])
    if state == OK and task.checks_nothing:
        return UNKNOWN, f"{task.checks_nothing}: no sentence in it checks anything"
    return state, "" if state == OK else next(step.reason for step in steps if step.state == state)


def not_judged(line: Line, state: str) -> str:
    """Return why what follows a line, a condition or a step of a session, was not judged: that one's state."""
    why = UNDONE if line.kind != GIVEN else "is not known" if state == UNKNOWN else "does not hold"
    return f"{NOT_JUDGED}'{line.text}' {why}"


class Needs:
    """What was judged so far, by scenario: what `@needs:NAME` of another one asks for."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, tuple[Task, Result]]] = {}

    def judged(self, task: Task, outcome: Result) -> None:
        """Take a result; of a task that is run once more it is the last one that counts."""
        self._found.setdefault(task.scenario.slug, {})[task.id] = (task, outcome)

    def blocker(self, task: Task) -> Result | None:
        """Return the result that stands in a task's way, None where there is none.

        A name means the scenario of the same feature where there is one; and its result on the same host, else the one
        of the whole stack, else those on all hosts. What this run does not ask is in nobody's way.
        """
        for slug in task.scenario.values_of("needs"):
            found = [item for item in self._found.get(slug, {}).values() if item[0].scenario.key != task.scenario.key]
            near = [item for item in found if item[0].scenario.feature == task.scenario.feature] or found
            for hosts in ((task.host,), (NO_HOST,)):
                near = [item for item in near if item[0].host in hosts] or near
            for _, outcome in near:
                if outcome.state not in (OK, WARNING):
                    return outcome
        return None


def blocked(task: Task, hosts: Mapping[str, Host], blocker: Result) -> Result:
    """Return the result of a task that was not asked, because of another result."""
    return result(task, hosts, state=UNKNOWN, reason=f"blocked by {blocker.id}", blocked_by=blocker.id)


def with_needs(
    results: Sequence[Result], tasks: Sequence[Task], beside: Sequence[tuple[Task, Result]] = ()
) -> list[Result]:
    """Return the results with each blocked that needs a scenario which does not hold, even where it holds itself.

    What is blocked does not hold either: it blocks in turn what needs it, wherever that stands in its feature.

    Args:
        beside: other tasks with their results, which may be needed and stay as they are.
    """
    left = [place for place, task in enumerate(tasks) if task.scenario.tag("needs")]
    outcomes = list(results)
    while left:
        needs = Needs()
        for task, outcome in (*beside, *zip(tasks, outcomes, strict=True)):
            needs.judged(task, outcome)
        blockers = {place: needs.blocker(tasks[place]) for place in left if outcomes[place].state != SKIPPED}
        stopped = {place: blocker for place, blocker in blockers.items() if blocker is not None}
        if not stopped:
            break
        for place, blocker in stopped.items():
            reason = f"blocked by {blocker.id}"
            outcomes[place] = outcomes[place].changed(state=UNKNOWN, blocked_by=blocker.id, reason=reason)
        left = [place for place in left if place not in stopped]
    return outcomes
