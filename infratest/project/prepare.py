"""From the options of a call to a plan: features read, scenarios chosen, hosts asked for, all of it planned.

`infratest test`, `check`, `check_infratest`, the pytest plugin and the behave runner all come through here, so they
cannot differ. `execute` carries out what this prepares.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from infratest.deadline import Deadline
from infratest.engine.apart import defects_told
from infratest.errors import FeatureError, NoFeature, UserError
from infratest.gherkin import lint
from infratest.gherkin.find import FeaturePath, find, named
from infratest.gherkin.parse import feature
from infratest.gherkin.select import CHECK, refuse_acting, select, why_skipped
from infratest.gherkin.suite import Feature, Line, Scenario
from infratest.gherkin.vocabulary import vocabulary
from infratest.hosts import Host
from infratest.plan.planner import plan, step_of
from infratest.plan.tasks import Plan, Step, Task
from infratest.project.session import Session
from infratest.project.waivers import held_against
from infratest.stack.declared import StackFile
from infratest.stack.open import component_values, open_hosts
from infratest.user_steps.load import UsersSteps, users_steps
from infratest.values import Values

#: Seconds that asking the provider what its hosts are may take.
PROVIDER_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a front end was asked to run.

    Args:
        features: as a user names them. of_ids: those alone that ids name so.
        tags: tag expressions. scenario: a slug. face: `test`, `check` or `drill`.
        yes_production: scenarios that act may run on a stack that is production.
        wait: seconds to wait for the stack's lock, where scenarios act and another run may hold it.
    """

    features: Sequence[str] = ()
    of_ids: Sequence[str] = ()
    tags: Sequence[str] = ()
    scenario: str | None = None
    face: str = "test"
    yes_production: bool = False
    wait: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Scenarios to plan, the features that they stand in, and the user's own steps, where there are any."""

    scenarios: Sequence[Scenario]
    features: Sequence[Feature] = ()
    users: UsersSteps | None = None


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A run that can begin: its plan, and what it was made from."""

    plan: Plan
    features: Sequence[Feature]
    scenarios: Sequence[Scenario] = ()
    users: UsersSteps | None = None
    plan_line: Callable[[Line, Task], Step] | None = None


@defects_told
def prepare(
    session: Session, request: Request, hosts: Sequence[Host] | None = None, deadline: Deadline | None = None
) -> Prepared:
    """Read the features, look at what is up, and plan.

    Args:
        hosts: as they are; asked of the provider where not given. deadline: of the whole call.
    Raises:
        InfratestError: whatever stands in the way before the first question.
    """
    prepared = plan_for(session, request, choose(session, request, read_feature), hosts, deadline=deadline)
    if not prepared.plan.tasks:
        raise UserError(f"{session.asked}: none of the scenarios is about it: nothing to run")
    return prepared


@defects_told
def choose(session: Session, request: Request, reader: Callable[[FeaturePath, UsersSteps | None], Feature]) -> Choice:
    """Return the scenarios that were asked for.

    Args:
        reader: reads a feature file, as `read_feature` does.
    Raises:
        InfratestError: a feature that cannot be read, a name in one that is none, or nothing that is asked for.
    """
    stack = session.stack
    if request.of_ids:
        files = named(request.of_ids, stack.folder)
    else:
        files = find(request.features, stack.features, stack.folder)
    users = users_steps(stack.folder)
    features = [reader(file, users) for file in files]
    problems = lint.heals(features, [rule.name for rule in stack.heal])
    problems += lint.needs(features, lambda: [reader(file, users) for file in _all(stack)])
    if problems:
        raise FeatureError("\n".join(problems))
    lines = {file.name: file.lines for file in files}
    scenarios = select(features, lines, tags=request.tags, slug=request.scenario, face=request.face)
    _refuse_acting(stack, request, scenarios)
    return Choice(scenarios=scenarios, features=features, users=users)


def _all(stack: StackFile) -> Sequence[FeaturePath]:
    """Return the project's feature files; none where there is no project around the one that was named."""
    try:
        return find((), stack.features, stack.folder)
    except NoFeature:
        return ()


def _refuse_acting(stack: StackFile, request: Request, scenarios: Sequence[Scenario]) -> None:
    """Refuse scenarios that act in a check, and on a production stack without the user's word. Raises FeatureError."""
    if request.face == CHECK:
        refuse_acting(scenarios, "a check only looks: tag it @test to leave it out of checks")
    elif stack.production and not request.yes_production:
        other = f"run it on another environment, or by `infratest {request.face} --yes-production`"
        refuse_acting(scenarios, f"{stack.name} is production: {other}")


@defects_told
def plan_for(
    session: Session,
    request: Request,
    choice: Choice,
    hosts: Sequence[Host] | None = None,
    steps: bool = True,
    deadline: Deadline | None = None,
) -> Prepared:
    """Plan scenarios on the hosts as they are.

    Args:
        hosts: as they are; asked of the provider where not given. steps: as for `plan`. deadline: of the whole call.
    Raises:
        InfratestError: the provider cannot say what its hosts are, or `--host` names none of them.
    """
    stack = session.stack
    known = list(hosts) if hosts is not None else stack_hosts(session, deadline)
    names = set(session.selected([host.name for host in known]))
    values = Values(known, stack.parameters, stack.outputs, components=component_values(stack, session.state))
    skip = why_skipped(request.tags)
    made = plan(choice.scenarios, known, values, lambda host: host.name in names, skip, steps=steps)
    if steps and stack.waivers:
        reader = partial(read_feature, users=choice.users)
        ids = {task.id for task in made.tasks}
        made = made.changed(waivers=held_against(stack, ids, choice.features, reader, known, values))
    return Prepared(
        plan=made,
        features=choice.features,
        scenarios=choice.scenarios,
        users=choice.users,
        plan_line=lambda line, task: step_of(line, task, known, values),
    )


def stack_hosts(session: Session, deadline: Deadline | None = None) -> list[Host]:
    """Ask the provider what the stack's hosts are now.

    Args:
        deadline: of the whole call; the question has at most PROVIDER_SECONDS of it.
    Raises:
        InfratestError: the provider cannot say.
    """
    limit = Deadline(PROVIDER_SECONDS) if deadline is None else deadline.at_most(PROVIDER_SECONDS)
    return open_hosts(session.stack, session.state, limit)


def read_feature(file: FeaturePath, users: UsersSteps | None = None) -> Feature:
    """Return one feature file, parsed and linted. Raises FeatureError."""
    if users is None:
        return feature(file.path, file.name, vocabulary())
    from infratest.user_steps.calls import kind

    return feature(file.path, file.name, vocabulary(), partial(kind, users))
