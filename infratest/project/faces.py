"""What every face calls: from a session's options to a plan, from the plan to a report, from the report to a heal.

`infratest test`, `check`, `check_infratest`, the pytest plugin and the behave runner all come through here, so they
cannot differ.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from infratest import rfc3339
from infratest.deadline import Deadline
from infratest.engine.apart import defects_told
from infratest.engine.run import Settings, reported
from infratest.errors import FeatureError, InfratestError, StateError, UserError
from infratest.gherkin import lint
from infratest.gherkin.find import Found, find
from infratest.gherkin.parse import feature
from infratest.gherkin.select import CHECK, refuse_acting, select, why_skipped
from infratest.gherkin.suite import Feature, Line, Scenario
from infratest.gherkin.vocabulary import vocabulary
from infratest.hosts import Host
from infratest.lifecycle.lease import renew
from infratest.model import Report, Result
from infratest.plan.planner import plan, step_of
from infratest.plan.tasks import Plan, Step, Task
from infratest.project.session import Session
from infratest.project.undo_journal import UndoJournal
from infratest.stack.open import open_hosts, open_transport, opened
from infratest.store import history
from infratest.store.keep import keep
from infratest.user_steps.load import UsersSteps, users_steps
from infratest.values import Values

if TYPE_CHECKING:
    from infratest.collect.connections import Held
    from infratest.heal.records import HealRecord

log = logging.getLogger(__name__)

#: Seconds that asking the provider what its hosts are may take.
PROVIDER_SECONDS = 30.0
#: Seconds of a whole run, where `--timeout` says nothing else. A check's is the guidelines' ten.
SECONDS = {"test": 600.0, "check": 10.0}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a face was asked for.

    Args:
        features: as a user names them. tags: tag expressions. scenario: a slug. face: `test` or `check`.
        yes_production: scenarios that act may run on a stack that is production.
        wait: seconds to wait for the stack's lock, where scenarios act and another run may hold it.
    """

    features: Sequence[str] = ()
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
    """A run that could begin: its plan, and what it was made from."""

    plan: Plan
    features: Sequence[Feature]
    users: UsersSteps | None = None
    plan_line: Callable[[Line, Task], Step] | None = None


@defects_told
def prepare(
    session: Session, wanted: Wanted, hosts: Sequence[Host] | None = None, deadline: Deadline | None = None
) -> Prepared:
    """Read the features, look at what is up, and plan.

    Args:
        hosts: as they are; asked of the provider where not given. deadline: of the whole call.
    Raises:
        InfratestError: whatever stands in the way before the first question.
    """
    made = plan_for(session, wanted, choose(session, wanted, read), hosts, deadline=deadline)
    if not made.plan.tasks:
        raise UserError(f"--host {' '.join(session.host)}: none of the scenarios is about it: nothing to run")
    return made


@defects_told
def choose(session: Session, wanted: Wanted, reader: Callable[[Found, UsersSteps | None], Feature]) -> Choice:
    """Return the scenarios that were asked for.

    Args:
        reader: reads a feature file, as `read` does.
    Raises:
        InfratestError: a feature that cannot be read, a name in one that is none, or nothing that is asked for.
    """
    stack = session.stack
    found = find(wanted.features, stack.features, stack.folder)
    users = users_steps(stack.folder)
    features = [reader(item, users) for item in found]
    wrong = lint.heals(features, [rule.name for rule in stack.heal])
    wrong += lint.needs(features, lambda: [reader(item, users) for item in find((), stack.features, stack.folder)])
    if wrong:
        raise FeatureError("\n".join(wrong))
    lines = {item.name: item.lines for item in found}
    scenarios = select(features, lines, tags=wanted.tags, slug=wanted.scenario, face=wanted.face)
    if wanted.face == CHECK:
        refuse_acting(scenarios, "a check only looks: tag such a scenario @test to leave it out of checks")
    elif stack.production and not wanted.yes_production:
        other = "run such scenarios on another environment, or by `infratest test --yes-production`"
        refuse_acting(scenarios, f"{stack.name} is production: {other}")
    return Choice(scenarios=scenarios, features=features, users=users)


