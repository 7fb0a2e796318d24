"""What a monitor watches: the scenarios of the features, planned on the hosts as they are, and a look at some of them.

Made anew on reload, and when the hosts have changed; what runs meanwhile goes on with what it began with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from time import monotonic, time
from typing import TYPE_CHECKING, Self

from infratest.alerting.owed import Route
from infratest.alerting.policy import NEVER, Attempts, Policy
from infratest.alerting.routes import Scope, routes
from infratest.alerting.subject import HOSTS, Subject
from infratest.check import CONTROLLER
from infratest.collect.connections import Held
from infratest.deadline import Deadline
from infratest.heal.rules import read_tags
from infratest.hosts import NOT_MADE, Host
from infratest.model import Result
from infratest.monitor.crew import Errand, Findings
from infratest.monitor.cut_off import Witnesses
from infratest.monitor.hints.base import Hint
from infratest.monitor.hints.base import subjects as subjects_here
from infratest.monitor.roll import Roll, called, lists, planned
from infratest.plan.digest import digests
from infratest.plan.subjects import own, subjects
from infratest.plan.tasks import NO_HOST, CheckStep, Task, reachable_id
from infratest.project.execute import SECONDS, carry_out
from infratest.project.prepare import Prepared, Request, prepare
from infratest.project.session import Session
from infratest.project.spread import Workers
from infratest.stack.monitor import Heartbeat, Monitor
from infratest.states import OK
from infratest.waivers import findings, result_id, waived

if TYPE_CHECKING:
    from infratest.engine.run import Spread


class Connections:
    """Open connections from look to look, by unit; each unit's are used by one thread at a time (`crew.Crew`)."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self._lock = Lock()

    def of(self, unit: str) -> Held:
        """Return those of a unit."""
        with self._lock:
            return self._held.setdefault(unit, Held())

    def back(self, unit: str, held: Held) -> None:
        """A unit's are used no longer: they are closed where there is no such unit any more."""
        with self._lock:
            kept = self._held.get(unit) is held
        if not kept:
            held.close()

    def fit(self, units: Iterable[str]) -> None:
        """Close those of units that there are no longer."""
        with self._lock:
            gone = [self._held.pop(unit) for unit in self._held.keys() - set(units)]
        for held in gone:
            held.close()

    def close(self) -> None:
        """Close all."""
        self.fit(())


