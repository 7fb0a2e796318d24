"""Results that say the same of several hosts, brought together: forty hosts with one fault are one block, not forty.

Called by the outputs that are read by people.
"""

from __future__ import annotations

from collections.abc import Iterable

from infratest.model import Result

BLOCKED = "blocked"


def shown_state(result: Result) -> str:
    """Return the state as people are shown it: a result that another one blocks is `blocked`."""
    return BLOCKED if result.blocked_by is not None else result.state


def alike(results: Iterable[Result]) -> list[list[Result]]:
    """Return the results in groups that differ in their host alone, in the order of the first of each group."""
    groups: dict[tuple[object, ...], list[Result]] = {}
    for result in results:
        groups.setdefault(_what_is_said(result), []).append(result)
    return list(groups.values())


def _what_is_said(result: Result) -> tuple[object, ...]:
    steps = tuple((step.line, step.state, step.reason) for step in result.steps)
    key = (result.feature, result.scenario, result.line, shown_state(result), result.reason, result.blocked_by)
    return (*key, steps, _numbers(result))


def _numbers(result: Result) -> tuple[object, ...]:
    """Return what was measured, where it is worth reading: of what is ok no number tells hosts apart."""
    if result.state == "ok":
        return ()
    return tuple((each.name, each.value) for step in result.steps for each in step.observations)
