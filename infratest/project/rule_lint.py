"""The heal rules of a stack held against its hosts and scenarios, asking no host. Called by `infratest heal lint`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from infratest import outsiders
from infratest.errors import FeatureError, UserError
from infratest.gherkin.find import find
from infratest.gherkin.lint import heals, idle_rules
from infratest.gherkin.suite import Feature, all_scenarios
from infratest.heal.contradictions import Case, contradictions
from infratest.heal.ladder import foresee
from infratest.hosts import Host
from infratest.lifecycle.aside import INSTEAD, why_not
from infratest.outsiders import get
from infratest.plan.planner import plan
from infratest.plan.tasks import CheckStep, Task
from infratest.project.prepare import read_feature
from infratest.project.session import Session
from infratest.stack.declared import HealRule, StackFile
from infratest.stack.open import open_provider
from infratest.user_steps.load import users_steps
from infratest.values import Values


def lint_rules(session: Session) -> tuple[int, list[str]]:
    """Return how many rules there are, and all that is wrong with them, a message each.

    Raises:
        UserError: the stack file, or what it lists, cannot be read.
    """
    stack = session.stack
    problems: list[str] = []
    for rule in stack.heal:
        _told(problems, partial(foresee, rule, stack.folder))
        problems += _unfenced(session, rule)
    features, whole = _features(stack, problems)
    problems += heals(features, [rule.name for rule in stack.heal])
    if whole and not problems:
        problems += idle_rules(features, [(rule.name, rule.when_tags, rule.where) for rule in stack.heal])
        _told(problems, lambda: problems.extend(contradictions(stack.heal, hosts_of(stack), _cases(stack, features))))
    return len(stack.heal), list(dict.fromkeys(problems))


def _unfenced(session: Session, rule: HealRule) -> list[str]:
    """Return what is wrong with the rungs that need a host out of service, where its provider can never say so."""
    numbers = [
        n for n, (name, _) in enumerate(rule.do) if name in outsiders.names("remedy") and get("remedy", name).fenced
    ]
    if not numbers:
        return []
    why = why_not(open_provider(session.stack, session.state), session.stack.provider)
    return [
        f"{rule.where or 'heal'}: rule {rule.name}: do[{n}]: {rule.do[n][0]}: {why}: {INSTEAD}" for n in numbers if why
    ]


def cases(stack: StackFile) -> list[Case]:
    """Return each scenario of the project on each host that it is for. Raises UserError: one cannot be read."""
    problems: list[str] = []
    features, whole = _features(stack, problems)
    if not whole:
        raise UserError("; ".join(problems))
    return _cases(stack, features)


def _cases(stack: StackFile, features: Sequence[Feature]) -> list[Case]:
    hosts = hosts_of(stack)
    tasks = plan(all_scenarios(features), [*hosts.values()], _values(stack, hosts), problems=[]).tasks
    return [_case(task) for task in tasks]


def _told(problems: list[str], look: Callable[[], Any]) -> None:
    try:
        look()
    except UserError as error:
        problems.append(str(error))


def _features(stack: StackFile, problems: list[str]) -> tuple[list[Feature], bool]:
    """Return the features of the project, and whether all could be read; of one that cannot be, why not."""
    users = users_steps(stack.folder)
    found = []
    try:
        items = find((), stack.features, stack.folder)
    except FeatureError as error:
        problems.append(str(error))
        return [], False
    for item in items:
        try:
            found.append(read_feature(item, users))
        except FeatureError as error:
            problems += str(error).split("\n")
    return found, len(found) == len(items)


def hosts_of(stack: StackFile) -> dict[str, Host]:
    """Return the hosts by name; addresses are made up."""
    return {
        spec.name: Host(name=spec.name, groups=spec.groups, labels=spec.labels, address=spec.address or "192.0.2.1")
        for spec in stack.hosts
    }


def _values(stack: StackFile, hosts: dict[str, Host]) -> Values:
    made_up = {
        (one.kind, one.name): dict.fromkeys(get("component", one.kind).attributes, "192.0.2.1")
        for one in stack.components
    }
    return Values([*hosts.values()], stack.parameters, stack.outputs, components=made_up)


def _case(task: Task) -> Case:
    scenario = task.scenario
    claims = [
        ((look.subject, look.location, look.check), step.negated)
        for step in task.steps
        if isinstance(step, CheckStep) and step.threshold is None and not step.line.condition
        for look in step.looks
    ]
    return Case(
        where=f"{scenario.path}:{scenario.line}",
        name=scenario.name,
        id=task.id,
        host=task.host,
        tags=tuple(scenario.tags),
        claims=tuple(claims),
    )