@dataclass(frozen=True)
class Watched:
    """All scenarios of a stack, planned.

    Args:
        session: of the call. prepared: what was planned. request: what was asked for. workers: who look; None where
        this process does. left: by host, why it is watched no longer. rules: who is told, where that is settled: a rule
        for a label is no mistake because the last host that has it went.
    """

    session: Session
    request: Request
    prepared: Prepared
    connections: Connections = field(default_factory=Connections)
    workers: Workers | None = None
    left: Mapping[str, str] = field(default_factory=dict)
    rules: Sequence[Route] | None = None

    @classmethod
    def read(
        cls,
        session: Session,
        request: Request,
        hosts: Sequence[Host] | None = None,
        connections: Connections | None = None,
    ) -> Watched:
        """Read the features, ask what the hosts are, and plan.

        Args:
            hosts: as they are; asked of the provider where not given. connections: of what was watched before.
        Raises:
            InfratestError: whatever stands in the way before the first look; a heal rule that cannot be read, too.
        """
        made = cls(session, request, prepare(session, request, hosts), connections or Connections())
        made.routes  # noqa: B018  # what is wrong with it is told now
        for rule in session.stack.heal:
            read_tags(rule)
        return made

    @cached_property
    def subjects(self) -> tuple[Subject, ...]:
        """All that is watched: each host's way in, each scenario, heartbeats, receivers and waivers."""
        plan = self.prepared.plan
        looked_at = [each for each in subjects(plan, self.monitor, digests(plan)) if each.id in self.units]
        once = Policy(attempts=Attempts(1, 1), stale=NEVER, flap=None)
        waivers = [Subject(each.id, policy=once, looked_at=False) for each in self.findings(0.0)]
        hosts = [Subject(HOSTS, policy=once, looked_at=False)] if self.listed else []
        return (*looked_at, *own(self.monitor), *waivers, *hosts)

    @cached_property
    def listed(self) -> bool:
        """Whether somebody has to be asked which hosts there are."""
        return lists(self.session)

    @property
    def place(self) -> str:
        """Stack and environment, as `shop/prod`."""
        return self.session.stack.place

    @property
    def interval(self) -> float:
        """Seconds between two looks at what says nothing else."""
        return self.monitor.interval

    def roll(self) -> Roll | None:
        """Ask which hosts there are now; None where they are as they were. Raises InfratestError."""
        return called(self.session, self.prepared.plan.hosts, self.left)

    def on(self, roll: Roll) -> Self:
        """Return the same, watched on other hosts. Raises InfratestError."""
        prepared = planned(roll, self.request, self.prepared)
        before = self.prepared.plan.hosts
        same = [host.name for host in roll.hosts if before.get(host.name) == host]
        made = replace(self, session=roll.session, prepared=prepared, left=roll.left, rules=self.routes)
        self.connections.fit({*same, NO_HOST})  # one of the same name that was made anew is another
        return made

    @cached_property
    def monitor(self) -> Monitor:
        """What the stack file says of the monitor."""
        return self.session.stack.monitor or Monitor()

    @property
    def heartbeats(self) -> Mapping[str, Heartbeat]:
        """Jobs of others that have to be heard of, by name."""
        return self.monitor.heartbeats

    def without(self, left: Mapping[str, str]) -> Self:
        """Return the same without hosts that were destroyed before it was read, and are not made again."""
        hosts = self.prepared.plan.hosts
        left = {name: why for name, why in left.items() if name in hosts and hosts[name].state == NOT_MADE}
        if not left:
            return self
        others = tuple(host for name, host in hosts.items() if name not in left)
        return self.on(Roll(self.session, others, left))

    @cached_property
    def routes(self) -> Sequence[Route]:
        """Who is told of what. Raises UserError."""
        if self.rules is not None:
            return self.rules
        stack = self.session.stack
        hosts = [*self.prepared.plan.hosts.values()]
        return routes(self.monitor.tell, Scope(self.subjects, hosts, stack.env, stack.environments))

    @cached_property
    def tasks(self) -> Mapping[str, Task]:
        """By id, what is looked at; what is left out (`@skip`) is not watched."""
        # Attempts are counted over the monitor's own looks: one look asks once.
        tasks = [_asked_once(task) for task in self.prepared.plan.tasks if not task.skip and not task.acting]
        return {task.id: task for task in tasks}

    @cached_property
    def here(self) -> Mapping[Hint, Sequence[str]]:
        """By what may change on this machine, the ids of the results that look at it."""
        return subjects_here(self.tasks.values(), self.hosts)

    @property
    def hosts(self) -> Mapping[str, Host]:
        """The hosts, by name."""
        return self.prepared.plan.hosts

    def hinted(self, hint: Hint) -> Sequence[str]:
        """Return the ids that are to be looked at after a hint: of a host, all that is looked at there."""
        if hint.fact:
            return self.here.get(hint, ())
        return [id for id, unit in self.units.items() if unit == hint.host and hint.host in self.hosts]

    @cached_property
    def units(self) -> Mapping[str, str]:
        """By id, over whose connection a look is made: its host's; NO_HOST where it is about several hosts, or none."""
        return {id: _unit(task) for id, task in self.tasks.items()} | {
            reachable_id(name): name for name in self.prepared.plan.hosts
        }

    def unit(self, id: str) -> str:
        """Return the unit that an id is looked at in."""
        return self.units.get(id, NO_HOST)

    @cached_property
    def witnesses(self) -> Witnesses:
        """What answers unless it is we who are cut off."""
        return Witnesses(self.monitor.witness)

    @cached_property
    def spread(self) -> Spread | None:
        """What has workers look. Raises UserError: they could not read a secret."""
        return None if self.workers is None else self.workers.of(self.session)

    @property
    def seconds(self) -> float:
        """That one look may take."""
        return self.session.timeout or SECONDS[self.request.face]

    def look(self, errand: Errand) -> Findings:
        """Look at what an errand names, in as few round trips as a check would."""
        began = monotonic()
        tasks = tuple(self.tasks[id] for id in errand.ids if id in self.tasks)
        plan = self.prepared.plan.changed(tasks=tasks, waivers=())
        held = self.connections.of(errand.unit)
        try:
            report = carry_out(
                self.session,
                self.request,
                replace(self.prepared, plan=plan),
                held=held,
                deadline=Deadline(self.seconds),
                spread=self.spread,
            )
        finally:
            self.connections.back(errand.unit, held)
        now, waivers = time(), self.prepared.plan.waivers
        told = {result.id for result in report.results}
        # No run tells of a way in that stands in nobody's way, whichever unit went it.
        ways = [way for way in report.ways if way.id not in told]
        seen = self.witnesses.judged([waived(result, waivers, now) for result in (*report.results, *ways)])
        return Findings(errand, seen, seconds=monotonic() - began)

    def findings(self, now: float) -> list[Result]:
        """Return how each of the stack's waivers is, by its own: nobody looks at a host for it.

        Args:
            now: seconds since the epoch.
        """
        waivers = self.prepared.plan.waivers
        wrong = {result.id: result for result in findings(waivers, [*self.tasks], now)}
        ids = map(result_id, waivers)
        return [wrong.get(id) or Result(id, "", id.partition("@")[0], 0, "-", OK, "") for id in ids]


def _asked_once(task: Task) -> Task:
    if task.scenario.attempts is None:
        return task
    tags = tuple([tag for tag in task.scenario.tags if not tag.startswith("attempts:")])
    return task.changed(scenario=task.scenario.changed(tags=tags))


def _unit(task: Task) -> str:
    steps = [step for step in task.steps if isinstance(step, CheckStep)]
    asked = {look.location for step in steps for look in step.looks} - {CONTROLLER}
    return task.host if asked <= {task.host} else NO_HOST
