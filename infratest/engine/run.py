"""A plan carried out: checking tasks together, acting ones one at a time, each ending in a result.

Called by the faces with a plan and a way to make transports. Nothing that a host, a feature or a plugin does escapes
as an exception: what cannot be known is an unknown result. Ctrl-C ends the run, after faults are undone.

On the plugin program's path: threads and connections are imported for a plan that is about other hosts than this
machine, what acts for a plan that acts.
"""

from __future__ import annotations

from time import monotonic, time

from infratest import rfc3339
from infratest.collect.here import Here, here_alone, is_here
from infratest.deadline import Deadline
from infratest.engine.checking import Checking
from infratest.engine.interrupts import ending_in_order
from infratest.engine.results import Needs, blocked, problem, reached, result, skipped, unreachable, with_needs
from infratest.model import Cost, Report
from infratest.states import UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from infratest.collect.collector import Collector
    from infratest.collect.connections import Connections, Held, TransportFactory
    from infratest.engine.acting import UndoLog
    from infratest.engine.checking import OnResult
    from infratest.model import Result
    from infratest.plan.tasks import Plan, Task

    #: Runs the checking tasks of a run, as `Checking.check` does.
    Spread = Callable[["Run", Sequence[Task], OnResult | None], list[Result]]


class Settings:
    """How a run is carried out.

    Args:
        seconds: that the whole run may take. jobs: hosts at once. login: seconds one login may take.
        on_result: called with each result as soon as it is known, by the thread that runs. lock: held while acting
        tasks run. undo_log: where a fault's undo is written before the fault. start: starts a host that its reboot
        ended, as container engines do.
        users_tasks: runs scenarios that hold steps of the user's own, one at a time, in order.
        rehearsal: runs an acting task in another way, as a drill does.
        spread: has some checking tasks asked by others, and the rest by the run itself.
        held: connections that are kept from run to run, of one session. deadline: of the whole call, which began before
        the run; without one it is `seconds` from the run's begin.
    """

    def __init__(
        self,
        *,
        seconds: float = 300.0,
        jobs: int = 16,
        login: float = 10.0,
        on_result: Callable[[Result], None] | None = None,
        lock: Callable[[], AbstractContextManager[None]] | None = None,
        undo_log: UndoLog | None = None,
        start: Callable[[str, Deadline], None] | None = None,
        users_tasks: Callable[[Sequence[Task], Run], Iterable[Result]] | None = None,
        rehearsal: Callable[[Run, Task], Result] | None = None,
        held: Held | None = None,
        deadline: Deadline | None = None,
        spread: Spread | None = None,
    ) -> None:
        self.seconds = seconds
        self.jobs = jobs
        self.login = login
        self.on_result = on_result
        self.lock = lock
        self.undo_log = undo_log
        self.start = start
        self.users_tasks = users_tasks
        self.rehearsal = rehearsal
        self.held = held
        self.deadline = deadline
        self.spread = spread

    def changed(self, **changes: Any) -> Settings:
        """Return a copy with these changed."""
        return Settings(**vars(self) | changes)


class Run(Checking):
    """One run on any hosts: its plan, and the connections it holds, made where a host must be connected to."""

    def __init__(self, plan: Plan, make: TransportFactory, settings: Settings) -> None:
        self.plan = plan
        self.settings = settings
        self._make = make
        self._connections: Connections | None = None
        self.spent = Cost()  # by others
        super().__init__(plan.hosts, self._collector(), settings.deadline or Deadline(settings.seconds))

    def _collector(self) -> Here | Collector:
        alone = here_alone(self.plan)
        if alone:
            return Here(alone)
        from infratest.collect.collector import Collector

        plan, sudo = self.plan, {name: host.sudo for name, host in self.plan.hosts.items()}
        return Collector(self.connections, sudo, plan.endpoint, self.settings.jobs, _here(plan))

    @property
    def connections(self) -> Connections:
        if self._connections is None:
            from infratest.collect.connections import Connections

            self._connections = Connections(self.plan.hosts, self._make, self.settings.login, self.settings.held)
        return self._connections

    def check(self, tasks: Sequence[Task], on_result: OnResult | None = None) -> list[Result]:
        """Run checking tasks, here or spread over others."""
        if self.settings.spread is None:
            return self.check_here(tasks, on_result)
        return self.settings.spread(self, tasks, on_result)

    def check_here(self, tasks: Sequence[Task], on_result: OnResult | None = None) -> list[Result]:
        """Run checking tasks in this process."""
        return super().check(tasks, on_result)

    @property
    def cost(self) -> Cost:
        """What it has cost so far, whoever asked."""
        return self.collector.cost + self.spent

    def keep(self) -> None:
        """Leave connections to the next run, where there is one."""
        if self._connections is not None:
            self._connections.keep()

    def close(self) -> None:
        """Let go of all connections, and of whoever waits for them."""
        # Connections first: whoever still waits for a host's answer must not hold up the end of a run.
        if self._connections is not None:
            self._connections.close()
        self.collector.close()

    def act(self, task: Task) -> Result:
        """Run one acting task, undoing its faults at the end whatever happens."""
        if self.settings.rehearsal is not None:
            return self.settings.rehearsal(self, task)
        from infratest.engine.acting import Acting

        return Acting(self, task).result()


