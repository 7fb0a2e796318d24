"""`infratest lint`: finds in features what Gherkin would swallow, undefined sentences and values that do not exist."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from infratest.cli.session import with_session
from infratest.engine import faces
from infratest.engine.readiness import check_ready
from infratest.engine.users_steps import users_steps
from infratest.errors import FeatureError, InfratestError, UserError
from infratest.gherkin.find import find
from infratest.gherkin.lint import binding, heals, needs
from infratest.gherkin.suite import Feature
from infratest.heal.ladder import foresee
from infratest.session import Session
from infratest.stack.lifecycle import Lifecycle
from infratest.units import counted


@click.command("lint", short_help="Look for mistakes in features and the stack file; asks no host.")
@click.argument("features", nargs=-1, metavar="[FEATURE ...]")
@with_session()
def command(session: Session, features: tuple[str, ...]) -> int:
    """Look for mistakes in features and the stack file, without asking any host.

    Misspelt keywords, text before the first step, empty scenarios, outlines without rows, unknown tags, equal ids,
    ambiguous and undefined sentences, bounds and units that cannot be, values in braces that do not exist. Needs no
    stack file; where there is one, it is looked at whole, and so is what features say of its hosts and values.

    Exit status: 0 nothing found, 1 something found, 2 wrong use.
    """
    has_stack = session.stack_path.exists()
    folder = session.stack.folder if has_stack else session.stack_path.parent
    declared = session.stack.features if has_stack else ()
    users = users_steps(folder)
    problems: list[str] = []
    read: list[Feature] = []
    for item in find(features, declared, folder):
        try:
            made = faces.read(item, users)
        except FeatureError as error:
            problems.append(str(error))
            continue
        read.append(made)
        problems += [f"{made.file}:{line}: {words}" for line, words in binding(made)]
    problems += needs(read, lambda: [faces.read(item, users) for item in find((), declared, folder)])
    if has_stack:
        problems += _of_stack(session)
    problems += heals(read, [rule.name for rule in session.stack.heal] if has_stack else ())
    if has_stack:
        problems += [words for words in _against_stack(session, read) if words not in problems]
    for words in problems:
        click.echo(words)
    scenarios = sum(len(feature.scenarios) for feature in read)
    found = counted(sum(words.count("\n") + 1 for words in problems), "mistake") if problems else "no mistakes found"
    click.echo(f"{counted(len(read), 'feature')}, {counted(scenarios, 'scenario')}: {found}", err=True)
    return 1 if problems else 0


def _of_stack(session: Session) -> list[str]:
    """Return what `up` or a heal would refuse of the stack file: an image that nobody has, a hook that is not there."""
    stack = session.stack
    looks: list[Callable[[], Any]] = [lambda: check_ready(stack), lambda: Lifecycle(stack, session.state).foresee()]
    looks += [partial(foresee, rule, stack.folder) for rule in stack.heal]
    problems = []
    for look in looks:
        try:
            look()
        except UserError as error:
            problems.append(str(error))
    return problems


def _against_stack(session: Session, features: list[Feature]) -> list[str]:
    """Return what does not fit the stack file: unknown groups, hosts and values. Addresses are made up for this."""
    from infratest.engine.plan import plan
    from infratest.gherkin.suite import all_scenarios
    from infratest.gherkin.values import Values
    from infratest.hosts import Host

    stack = session.stack
    hosts = [
        Host(name=spec.name, groups=spec.groups, labels=spec.labels, address=spec.address or "192.0.2.1")
        for spec in stack.hosts
    ]
    try:
        made = plan(all_scenarios(features), hosts, Values(hosts, stack.parameters, stack.outputs))
    except (UserError, InfratestError) as error:
        return [str(error)]
    found = {
        problem if problem.startswith(place) else f"{place}:{line}: {problem}": None
        for problem, place, line in ((task.problem, task.scenario.path, task.scenario.line) for task in made.tasks)
        if problem
    }
    return list(found)
