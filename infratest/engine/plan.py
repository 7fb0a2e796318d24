"""Scenarios and hosts to tasks: who is asked what, from where, with all values put in. Pure; `infratest plan` shows it.

A task is one scenario on one host (or once, on no host). What cannot be planned is a task with a problem: it becomes
an unknown result and stops nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from infratest.acts import Act
from infratest.checks.base import CONTROLLER, Check, Measure
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.binding import (
    CONTROLLER_VIEW,
    DEFAULT_VIEW,
    GROUP_VIEW,
    HOST_VIEW,
    Binding,
    Tail,
    bind,
    tail,
)
from infratest.gherkin.phrases import ACT, CHECK, SETUP
from infratest.gherkin.selection import Group, Named
from infratest.gherkin.suite import Line, Scenario
from infratest.gherkin.values import Values, names_host
from infratest.gherkin.vocabulary import vocabulary
from infratest.hosts import Host
from infratest.thresholds import Threshold

#: The host of a scenario that runs once.
NO_HOST = "-"


@dataclass(frozen=True)
class Look:
    """One check about one subject host (or NO_HOST), asked at a location: a host's name or CONTROLLER.

    `measure` is the number it looks at, labelled with hosts' names for their addresses: a stack that is made anew has
    other addresses, and the graphs of a monitoring system go by the label.
    """

    subject: str
    location: str
    check: Check
    measure: Measure | None = None


@dataclass(frozen=True, kw_only=True)
class CheckStep:
    """A checking sentence: its looks, and on how many of them it must hold."""

    line: Line
    looks: tuple[Look, ...]
    negated: bool
    threshold: Threshold | None
    tail: Tail


@dataclass(frozen=True, kw_only=True)
class ActStep:
    """An acting sentence: what is done to which hosts."""

    line: Line
    targets: tuple[tuple[str, Act], ...]


@dataclass(frozen=True, kw_only=True)
class OtherStep:
    """A line that asks nothing: a selection (no problem), an undefined sentence, or a step of the user's own."""

    line: Line
    problem: str = ""


Step = CheckStep | ActStep | OtherStep


