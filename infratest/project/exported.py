"""A stack as an export gets it: its hosts as they are, and each scenario that a monitor would look at on each.

Called by `infratest monitor export` and `up`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from infratest.alerting.policy import Policy
from infratest.alerting.subject import Subject
from infratest.cleaning import Secret
from infratest.errors import UserError
from infratest.exports.base import Left, Watch, What
from infratest.gherkin.suite import Scenario
from infratest.heal.rules import matches
from infratest.plan.subjects import policy, subjects
from infratest.plan.tasks import Task, reachable_id
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from infratest.stack.declared import HealRule, StackFile
from infratest.stack.monitor import Monitor


def exported(session: Session) -> What:
    """Return what there is to export of a stack.

    Raises:
        InfratestError: the features cannot be read, the provider cannot say what the hosts are, or what finds the stack
        again is a secret.
    """
    stack = session.stack
    monitor = stack.monitor or Monitor()
    prepared = prepare(session, Request(face="check"))
    plan = prepared.plan
    seen = {each.id: each for each in subjects(plan, monitor)}
    tasks = [task for task in plan.tasks if not task.acting and not task.skip]
    left = [Left(task.id, f"skipped: {task.skip}") for task in plan.tasks if task.skip]
    chosen = session.selected([*plan.hosts])
    hosts = [host for host in plan.hosts.values() if host.name in chosen]
    return What(
        stack=stack.name,
        env=stack.env,
        stack_file=str(session.stack_path.absolute()),
        state=str(session.state.path) if session.state_path is not None or session.kept else "",
        named=session.state_path is not None,
        define=_defined(session),
        hosts=tuple(hosts),
        watches=tuple(_watches(tasks, seen, stack, prepared.scenarios)),
        policy=policy(monitor),
        ways={host.name: seen[id].policy for host in hosts if (id := reachable_id(host.name)) in seen},
        left=(*left, *_of_the_monitor(monitor), *_kept(session)),
    )


def service_names(tasks: Iterable[Task], scenarios: Iterable[Scenario]) -> dict[str, str]:
    """Return by id what a scenario is called in other tools, once on its host; all rows of an outline are one.

    Args:
        scenarios: all that a monitor looks at, wherever. What one is called hangs on them alone, and not on which hosts
        there are just now, or what is left out: another tool would know it by another name from then on.
    """
    features: dict[str, set[str]] = {}
    for scenario in scenarios:
        features.setdefault(scenario.slug, set()).add(scenario.feature)
    return {
        task.id: slug if len(features.get(slug, ())) < 2 else f"{task.scenario.feature}#{slug}"
        for task in tasks
        for slug in (task.scenario.slug,)
    }


def _defined(session: Session) -> tuple[str, ...]:
    """Return the parameters of this call, as a program gets them that is to find the same. Raises UserError."""
    values = session.stack.parameters
    for name in session.parameters:
        if isinstance(values.get(name), Secret):
            raise UserError(
                f"-D {name}: it is a secret, and would stand in the files of another tool; say in the stack file where "
                "it is, by from:"
            )
    return tuple(f"{name}={value}" for name, value in session.parameters.items())


def _kept(session: Session) -> list[Left]:
    """Return what of the values kept from an earlier `up` does not go with the files: they may change again there."""
    words = (
        f"kept in {session.state.path} alone; where the tool's user cannot read that, or looks with another state "
        "directory, all is unknown there: give -D to this call"
    )
    return [Left(f"-D {name}={value}", words) for name, value in session.kept.items()]


def _watches(
    tasks: Sequence[Task], seen: Mapping[str, Subject], stack: StackFile, scenarios: Sequence[Scenario]
) -> list[Watch]:
    """Return the watches in the plan's order; rows of an outline are one, for `-s` runs all of them."""
    made: dict[str, Watch] = {}
    whole = {task.id: _id(task) for task in tasks}
    names = service_names(tasks, scenarios)
    for task in tasks:
        subject, scenario, id = seen[task.id], task.scenario, _id(task)
        needs = dict.fromkeys(whole[need] for need in subject.needs if need in whole and whole[need] != id)
        before = made.get(id)
        made[id] = Watch(
            id=id,
            name=names[task.id],
            host=task.host,
            feature=scenario.feature,
            file=_file(scenario.feature, stack.folder),
            slug=scenario.slug,
            title=scenario.name if before is None else before.title,
            policy=subject.policy if before is None else min(before.policy, subject.policy, key=_interval),
            needs=tuple(dict.fromkeys([*(before.needs if before else ()), *needs])),
            runbook=scenario.tag("runbook"),
            heals=any(_for(rule, task) for rule in stack.heal),
            rows=scenario.row is not None,
        )
    return [*made.values()]


def _id(task: Task) -> str:
    return f"{task.scenario.feature}#{task.scenario.slug}@{task.host}"


def _file(feature: str, folder: Path) -> str:
    """Return by what a feature is found from any folder: where the tool stands another may have the same name."""
    return feature if feature.startswith("@") else str(folder / feature)


def _interval(policy: Policy) -> float:
    return policy.interval


def _for(rule: HealRule, task: Task) -> bool:
    wanted = task.scenario.values_of("heal")
    return rule.name in wanted if wanted else matches(rule, task.scenario.tags)


def _of_the_monitor(monitor: Monitor) -> list[Left]:
    """Return what only the monitor of infratest does."""
    counts = Counter(heartbeats=len(monitor.heartbeats), receivers=len(monitor.receivers), tell=len(monitor.tell))
    words = {
        "heartbeats": "only `infratest monitor` hears of jobs",
        "receivers": "whom the other tool tells stands in its own configuration",
        "tell": "whom the other tool tells stands in its own configuration",
    }
    return [Left(f"monitor.{name}", words[name]) for name, count in counts.items() if count]
