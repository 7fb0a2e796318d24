"""What a running monitor saw last, asked by the plugin program: one question over its socket, in place of a check.

`check_infratest --from-monitor` costs the hosts nothing, and ends as a check by itself would: by what was seen at the
newest look, whether or not the monitor takes that for confirmed. Where no monitor runs, or what it knows is too old,
there is no answer, and why. On the plugin program's path; `answers.latest` is the other end.
"""

from __future__ import annotations

from time import monotonic, time

from infratest import rfc3339
from infratest.model import Report, Result
from infratest.store.monitor_socket import Silence, asked
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from infratest.plan.tasks import Plan, Task

#: The part of a check's time that the answer may take: a check by itself needs the rest.
PART = 0.25

#: What is said of a check that was made although a monitor was to answer; why follows.
HERE = "checked here: "


def latest(
    plan: Plan, digests: dict[str, str], folder: str, seconds: float, stack: str, env: str, production: bool
) -> Report:
    """Return what the monitor of a state directory saw last of all that is planned.

    Args:
        digests: of the plan's tasks (`plan.digest`). seconds: that a check may take. stack, env, production: what the
        report is about.
    Raises:
        Silence: none runs, it does not answer, or what it knows is too old, or not of all.
    """
    started, began = time(), monotonic()
    place = f"{stack}/{env}" if env else stack
    answer = asked(folder, {"word": "latest", "place": place, "digests": digests}, seconds * PART)
    try:
        if answer["missing"]:
            raise Silence(str(answer["missing"]))
        found = {one["id"]: Result.from_dict(one) for one in answer["results"]}
        age = float(answer["age"])
        results = _in_order(plan, found)
    except (KeyError, TypeError, ValueError) as error:
        raise Silence(f"its answer is none of this version: {error!r}") from None
    duration = round(monotonic() - began, 4)
    note = f"from the monitor: looked at {human(age, 's')} ago"
    return Report(stack, env, rfc3339.written(started), duration, results, production, notes=(note,))


def _in_order(plan: Plan, found: dict[str, Result]) -> list[Result]:
    """Return the results as a run has them: what is wrong with waivers, hosts that block, then those of the plan."""
    judged = [_skipped(task, plan) if task.skip else found[task.id] for task in plan.tasks]
    blockers = {result.blocked_by for result in judged} - {result.id for result in judged} - {None}
    return [*_waivers(plan), *(found[id] for id in found if id in blockers), *judged]


def _skipped(task: Task, plan: Plan) -> Result:
    from infratest.engine.results import skipped

    return skipped(task, plan.hosts)


def _waivers(plan: Plan) -> Sequence[Result]:
    if not plan.waivers:
        return ()
    from infratest.waivers import findings

    return findings(plan.waivers, [task.id for task in plan.tasks], time())