@dataclass(frozen=True, kw_only=True)
class Task:
    """One scenario on one host. `problem` says why it cannot be asked, `skip` why it is left out; both else empty."""

    scenario: Scenario
    host: str
    steps: tuple[Step, ...] = ()
    problem: str = ""
    skip: str = ""

    @property
    def id(self) -> str:
        return self.scenario.id(self.host)

    @property
    def acting(self) -> bool:
        return self.scenario.acting


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All tasks of a run, in the order of the features."""

    tasks: tuple[Task, ...]
    hosts: Mapping[str, Host]

    def needs(self) -> dict[str, dict[Need, None]]:
        """Return what the checking tasks need, by location, each once, in order."""
        steps = [step for task in self.tasks if not task.acting and not task.skip for step in task.steps]
        return needs_of(step for step in steps if isinstance(step, CheckStep))


def needs_of(steps: Iterable[CheckStep]) -> dict[str, dict[Need, None]]:
    """Return what these steps need, by location, each once, in order."""
    found: dict[str, dict[Need, None]] = {}
    for step in steps:
        for look in step.looks:
            found.setdefault(look.location, {}).update(dict.fromkeys(look.check.needs()))
    return found


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
        if reason:
            tasks.append(Task(scenario=scenario, host=NO_HOST, skip=reason))
        else:
            tasks += planner.tasks(scenario)
    return Plan(tasks=tuple(tasks), hosts={host.name: host for host in hosts})


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
            once = self._runs_once(scenario)
        except UserError as error:
            return [Task(scenario=scenario, host=NO_HOST, problem=str(error))]
        chosen = [host for host in given if self.selected(host)]
        if once:
            # `--host` leaves such a scenario out only where none of its hosts is selected.
            return [self._task(scenario, None, chosen)] if chosen or not given else []
        return [self._task(scenario, host, [host]) for host in chosen]

    def _given(self, scenario: Scenario) -> list[Host]:
        names: dict[str, None] = {}
        selects = [line for line in scenario.lines if line.match and line.match.sentence.kind == SETUP]
        for line in selects:
            if line.match is not None:
                chosen = bind(line.match, self._fill(line, scenario, None)).built.choose(self.hosts)
                names.update(dict.fromkeys(host.name for host in chosen))
        return [host for host in self.hosts if not selects or host.name in names]

    def _runs_once(self, scenario: Scenario) -> bool:
        """Whether a scenario runs once: it acts, speaks across hosts, or asks nothing of a host."""
        if scenario.acting:
            return True
        asks_host = False
        for line in scenario.lines:
            if line.match is None or line.match.sentence.kind != CHECK:
                continue
            end = tail(line.match, lambda text, shell: text)
            if end.across:
                return True
            view = end.view
            if view == DEFAULT_VIEW:
                view = CONTROLLER_VIEW if _default_view(line) == CONTROLLER else HOST_VIEW
            asks_host = asks_host or view == HOST_VIEW or bool(end.on) or names_host(line.text)
        return not asks_host

    def _task(self, scenario: Scenario, host: Host | None, given: Sequence[Host]) -> Task:
        name = host.name if host else NO_HOST
        try:
            steps = tuple(self._step(line, scenario, host, given) for line in scenario.lines)
        except UserError as error:
            return Task(scenario=scenario, host=name, problem=str(error))
        return Task(scenario=scenario, host=name, steps=steps)

    def _step(self, line: Line, scenario: Scenario, host: Host | None, given: Sequence[Host]) -> Step:
        if line.match is None:
            return OtherStep(line=line, problem="" if line.user else _undefined(line))
        kind = line.match.sentence.kind
        if kind == SETUP:
            return OtherStep(line=line)
        if kind == ACT:
            return self._act(line, scenario, given)
        return self._check(line, scenario, host, given)

    def _act(self, line: Line, scenario: Scenario, given: Sequence[Host]) -> ActStep:
        match = line.match
        if match is None:
            raise UserError(f"{scenario.path}:{line.number}: no act")
        targets = []
        for host in self._subjects(tail(match, self._fill(line, scenario, None)), given):
            targets.append((host.name, bind(match, self._fill(line, scenario, host)).built))
        return ActStep(line=line, targets=tuple(targets))

    def _check(self, line: Line, scenario: Scenario, host: Host | None, given: Sequence[Host]) -> CheckStep:
        match = line.match
        if match is None:
            raise UserError(f"{scenario.path}:{line.number}: no check")
        end = tail(match, self._fill(line, scenario, host))
        asked = self._asked_of_hosts(line, end)
        looks: list[Look] = []
        binding: Binding | None = None
        for subject in self._subjects(end, given) if asked else [None]:
            binding = bind(match, self._fill(line, scenario, subject))
            measure = bind(match, self._fill(line, scenario, subject, self.named)).built.measure()
            for location in self._locations(binding, subject):
                looks.append(Look(subject.name if subject else NO_HOST, location, binding.built, measure))
        if binding is None:
            raise UserError(f"{scenario.path}:{line.number}: {line.text!r} is asked of no host")
        return CheckStep(
            line=line, looks=tuple(looks), negated=match.negated, threshold=binding.threshold, tail=binding.tail
        )

    def _asked_of_hosts(self, line: Line, end: Tail) -> bool:
        if end.across or end.on or end.view == HOST_VIEW or names_host(line.text):
            return True
        return end.view == DEFAULT_VIEW and _default_view(line) != CONTROLLER

    def _subjects(self, end: Tail, given: Sequence[Host]) -> Sequence[Host]:
        return Named(end.on).choose(self.hosts) if end.on else given

    def _locations(self, binding: Binding, subject: Host | None) -> list[str]:
        view = binding.tail.view
        if view == DEFAULT_VIEW:
            view = CONTROLLER_VIEW if binding.built.viewpoint == CONTROLLER else HOST_VIEW
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


def _default_view(line: Line) -> str:
    """Where a check looks from by itself; built with its values still in braces, which no check minds."""
    if line.match is None:
        return CONTROLLER
    viewpoint: str = bind(line.match, _as_written).built.viewpoint
    return viewpoint


def _as_written(text: str, shell: bool) -> str:
    """Leave values as they are; where a number must stand, any number does to learn what kind of check it is."""
    return "1" if text.startswith("{") and text.endswith("}") else text


def _undefined(line: Line) -> str:
    near = vocabulary().nearest(line.text)
    hint = f"did you mean: {near}" if near else "`infratest steps` lists the sentences there are"
    return f"undefined: {line.text!r} is no sentence of infratest and no step of your own; {hint}"