@defects_told
def plan_for(
    session: Session,
    wanted: Wanted,
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
    known = list(hosts) if hosts is not None else open_hosts(stack, session.state, _asking(deadline))
    names = set(session.selected([host.name for host in known]))
    values = Values(known, stack.parameters, stack.outputs)
    skip = why_skipped(wanted.tags)
    made = plan(choice.scenarios, known, values, lambda host: host.name in names, skip, steps=steps)
    return Prepared(
        plan=made,
        features=choice.features,
        users=choice.users,
        plan_line=lambda line, task: step_of(line, task, known, values),
    )


def _asking(deadline: Deadline | None) -> Deadline:
    """Return the deadline of asking the provider what its hosts are."""
    return Deadline(PROVIDER_SECONDS) if deadline is None else deadline.at_most(PROVIDER_SECONDS)


def read(item: Found, users: UsersSteps | None = None) -> Feature:
    """Return one feature file, parsed and linted."""
    if users is None:
        return feature(item.path, item.name, vocabulary())
    from infratest.user_steps.calls import kind

    return feature(item.path, item.name, vocabulary(), partial(kind, users))


@defects_told
def execute(
    session: Session,
    wanted: Wanted,
    prepared: Prepared,
    on_result: Callable[[Result], None] | None = None,
    held: Held | None = None,
    deadline: Deadline | None = None,
) -> Report:
    """Run what was prepared and return the report, its history filled in; stores nothing.

    Args:
        on_result: told each result as soon as it is known. held: connections kept from run to run of one session.
        deadline: of the whole call, which began before; else the run has its time from now on.
    """
    return remembered(session, carry_out(session, wanted, prepared, on_result, held, deadline))


@defects_told
def carry_out(
    session: Session,
    wanted: Wanted,
    prepared: Prepared,
    on_result: Callable[[Result], None] | None = None,
    held: Held | None = None,
    deadline: Deadline | None = None,
) -> Report:
    """The same without the history, which is as long as the project is large."""
    stack, state = session.stack, session.state
    seconds = session.timeout or SECONDS[wanted.face]
    settings = Settings(
        seconds=seconds,
        deadline=deadline or Deadline(seconds),
        jobs=session.jobs,
        on_result=on_result,
        lock=lambda: state.lock(wanted.wait, "an acting scenario"),
        undo_log=UndoJournal(state, stack.name, stack.env),
        start=_starter(session),
        held=held,
    )
    about = (stack.name, stack.env, stack.production)
    if prepared.users is None or not any(task.scenario.own for task in prepared.plan.tasks):
        return reported(prepared.plan, open_transport, settings, *about)
    report = _with_users(session, prepared, prepared.users, settings)
    changed: Report = report.changed(stack=stack.name, env=stack.env, production=stack.production)
    return changed


def _with_users(session: Session, prepared: Prepared, users: UsersSteps, settings: Settings) -> Report:
    """Run a plan that holds steps of the user's own."""
    from infratest.user_steps.apart import carried_out_apart
    from infratest.user_steps.run import users_tasks

    plan_line = prepared.plan_line or _unplanned

    def run(theirs: Settings, at: Callable[[str], None]) -> Report:
        tasks = users_tasks(users, session.stack.parameters, plan_line, at)
        return reported(prepared.plan, open_transport, theirs.changed(users_tasks=tasks), "", "", False)

    return carried_out_apart(prepared.plan, settings, run, opened)


def _unplanned(line: Line, task: Task) -> Step:
    raise UserError(f"{line.text!r}: only a run that planned its features knows our sentences in a step of your own")


def remembered(session: Session, report: Report) -> Report:
    """Return a report with its history: since when each result is as it is, where that is kept."""
    if not keeps(session):
        return report
    try:
        return history.with_since(report, history.last(session.state, report.env), time.time())
    except StateError as error:
        log.info("%s", error)
        return report


def store(session: Session, report: Report, *, counting: bool = False) -> None:
    """Keep a report's results and events, and with `counting` its failures in a row, where there is a place for them.

    The stack was used: its lease begins anew.

    A check of this machine without a stack file has none unless `--state` names one: it must not leave a folder
    wherever it happens to be started.
    """
    if keeps(session):
        keep(session.state, report, counting=counting)
        renew(session.state, session.stack.name, session.stack.env)


def keeps(session: Session) -> bool:
    """Whether there is a state directory that the user knows of."""
    return session.stack.path != Path() or session.state_path is not None


def problem(session: Session | None, error: Exception) -> Report:
    """Return the report of a run that could not begin: unknown, with why."""
    name, env, production = "", "", False
    if session is not None:
        try:
            name, env, production = session.stack.name, session.stack.env, session.stack.production
        except InfratestError:
            name = ""
    return Report(name, env, rfc3339.now(), 0.0, (), production, problem=str(error))


def _starter(session: Session) -> Callable[[str, Deadline], None]:
    """Return what starts a host again that its own reboot has ended (container engines end a host that reboots)."""

    def start(name: str, deadline: Deadline) -> None:
        from infratest.providers.base import Halts
        from infratest.stack.open import open_provider

        provider = open_provider(session.stack, session.state)
        if not isinstance(provider, Halts):
            return
        for resource in provider.existing(deadline):
            mine = resource.labels.get("infratest.state") == session.state.id
            if resource.kind == "host" and resource.name == name and mine:
                provider.start(resource, deadline)

    return start


@defects_told
def heal_report(
    session: Session,
    report: Report,
    dry_run: bool,
    *,
    deadline: Deadline | None = None,
    suppressed: str = "",
    stored: bool = False,
) -> tuple[Report, list[HealRecord]]:
    """Heal what a report says is broken, as the stack's rules allow.

    Args:
        deadline: of the whole call; without one each part has its own time.
        suppressed: why the caller wants nothing healed, empty or 0 where it may be.
        stored: the report is from a file, and says how things were: they are looked at again before anything is done.
    Returns:
        The report as it is afterwards, with the words for a status line in its notes, and each decision.
    Raises:
        InfratestError: a rule is wrong, or the state directory cannot be used; nothing has been done.
    """
    from infratest.heal.acts import Means
    from infratest.heal.gates import ALWAYS, Limits
    from infratest.heal.healing import heal
    from infratest.heal.health import paused
    from infratest.heal.records import applied

    stack, state = session.stack, session.state
    hosts = open_hosts(stack, state, _asking(deadline))
    means = Means(
        hosts={host.name: host for host in hosts},
        folder=stack.folder,
        open_transport=opened,
        provision=_provisioner(session),
        rerun=lambda ids: _rerun(session, ids, deadline),
        # A monitoring system ends a check that takes too long, and an act that is ended half-way is the worst of all.
        deadline=deadline,
        suppressed="" if suppressed == "0" else suppressed,
        limits=Limits(look_again=ALWAYS) if stored else Limits(),
        variables=_hook_variables(session),
    )
    known = history.last(state, stack.env)
    records = heal(report, stack.heal, state, means, history=known, dry_run=dry_run)
    healed = applied(report, records)
    words = paused(state, time.time())
    if words and not healed.notes:
        healed = healed.changed(notes=(words,))
    return healed, records


def _rerun(session: Session, ids: Sequence[str], deadline: Deadline | None) -> Report:
    """Run the scenarios with these ids again, over new connections; on hosts that the call did not name, too."""
    session = replace(session, host=())
    features = list(dict.fromkeys(id.partition("#")[0] for id in ids))
    wanted = Wanted(features=features, face=CHECK)
    prepared = prepare(session, wanted, deadline=deadline)
    asked = set(ids)
    tasks = tuple(task for task in prepared.plan.tasks if task.id in asked)
    plan = Plan(tasks=tasks, hosts=prepared.plan.hosts)
    return execute(session, wanted, replace(prepared, plan=plan), deadline=deadline)


def _hook_variables(session: Session) -> dict[str, str]:
    """Return what lets `infratest` in a hook be about this stack as it stands: the options' own variables."""
    stack = session.stack
    variables = {"INFRATEST_STATE": str(session.state.path.absolute())}
    if stack.path != Path():
        variables["INFRATEST_STACK"] = str(stack.path.absolute())
    return variables | ({"INFRATEST_ENV": stack.env} if stack.env else {})


def _provisioner(session: Session) -> Callable[[str, Deadline], str]:
    def provision(name: str, deadline: Deadline) -> str:
        from infratest.lifecycle.operation import Lifecycle
        from infratest.lifecycle.provision import provision as run_provision

        done = run_provision(Lifecycle(session.stack, session.state, deadline=deadline), [name])
        return f"provisioned {', '.join(done) or 'nothing: it has no provision'}"

    return provision
