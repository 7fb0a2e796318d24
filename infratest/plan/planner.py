"""Scenarios and hosts to tasks: who is asked what, from where, with all values put in. Pure; `infratest plan` shows it.

A task is one scenario on one host (or once, on no host). What cannot be planned is a task with a problem: it becomes
an unknown result and stops nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infratest import later
from infratest.acts.base import OfAddress
from infratest.errors import UserError
from infratest.gherkin.selection import Group, Named
from infratest.gherkin.sentence import ACT, AGGREGATES, ALL, APART, CHECK, EVERY, HOST_VIEW, SETUP, Tail
from infratest.gherkin.suite import Line, Scenario
from infratest.gherkin.vocabulary import vocabulary
from infratest.hosts import Host
from infratest.plan.bound import Bound, named_in
from infratest.plan.misfits import misfits
from infratest.plan.sessions import in_sessions
from infratest.plan.tasks import NO_HOST, ActStep, CheckStep, Look, OtherStep, Plan, Step, Task, label
from infratest.plan.viewpoints import locations
from infratest.values import Values, names_host


def plan(
    scenarios: Sequence[Scenario],
    hosts: Sequence[Host],
    values: Values,
    selected: Callable[[Host], bool] = lambda host: True,
    skip: Callable[[Scenario], str] = lambda scenario: "",
    problems: list[str] | None = None,
    steps: bool = True,
) -> Plan:
    """Plan scenarios on hosts.

    Args:
        values: of parameters, outputs and hosts. selected: whether `--host` has this host. skip: why a scenario is
        left out, or an empty text. problems: takes all that cannot be planned, each with its file and line.
        steps: whether the tasks have steps; without, it is only known which there are.
    """
    planner = _Planner(hosts, values, selected, problems, steps)
    tasks: list[Task] = []
    for scenario in scenarios:
        reason = skip(scenario)
        made = planner.tasks(scenario)
        # On the hosts it would run on, so that its ids stay the same when the tag comes and goes.
        tasks += [Task(scenario=scenario, host=task.host, skip=reason) for task in made] if reason else made
    return Plan(tasks=tuple(tasks), hosts={host.name: host for host in hosts})


def step_of(line: Line, task: Task, hosts: Sequence[Host], values: Values) -> Step:
    """Return what a line comes to in a task that is planned already: a sentence that a step of the user's own holds.

    Raises:
        UserError: it cannot be planned.
    """
    chosen = [host for host in hosts if host.name in task.given]
    host = next((host for host in hosts if host.name == task.host), None)
    scope = _Scope(host, [host] if host else chosen, chosen)
    return _Planner(hosts, values, lambda host: True, None, True)._step(line, task.scenario, scope)


@dataclass(frozen=True)
class _Scope:
    """Whom a scenario is about: its one host (None where it runs once), those it asks, and all that it was given."""

    host: Host | None
    hosts: Sequence[Host]
    every: Sequence[Host]


class _Planner:
    def __init__(
        self,
        hosts: Sequence[Host],
        values: Values,
        selected: Callable[[Host], bool],
        problems: list[str] | None,
        with_steps: bool,
    ) -> None:
        self.hosts = hosts
        self.names = [host.name for host in hosts]
        self.with_steps = with_steps
        self.values = values
        self.selected = selected
        self.problems = problems
        self.bound = Bound(hosts, values)
        self.numbers: dict[tuple[str, str], tuple[Look, str]] = {}  # by host and label, with the name it was given
        self.aggregates: dict[str, tuple[object, ...]] = {}  # by label

    def tasks(self, scenario: Scenario) -> list[Task]:
        """Return the tasks of a scenario: one for each host given, or one for all."""
        self.bound.begin()
        try:
            given = self._given(scenario)
            once = self._runs_once(scenario, given)
        except UserError as error:
            return [self._refused(scenario, NO_HOST, _Scope(None, self.hosts, self.hosts), error)]
        chosen = [host for host in given if self.selected(host)]
        if once:
            # `--host` leaves such a scenario out only where none of its hosts is selected. What it acts on is narrowed
            # by it; what it says of all hosts is not: `on no host` would be green for those that nobody looked at.
            scope = _Scope(None, chosen if scenario.acting else given, given)
            return [self._task(scenario, scope)] if chosen or not given else []
        return [self._task(scenario, _Scope(host, [host], given)) for host in chosen]

    def _note(self, scenario: Scenario, hosts: Sequence[Host], problem: str) -> None:
        """Note a problem, and what else is wrong with its scenario, where all of it is asked for."""
        if self.problems is not None:
            others = misfits(scenario, hosts, self.hosts, self.values)
            self.problems += [each for each in dict.fromkeys([*others, problem]) if each not in self.problems]

    def _given(self, scenario: Scenario) -> list[Host]:
        names: dict[str, None] = {}
        selects = [line for line in scenario.lines if line.match and line.match.sentence.kind == SETUP]
        for line in selects:
            with named_in(line, scenario):
                chosen = self.bound.bind(line, scenario, None).built.choose(self.hosts)
            names.update(dict.fromkeys(host.name for host in chosen))
        return [host for host in self.hosts if not selects or host.name in names]

    def _runs_once(self, scenario: Scenario, given: Sequence[Host]) -> bool:
        """Whether a scenario runs once: it acts, speaks across hosts, or asks nothing of a host."""
        if scenario.acting:
            return True
        checks = [line for line in scenario.lines if line.match is not None and line.match.sentence.kind == CHECK]
        if any(line.match is not None and line.match.quantifier != ALL for line in checks):
            return True
        asks_host = False
        for line in checks:
            with named_in(line, scenario):
                asks_host = self._asks_host(line, scenario, given[0] if given else None) or asks_host
        own = (text for line in scenario.lines if line.user for text in line.texts)
        return not asks_host and not any(names_host(text, self.names) for text in own)

    def _asks_host(self, line: Line, scenario: Scenario, host: Host | None) -> bool:
        """Whether a checking sentence is about the host it is asked of: looks from it, or holds a value of it."""
        if line.match is None or "on_host" in line.match.groups:
            return False
        return names_host(line.text, self.names) or self.bound.view(line, scenario, host) == HOST_VIEW

    def _task(self, scenario: Scenario, scope: _Scope) -> Task:
        name = scope.host.name if scope.host else NO_HOST
        if not self.with_steps:
            return Task(scenario=scenario, host=name)
        try:
            steps = tuple(self._step(line, scenario, scope) for line in scenario.lines)
            # Steps of the user's own may hold some of a session, so there it is known when they are reached.
            steps = steps if scenario.own else in_sessions(steps, scenario.path)
        except UserError as error:
            return self._refused(scenario, name, scope, error)
        chosen = (scope.hosts if scope.host is None else scope.every) if scenario.own else ()
        return Task(scenario=scenario, host=name, steps=steps, given=tuple(host.name for host in chosen))

    def _refused(self, scenario: Scenario, host: str, scope: _Scope, error: UserError) -> Task:
        """Return a task that cannot be asked; its steps are the sentences that stand in the way, each with its reason.

        Args:
            error: the first that was met.
        """
        self._note(scenario, [scope.host] if scope.host else scope.hosts, str(error))
        steps = [step for line in scenario.lines if (step := self._misfit(line, scenario, scope)) is not None]
        reasons = "; ".join(f"line {step.line.number}: {step.problem}" for step in steps)
        return Task(scenario=scenario, host=host, steps=tuple(steps), problem=reasons or str(error))

    def _misfit(self, line: Line, scenario: Scenario, scope: _Scope) -> OtherStep | None:
        """Return a line with the reason why it cannot be planned; None where it can."""
        try:
            if line.match is not None and line.match.sentence.kind == SETUP:
                self.bound.bind(line, scenario, None).built.choose(self.hosts)
            step = self._meant(line, scenario, scope)
        except UserError as error:
            return OtherStep(line=line, problem=str(error).removeprefix(f"{scenario.path}:{line.number}: "))
        return step if isinstance(step, OtherStep) and step.problem else None

    def _step(self, line: Line, scenario: Scenario, scope: _Scope) -> Step:
        with named_in(line, scenario):
            return self._meant(line, scenario, scope)

    def _meant(self, line: Line, scenario: Scenario, scope: _Scope) -> Step:
        if line.problem:
            return OtherStep(line=line, problem=line.problem)
        if line.match is None and line.user:
            values, where = self.values.of(scope.host), f"{scenario.path}:{line.number}"
            text, *below = (values.fill(each, where=where, doubled=False) for each in line.texts)
            return OtherStep(line=line, text=text, below=tuple(below))
        if line.match is None:
            return OtherStep(line=line, problem=undefined(line))
        kind = line.match.sentence.kind
        if kind == SETUP:
            return OtherStep(line=line)
        if kind == ACT:
            return self._act(line, scenario, scope.hosts)
        return self._check(line, scenario, scope)

    def _act(self, line: Line, scenario: Scenario, given: Sequence[Host]) -> ActStep:
        end = self.bound.tail(line, scenario, None)
        if end.across and end.quantifier != EVERY:
            raise UserError(
                f"'{line.text}': which host is meant? name it, as `on \"web-1\"`, or leave `on` out for all"
            )
        named = self.bound.named(line, scenario)
        subjects = Named(named).choose(self.hosts) if named else self._of_address(line, scenario, end, given)
        targets = []
        for host in subjects:
            targets.append((host.name, self.bound.bind(line, scenario, host).built))
        if not targets:
            raise UserError(f"'{line.text}' is done to no host")
        return ActStep(line=line, targets=tuple(targets))

    def _of_address(self, line: Line, scenario: Scenario, end: Tail, given: Sequence[Host]) -> Sequence[Host]:
        """Return the hosts an act is done to: all that are given, or the one whose address it names itself."""
        subjects = self._subjects(end, given)
        if not subjects:
            return ()
        made = self.bound.bind(line, scenario, subjects[0]).built
        if not isinstance(made, OfAddress):
            return subjects
        owners = [host for host in self.hosts if made.address in (host.name, host.address)]
        if not owners:
            raise UserError(
                f"'{line.text}': {made.address} is no host of this stack, and no others are acted on; its hosts are "
                f"{', '.join(f'{host.name} ({host.address})' if host.address else host.name for host in self.hosts)}"
            )
        return owners[:1]

    def _check(self, line: Line, scenario: Scenario, scope: _Scope) -> CheckStep:
        match = line.match
        if match is None:
            raise UserError(f"{scenario.path}:{line.number}: no check")
        given = scope.hosts if match.quantifier == ALL else scope.every
        first = given[0] if given else None
        end = self.bound.tail(line, scenario, first)
        subjects: Sequence[Host | None] = [None]
        if end.across or end.on or self._asks_host(line, scenario, first):
            subjects = self._subjects(end, given)
        looks: list[Look] = []
        binding = None
        for subject in subjects:
            binding = self.bound.bind(line, scenario, subject)
            for location in locations(binding, subject, self.hosts):
                look = Look(subject.name if subject else NO_HOST, location, binding.built, binding.measure)
                self._refuse_other_number(line, look, binding.tail)
                looks.append(look)
        if binding is None:
            raise UserError(f"{scenario.path}:{line.number}: '{line.text}' is asked of no host")
        if end.quantifier in (*AGGREGATES, APART):
            self._refuse_other_hosts(line, looks, binding.tail)
        return CheckStep(
            line=line, looks=tuple(looks), negated=match.negated, threshold=binding.threshold, tail=binding.tail
        )

    def _refuse_other_number(self, line: Line, look: Look, end: Tail) -> None:
        """Refuse a name by which two numbers of a host would be one: a graph would hold the one or the other."""
        if look.measure is None:
            return
        name = look.measure.label
        other, named = self.numbers.setdefault((look.subject, name), (look, end.named))
        if (named or end.named) and (other.check, other.location) != (look.check, look.location):
            raise UserError(f"'{line.text}': {name!r} names another number already; name each differently")

    def _refuse_other_hosts(self, line: Line, looks: Sequence[Look], end: Tail) -> None:
        """Refuse a name for what is made of numbers that differ: of other hosts, or of another kind on each."""
        names = {look.measure.label for look in looks if look.measure is not None}
        if len(names) > 1:
            raise UserError(
                f"'{line.text}': its number has another name on each host; add `, named \"...\"` to its bound"
            )
        asked = tuple((look.subject, look.location, look.check) for look in looks)
        if self.aggregates.setdefault(label(names.pop(), end), asked) != asked:
            raise UserError(
                f"'{line.text}': other hosts have a number of this name; add `, named \"...\"` to its bound"
            )

    def _subjects(self, end: Tail, given: Sequence[Host]) -> Sequence[Host]:
        if end.group:
            return Group(end.group).choose(self.hosts)
        return Named(end.on).choose(self.hosts) if end.on else given


def undefined(line: Line) -> str:
    """Return what is wrong with a line that is no sentence, and what to try."""
    if later.sentence(line.text):
        return f"'{line.text}': {later.sentence(line.text)}"
    from infratest.gherkin.hints import NO_HINT, hint

    told = hint(line.text, line.kind, vocabulary()) or NO_HINT
    return f"undefined: '{line.text}' is no sentence of infratest and no step of your own; {told}"