def run(plan: Plan, make: TransportFactory, settings: Settings) -> tuple[list[Result], Cost]:
    """Carry out a plan.

    Returns:
        The results in the plan's order, those of hosts that could not be asked first, and what it cost.
    """
    results, cost, _ = _ran(plan, make, settings)
    return results, cost


def _ran(plan: Plan, make: TransportFactory, settings: Settings) -> tuple[list[Result], Cost, list[Result]]:
    """The same, with how the way into each host was that was asked."""
    going = Run(plan, make, settings)
    with ending_in_order():
        try:
            results = _all(going)
            going.keep()
        finally:
            going.close()
    return results, going.cost, _ways(going)


def reported(plan: Plan, make: TransportFactory, settings: Settings, stack: str, env: str, production: bool) -> Report:
    """Carry out a plan and return its report. Args: as `run`; stack, env, production: what the report is about."""
    started, clock = time(), monotonic()
    results, cost, ways = (_waiving if plan.waivers else _ran)(plan, make, settings)
    took = round(monotonic() - clock, 4)
    return Report(stack, env, rfc3339.written(started), took, results, production, cost, ways=ways)


def _waiving(plan: Plan, make: TransportFactory, settings: Settings) -> tuple[list[Result], Cost, list[Result]]:
    """Carry out a plan of a stack with waivers: for every face this is where failures become waived ones."""
    from infratest.waivers import findings, waived

    now, tell = time(), settings.on_result
    wrong = findings(plan.waivers, [task.id for task in plan.tasks], now)
    if tell is not None:
        for finding in wrong:
            tell(finding)
        settings = settings.changed(on_result=lambda outcome: tell(waived(outcome, plan.waivers, now)))
    results, cost, ways = _ran(plan, make, settings)
    return [*wrong, *(waived(outcome, plan.waivers, now) for outcome in results)], cost, ways


class _Stream:
    """Streams each result once; a host's own result goes before the first result that it blocks."""

    def __init__(self, going: Run) -> None:
        self._going = going
        self._sent: set[str | None] = {None}

    def early(self, task: Task, outcome: Result) -> None:
        """Send a checking task's result, unless what it `@needs:` may change it."""
        if not task.scenario.tag("needs"):
            self.send(outcome)

    def send(self, outcome: Result) -> None:
        on_result = self._going.settings.on_result
        if on_result is None or outcome.id in self._sent:
            return
        if outcome.blocked_by not in self._sent:
            for host in _unreachable(self._going):
                if host.id == outcome.blocked_by:
                    self._sent.add(host.id)
                    on_result(host)
        self._sent.add(outcome.id)
        on_result(outcome)


def _all(going: Run) -> list[Result]:
    plan, stream = going.plan, _Stream(going)
    found: dict[int, Result] = {}
    asked: list[tuple[int, Task]] = []
    needs, refused = Needs(), []
    for place, task in enumerate(plan.tasks):
        if task.skip:
            found[place] = skipped(task, plan.hosts)
        elif task.problem:
            found[place] = problem(task, plan.hosts)
            refused.append((task, found[place]))
        else:
            asked.append((place, task))
    for outcome in found.values():
        stream.send(outcome)
    found.update(_checked(going, [(place, task) for place, task in asked if not task.acting], refused, stream))
    for task, outcome in (*refused, *((task, found[place]) for place, task in asked if not task.acting)):
        needs.judged(task, outcome)
    for place, outcome in _acting(going, [(place, task) for place, task in asked if task.acting], needs):
        stream.send(outcome)
        found[place] = outcome
    return _blockers_kept(_unreachable(going), [found[place] for place in sorted(found)])


