"""Scenarios and hosts to tasks: who is asked what, from where, with all values put in. Pure; `infratest plan` shows it.

A task is one scenario on one host (or once, on no host). What cannot be planned is a task with a problem: it becomes
an unknown result and stops nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from infratest.checks.base import CONTROLLER
from infratest.engine.tasks import NO_HOST, ActStep, CheckStep, Look, OtherStep, Plan, Step, Task
from infratest.errors import UserError
from infratest.gherkin.binding import Binding, bind, quantified, tail
from infratest.gherkin.later import later
from infratest.gherkin.selection import Group, Named
from infratest.gherkin.suite import (
    ACT,
    ALL,
    AT_LEAST,
    CHECK,
    CONTROLLER_VIEW,
    DEFAULT_VIEW,
    GROUP_VIEW,
    HOST_VIEW,
    NAMED_VIEW,
    SETUP,
    Line,
    Scenario,
    Tail,
)
from infratest.gherkin.values import Values, names_host
from infratest.gherkin.vocabulary import vocabulary
from infratest.hosts import GONE, STOPPED, Host


def plan(
    scenarios: Sequence[Scenario],
    hosts: Sequence[Host],
    values: Values,
    selected: Callable[[Host], bool] = lambda host: True,
    skip: Callable[[Scenario], str] = lambda scenario: "",
) -> Plan:
    """Plan scenarios on hosts.

    Args:
        values: of parameters, outputs and hosts. selected: whether `--host` has this host. skip: why a scenario is
        left out, or an empty text.
    """
    planner = _Planner(hosts, values, selected)
    tasks: list[Task] = []
    for scenario in scenarios:
        reason = skip(scenario)
        made = planner.tasks(scenario)
        # On the hosts it would run on, so that its ids stay the same when the tag comes and goes.
        tasks += [Task(scenario=scenario, host=task.host, skip=reason) for task in made] if reason else made
    return Plan(tasks=tuple(tasks), hosts={host.name: host for host in hosts})


@dataclass(frozen=True)
class _Scope:
    """Whom a scenario is about: its one host (None where it runs once), those it asks, and all that it was given."""

    host: Host | None
    hosts: Sequence[Host]
    every: Sequence[Host]


class _Planner:
    def __init__(self, hosts: Sequence[Host], values: Values, selected: Callable[[Host], bool]) -> None:
        self.hosts = hosts
        self.values = values
        self.named = values.of_named_hosts()
        self.selected = selected

    def tasks(self, scenario: Scenario) -> list[Task]:
        """Return the tasks of a scenario: one for each host given, or one for all."""
        try:
            given = self._given(scenario)
            once = self._runs_once(scenario, given)
        except UserError as error:
            return [Task(scenario=scenario, host=NO_HOST, problem=str(error))]
        chosen = [host for host in given if self.selected(host)]
        if once:
            # `--host` leaves such a scenario out only where none of its hosts is selected. What it acts on is narrowed
            # by it; what it says of all hosts is not: `on no host` would be green for those that nobody looked at.
            scope = _Scope(None, chosen if scenario.acting else given, given)
            return [self._task(scenario, scope)] if chosen or not given else []
        return [self._task(scenario, _Scope(host, [host], given)) for host in chosen]

    def _given(self, scenario: Scenario) -> list[Host]:
        names: dict[str, None] = {}
        selects = [line for line in scenario.lines if line.match and line.match.sentence.kind == SETUP]
        for line in selects:
            if line.match is not None:
                with _named(line, scenario):
                    chosen = bind(line.match, self._fill(line, scenario, None)).built.choose(self.hosts)
                names.update(dict.fromkeys(host.name for host in chosen))
        return [host for host in self.hosts if not selects or host.name in names]

    def _runs_once(self, scenario: Scenario, given: Sequence[Host]) -> bool:
        """Whether a scenario runs once: it acts, speaks across hosts, or asks nothing of a host."""
        if scenario.acting:
            return True
        asks_host = False
        for line in scenario.lines:
            if line.match is None or line.match.sentence.kind != CHECK:
                continue
            with _named(line, scenario):
                binding = bind(line.match, self._fill(line, scenario, given[0] if given else None, self.named))
            if binding.tail.across:
                return True
            asks_host = asks_host or _asks_host(line, binding, self.hosts)
        return not asks_host

    def _task(self, scenario: Scenario, scope: _Scope) -> Task:
        name = scope.host.name if scope.host else NO_HOST
        try:
            steps = tuple(self._step(line, scenario, scope) for line in scenario.lines)
        except UserError as error:
            return Task(scenario=scenario, host=name, problem=str(error))
        return Task(scenario=scenario, host=name, steps=steps)

    def _step(self, line: Line, scenario: Scenario, scope: _Scope) -> Step:
        with _named(line, scenario):
            return self._meant(line, scenario, scope)

    def _meant(self, line: Line, scenario: Scenario, scope: _Scope) -> Step:
        if line.problem or line.match is None:
            return OtherStep(line=line, problem=line.problem or ("" if line.user else undefined(line)))
        kind = line.match.sentence.kind
        if kind == SETUP:
            return OtherStep(line=line)
        if kind == ACT:
            return self._act(line, scenario, scope.hosts)
        return self._check(line, scenario, scope)

    def _act(self, line: Line, scenario: Scenario, given: Sequence[Host]) -> ActStep:
        match = line.match
        if match is None:
            raise UserError(f"{scenario.path}:{line.number}: no act")
        end = tail(match, self._fill(line, scenario, None))
        if end.across:
            raise UserError(f'{line.text!r}: which host is meant? name it, as `on "web-1"`, or leave `on` out for all')
        targets = []
        for host in self._subjects(end, given):
            targets.append((host.name, bind(match, self._fill(line, scenario, host)).built))
        if not targets:
            raise UserError(f"{line.text!r} is done to no host")
        return ActStep(line=line, targets=tuple(targets))

    def _check(self, line: Line, scenario: Scenario, scope: _Scope) -> CheckStep:
        match = line.match
        if match is None:
            raise UserError(f"{scenario.path}:{line.number}: no check")
        given = scope.hosts if quantified(match) == ALL else scope.every
        first = bind(match, self._fill(line, scenario, given[0] if given else None, self.named))
        if first.tail.quantifier == AT_LEAST and not first.tail.least:
            raise UserError(f"{line.text!r}: on at least 0 hosts it always holds; write 1 or more")
        subjects: Sequence[Host | None] = [None]
        if first.tail.across or first.tail.on or _asks_host(line, first, self.hosts):
            subjects = self._subjects(first.tail, given)
        looks: list[Look] = []
        binding: Binding | None = None
        for subject in subjects:
            # A host that is down has no address, and its sentences are blocked by it whatever they would have asked.
            down = subject is not None and subject.state in (STOPPED, GONE)
            binding = bind(match, self._fill(line, scenario, subject, self.named if down else None))
            measure = bind(match, self._fill(line, scenario, subject, self.named)).built.measure()
            for location in self._locations(binding, subject):
                looks.append(Look(subject.name if subject else NO_HOST, location, binding.built, measure))
        if binding is None:
            raise UserError(f"{scenario.path}:{line.number}: {line.text!r} is asked of no host")
        return CheckStep(
            line=line, looks=tuple(looks), negated=match.negated, threshold=binding.threshold, tail=binding.tail
        )

    def _subjects(self, end: Tail, given: Sequence[Host]) -> Sequence[Host]:
        return Named(end.on).choose(self.hosts) if end.on else given

    def _locations(self, binding: Binding, subject: Host | None) -> list[str]:
        if binding.tail.view in (NAMED_VIEW, GROUP_VIEW) and not binding.built.from_others:
            raise UserError(
                f"from {binding.tail.viewpoint!r}: this is seen on its own host alone; name the host meant with `on`"
            )
        if subject is not None and subject.state in (STOPPED, GONE):
            return [subject.name]
        view = _view(binding)
        if view == CONTROLLER_VIEW:
            return [CONTROLLER]
        if view == HOST_VIEW:
            return [subject.name] if subject else []
        chooser = Group if view == GROUP_VIEW else Named
        return [host.name for host in chooser(binding.tail.viewpoint).choose(self.hosts)]

    def _fill(
        self, line: Line, scenario: Scenario, host: Host | None, values: Values | None = None
    ) -> Callable[[str, bool], str]:
        values = (values or self.values).of(host)
        where = f"{scenario.path}:{line.number}"
        return lambda text, shell: values.fill(text, shell=shell, where=where)


@contextmanager
def _named(line: Line, scenario: Scenario) -> Iterator[None]:
    """Name file and line in what is wrong with a line, where it is not named yet."""
    where = f"{scenario.path}:{line.number}: "
    try:
        yield
    except UserError as error:
        if str(error).startswith(where):
            raise
        raise type(error)(f"{where}{error}") from None


def _view(binding: Binding) -> str:
    """Where a sentence looks from: as it says, else as its check does by itself."""
    if binding.tail.view != DEFAULT_VIEW:
        return binding.tail.view
    return CONTROLLER_VIEW if binding.built.viewpoint == CONTROLLER else HOST_VIEW


def _asks_host(line: Line, binding: Binding, hosts: Sequence[Host]) -> bool:
    """Whether a checking sentence is about the host it is asked of: looks from it, or holds a value of it."""
    if binding.tail.on:
        return False
    return _view(binding) == HOST_VIEW or names_host(line.text, [host.name for host in hosts])


def undefined(line: Line) -> str:
    """Return what is wrong with a line that is no sentence, and what to try."""
    if later(line.text):
        return f"{line.text!r}: {later(line.text)}"
    near = vocabulary().nearest(line.text)
    hint = f"did you mean: {near}" if near else "`infratest steps` lists the sentences there are"
    return f"undefined: {line.text!r} is no sentence of infratest and no step of your own; {hint}"
