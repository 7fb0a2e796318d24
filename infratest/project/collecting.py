"""What heal rules collect, looked at on a host; which scenarios are neighbours. Called by `infratest.project.heal`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from infratest.cleaning import decoded
from infratest.deadline import Deadline
from infratest.engine.run import Settings, run
from infratest.errors import InfratestError, NoFeature, NothingSelected
from infratest.gherkin.select import CHECK
from infratest.gherkin.suite import THEN, Line, Scenario
from infratest.gherkin.vocabulary import vocabulary
from infratest.heal.collecting import Collectable, wanted
from infratest.heal.records import Collected
from infratest.hosts import Host
from infratest.model import Result
from infratest.plan.planner import plan
from infratest.project.prepare import Request, choose, plan_for, prepare, read_feature
from infratest.project.session import Session
from infratest.stack.declared import HealRule
from infratest.stack.open import open_transport
from infratest.states import OK
from infratest.transports.base import Transport
from infratest.values import Values

Collector = Callable[[HealRule, Host, Transport | None, Deadline], Sequence[Collected]]


def collector(session: Session) -> Collector:
    """Return what looks at what a rule collects. Raises UserError: a rule collects what is no sentence that checks."""
    known = {rule.name: wanted(rule) for rule in session.stack.heal if rule.collect}

    def collect(rule: HealRule, host: Host, transport: Transport | None, deadline: Deadline) -> Sequence[Collected]:
        return [_collected(session, one, host, transport, deadline) for one in known.get(rule.name, ())]

    return collect


def _collected(
    session: Session, one: Collectable, host: Host, transport: Transport | None, deadline: Deadline
) -> Collected:
    if deadline.passed:
        return Collected(what=one.text, error="no time was left for it")
    try:
        if not one.command:
            return Collected(what=one.text, words=_judged(session, one, host, deadline))
        if transport is None:
            return Collected(what=one.text, error=f"there is no connection to {host.name}")
        answer = transport.run(list(one.command), deadline, sudo=one.sudo and host.sudo)
    except InfratestError as error:
        return Collected(what=one.text, error=str(error))
    words = decoded(answer.stdout) + decoded(answer.stderr)
    return Collected(what=one.text, words=words, error=f"exit {answer.exit}" if answer.exit != 0 else "")


def _judged(session: Session, one: Collectable, host: Host, deadline: Deadline) -> str:
    """Return how a sentence stands, in words, with what the host answered where it does not hold."""
    stack = session.stack
    made = plan([_scenario(session, one)], [host], Values([host], stack.parameters, stack.outputs))
    results, _ = run(made, open_transport, Settings(seconds=deadline.left, jobs=1))
    return "\n".join(_words(result) for result in results)


def _words(result: Result) -> str:
    said = [f"{result.state}: {result.reason}" if result.state != OK else result.state]
    for step in result.steps:
        said += [f"{seen.name} {seen.value}{seen.unit}" for seen in step.observations]
        said += [evidence.output for evidence in step.evidence]
    return "\n".join(said)


def _scenario(session: Session, one: Collectable) -> Scenario:
    line = Line(THEN, "Then", one.text, 1, vocabulary().match(one.text))
    return Scenario(feature=str(session.stack.path), feature_name="collect", name="collected", line=1, lines=(line,))


def neighbours(session: Session, rule: HealRule, deadline: Deadline | None) -> list[str]:
    """Return the ids of the scenarios that must not be worse after a heal by a rule, on whatever hosts.

    Raises:
        InfratestError: they cannot be planned.
    """
    request = Request(tags=(rule.neighbours,), face=CHECK)
    prepared = prepare(replace(session, host=()), request, deadline=deadline)
    return [task.id for task in prepared.plan.tasks if not task.skip]


def planned(
    session: Session, feature: str, deadline: Deadline | None, hosts: Sequence[Host] | None = None
) -> list[str]:
    """Return the ids of all scenarios of a feature that checks are for, on whatever hosts, skipped now or not.

    Of a feature that is there no longer that is none.

    Args:
        feature: its path, as ids name it. hosts: as they are; asked of the provider where not given.
    Raises:
        InfratestError: as `neighbours`.
    """
    session, request = replace(session, host=()), Request(of_ids=(feature,), face=CHECK)
    try:
        choice = choose(session, request, read_feature)
    except (NoFeature, NothingSelected):
        return []
    return [task.id for task in plan_for(session, request, choice, hosts, steps=False, deadline=deadline).plan.tasks]