def _checked(
    going: Run, tasks: Sequence[tuple[int, Task]], refused: Sequence[tuple[Task, Result]], stream: _Stream
) -> Iterable[tuple[int, Result]]:
    """Run checking tasks: ours together, then those with steps of the user's own.

    Args:
        refused: what could not be planned, of which nothing is known.
    """
    found: dict[int, Result] = {}
    ours = [(place, task) for place, task in tasks if not task.scenario.own]
    on_result = stream.early if going.settings.on_result is not None else None
    for (place, task), outcome in zip(ours, going.check([task for _, task in ours], on_result), strict=True):
        found[place] = outcome
        stream.early(task, outcome)  # before steps of the user's own, which may end the process
    found.update(_users(going, [(place, task) for place, task in tasks if task.scenario.own]))
    results = with_needs([found[place] for place, _ in tasks], [task for _, task in tasks], refused)
    for outcome in results:
        stream.send(outcome)
    return zip([place for place, _ in tasks], results, strict=True)


def _unreachable(going: Run) -> list[Result]:
    """Return the implicit results of the hosts that at some time could not be asked."""
    return [unreachable(going.plan.hosts[name], error) for name, error in sorted(going.blocked.items())]


def _ways(going: Run) -> list[Result]:
    """Return how the way into each host is that was asked; who answered at any time can be reached."""
    hosts = going.plan.hosts
    return [
        reached(hosts[name]) if name in going.answered else unreachable(hosts[name], going.blocked[name])
        for name in sorted({*going.answered, *going.blocked})
    ]


def _acting(going: Run, tasks: Iterable[tuple[int, Task]], needs: Needs) -> Iterable[tuple[int, Result]]:
    listed = list(tasks)
    if not listed:
        return
    from contextlib import nullcontext
    from itertools import groupby

    with (going.settings.lock or nullcontext)():
        for own, group in groupby(listed, lambda item: item[1].scenario.own):
            for place, task, outcome in (_users_in_turn if own else _in_turn)(going, list(group), needs):
                needs.judged(task, outcome)
                yield place, outcome


def _in_turn(going: Run, tasks: Sequence[tuple[int, Task]], needs: Needs) -> Iterable[tuple[int, Task, Result]]:
    """Act task by task; one whose `@needs:` does not hold changes nothing."""
    for place, task in tasks:
        blocker = needs.blocker(task)
        yield place, task, blocked(task, going.plan.hosts, blocker) if blocker else going.act(task)


def _users_in_turn(going: Run, tasks: Sequence[tuple[int, Task]], needs: Needs) -> Iterable[tuple[int, Task, Result]]:
    """The same for tasks with steps of the user's own, which run together: as things stand before the first of them."""
    blockers = {place: needs.blocker(task) for place, task in tasks}
    ran = dict(_users(going, [(place, task) for place, task in tasks if blockers[place] is None]))
    for place, task in tasks:
        blocker = blockers[place]
        yield place, task, blocked(task, going.plan.hosts, blocker) if blocker else ran[place]


def _users(going: Run, tasks: Sequence[tuple[int, Task]]) -> Iterable[tuple[int, Result]]:
    """Run tasks that hold steps of the user's own."""
    users = going.settings.users_tasks
    if users is None:
        missing = "it holds steps of your own, and whoever called has nothing to run them with"
        return [(place, result(task, going.plan.hosts, state=UNKNOWN, reason=missing)) for place, task in tasks]
    places = [place for place, _ in tasks]
    return zip(places, users([task for _, task in tasks], going), strict=True) if tasks else []


def _blockers_kept(hosts: Sequence[Result], results: Sequence[Result]) -> list[Result]:
    """Return all results; a host that could be asked in time (after a reboot, say) has no result of its own."""
    blockers = {outcome.blocked_by for outcome in results}
    return [*(host for host in hosts if host.id in blockers), *results]


def _here(plan: Plan) -> set[str]:
    """Return the hosts that are this machine and are asked as who we are."""
    return {name for name, host in plan.hosts.items() if is_here(host)}
