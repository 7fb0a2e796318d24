"""A plan and `monitor:` of its stack as subjects: what is watched, what each needs, and how it is looked at. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from infratest.alerting.heartbeats import of_heartbeat
from infratest.alerting.policy import NEVER, Attempts, Flap, Policy
from infratest.alerting.subject import ALIVE, CANARY, PEER, WITNESS, Subject, of_receiver, of_sender
from infratest.gherkin.suite import Scenario
from infratest.hosts import GONE
from infratest.plan.tasks import NO_HOST, CheckStep, Plan, Task, reachable_id
from infratest.stack.monitor import Monitor
from infratest.units import duration

#: What a scenario says of how it is watched: `@interval:`, and the failures of so many looks of `@attempts:`.
Tagged = tuple[str, tuple[int, int] | None]


def subjects(plan: Plan, monitor: Monitor, digests: Mapping[str, str] | None = None) -> list[Subject]:
    """Return what is looked at: each host's way in, then each scenario that changes nothing, in the plan's order.

    Args:
        plan: of all that the stack's features hold; with or without steps. digests: of its tasks, by id.
    """
    watched = [task for task in plan.tasks if not task.acting]
    slugs: dict[str, list[Task]] = {}
    for task in watched:
        slugs.setdefault(task.scenario.slug, []).append(task)
    policies = _policies(watched, monitor)
    often = _ways(watched, plan, monitor, policies)
    ways = [
        Subject(
            reachable_id(host.name), host.name, host.groups, host.labels,
            needs=_witness(monitor), policy=often[host.name], looked_at=False,
        )
        for host in plan.hosts.values()
        if host.name in often
    ]  # fmt: skip
    told, witness = digests or {}, _witness(monitor)
    return ways + [
        _subject(task, plan, slugs, often, witness, policies[_tagged(task.scenario)], told.get(task.id, ""))
        for task in watched
    ]


def own(monitor: Monitor) -> list[Subject]:
    """Return what the monitor itself knows: how heartbeats are, and whether who is told takes what it is sent.

    What comes of them is hard at once: a heartbeat has its grace and its misses, a receiver its tries. None of it is
    ever stale: nobody looks at it, it comes by itself.
    """
    once = replace(policy(monitor, attempts=Attempts(1, 1)), stale=NEVER)
    ids = [
        *map(of_heartbeat, monitor.heartbeats),
        *map(of_receiver, monitor.receivers),
        *(of_sender(each.name) for each in monitor.send),
        *([ALIVE] if monitor.alive and monitor.alive.ping else []),
        *([CANARY] if monitor.alive and monitor.alive.canary else []),
        *([WITNESS] if monitor.witness else []),
    ]
    peer = [PEER] if monitor.alive and monitor.alive.peer else []
    return [
        *(Subject(id, policy=once, looked_at=False) for id in ids),
        *(Subject(id, needs=_witness(monitor), policy=once, looked_at=False) for id in peer),
    ]


def policy(monitor: Monitor, scenario: Scenario | None = None, attempts: Attempts | None = None) -> Policy:
    """Return how a scenario is watched: as its tags say, else as the stack does."""
    failures, of = (scenario.attempts if scenario is not None else None) or (monitor.failures, monitor.of)
    interval = scenario.tag("interval") if scenario is not None else ""
    flap = monitor.flap
    return Policy(
        interval=duration(interval) if interval else monitor.interval,
        retry=monitor.retry,
        attempts=attempts or Attempts(failures, of),
        recover=monitor.recover,
        stale=float(monitor.stale),
        flap=None if flap is None else Flap(flap.changes, flap.within, flap.calm),
    )


def _policies(tasks: Iterable[Task], monitor: Monitor) -> dict[Tagged, Policy]:
    """Return how scenarios are watched, by what they say of it: one policy for all that say the same."""
    tagged = {_tagged(task.scenario): task.scenario for task in tasks}
    return {tags: policy(monitor, scenario) for tags, scenario in tagged.items()}


def _tagged(scenario: Scenario) -> Tagged:
    return scenario.tag("interval"), scenario.attempts


def _ways(tasks: Sequence[Task], plan: Plan, monitor: Monitor, policies: Mapping[Tagged, Policy]) -> dict[str, Policy]:
    """Return by host how its way in is watched: it is seen whenever the host is asked something, and as often.

    Where nobody asks a host, as where all of it is seen from elsewhere, nobody sees it: it is watched only where a
    provider says that the host is gone.
    """
    every, often = policy(monitor), dict[str, float]()
    asking = [task for task in tasks if not task.skip]
    for task in asking:
        interval = policies[_tagged(task.scenario)].interval
        for host in _asked(task) & plan.hosts.keys():
            often[host] = min(interval, often.get(host, interval))
    gone = {task.host for task in asking if task.host in plan.hosts and plan.hosts[task.host].state == GONE}
    ways = {host: replace(every, stale=NEVER) for host in gone}
    return ways | {host: replace(every, interval=interval) for host, interval in often.items()}


def _asked(task: Task) -> set[str]:
    """Return the hosts that a scenario asks; of one without its steps, as far as is known."""
    if not task.steps and task.scenario.lines:
        return {task.host}
    return {look.location for step in task.steps if isinstance(step, CheckStep) for look in step.looks}


def _witness(monitor: Monitor) -> tuple[str, ...]:
    """Return what everything needs that is looked at, where the monitor has witnesses."""
    return (WITNESS,) if monitor.witness else ()


def _subject(
    task: Task,
    plan: Plan,
    slugs: Mapping[str, Sequence[Task]],
    ways: Collection[str],
    witness: tuple[str, ...],
    policy: Policy,
    digest: str,
) -> Subject:
    host = plan.hosts.get(task.host)
    way = (reachable_id(task.host),) if task.host in ways else ()
    return Subject(
        task.id,
        task.host,
        host.groups if host else (),
        host.labels if host else {},
        task.scenario.tags,
        (*witness, *way, *_needs(task, slugs)),
        policy,
        digest=digest,
    )


def _needs(task: Task, slugs: Mapping[str, Sequence[Task]]) -> list[str]:
    """Return the ids of what `@needs:` of a task names, by the rule of `engine.results.Needs`.

    A name means the scenario of the same feature where there is one; and that on the same host, else the one of the
    whole stack, else those on all hosts.
    """
    ids = []
    for slug in task.scenario.values_of("needs"):
        near = [each for each in slugs.get(slug, ()) if each.scenario.key != task.scenario.key]
        near = [each for each in near if each.scenario.feature == task.scenario.feature] or near
        for host in (task.host, NO_HOST):
            near = [each for each in near if each.host == host] or near
        ids += [each.id for each in near]
    return ids
