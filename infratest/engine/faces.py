"""What every face calls: from a session's options to a plan, from the plan to a report, from the report to a heal.

`infratest test`, `check`, `check_infratest`, the pytest plugin and the behave runner all come through here, so they
cannot differ.
"""

from __future__ import annotations

import logging
import os
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from infratest import history, rfc3339
from infratest.deadline import Deadline
from infratest.engine.keeping import keep
from infratest.engine.plan import plan
from infratest.engine.run import Run, Settings, reported
from infratest.engine.tasks import Plan, Task
from infratest.engine.users_steps import UsersSteps, users_steps
from infratest.errors import FeatureError, InfratestError, StateError, UserError
from infratest.gherkin import lint
from infratest.gherkin.find import Found, find
from infratest.gherkin.parse import feature
from infratest.gherkin.select import CHECK, refuse_acting, select, why_skipped
from infratest.gherkin.suite import Feature, Scenario
from infratest.gherkin.values import Values
from infratest.gherkin.vocabulary import vocabulary
from infratest.hosts import Host
from infratest.model import Report, Result
from infratest.session import Session
from infratest.stack.lease import renew
from infratest.stack.open import open_hosts, open_transport, opened

if TYPE_CHECKING:
    from infratest.engine.connections import Held
    from infratest.heal.records import HealRecord
    from infratest.stack.journal import Journal

P = ParamSpec("P")
T = TypeVar("T")
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


def defects_told(work: Callable[P, T]) -> Callable[P, T]:
    """Let a bug of ours or of a plugin end in one message and unknown: Python would end with 1, which is warning."""

    @wraps(work)
    def told(*arguments: P.args, **options: P.kwargs) -> T:
        try:
            return work(*arguments, **options)
        except (InfratestError, OSError):
            raise
        except Exception as error:
            raise defect(error) from error

    return told


def defect(error: Exception) -> InfratestError:
    """Return what to say of a bug: what it is, and where."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.debug("a defect", exc_info=error)
    return InfratestError(
        f"a defect in infratest: {type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno}); "
        "-vv shows the whole; please report it"
    )


@defects_told
def prepare(session: Session, wanted: Wanted, hosts: Sequence[Host] | None = None) -> Prepared:
    """Read the features, look at what is up, and plan.

    Args:
        hosts: as they are; asked of the provider where not given.
    Raises:
        InfratestError: whatever stands in the way before the first question.
    """
    made = plan_for(session, wanted, choose(session, wanted, read), hosts)
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
    session: Session, wanted: Wanted, choice: Choice, hosts: Sequence[Host] | None = None, steps: bool = True
) -> Prepared:
    """Plan scenarios on the hosts as they are.

    Args:
        hosts: as they are; asked of the provider where not given. steps: as for `plan`.
    Raises:
        InfratestError: the provider cannot say what its hosts are, or `--host` names none of them.
    """
    stack = session.stack
    known = list(hosts) if hosts is not None else open_hosts(stack, session.state, Deadline(PROVIDER_SECONDS))
    names = set(session.selected([host.name for host in known]))
    values = Values(known, stack.parameters, stack.outputs)
    skip = why_skipped(wanted.tags)
    made = plan(choice.scenarios, known, values, lambda host: host.name in names, skip, steps=steps)
    return Prepared(plan=made, features=choice.features, users=choice.users)


def read(item: Found, users: UsersSteps | None = None) -> Feature:
    """Return one feature file, parsed and linted."""
    if users is None:
        return feature(item.path, item.name, vocabulary())
    return feature(item.path, item.name, vocabulary(), users.kind)


@defects_told
def execute(
    session: Session,
    wanted: Wanted,
    prepared: Prepared,
    on_result: Callable[[Result], None] | None = None,
    held: Held | None = None,
) -> Report:
    """Run what was prepared and return the report, its history filled in; stores nothing.

    Args:
        on_result: told each result as soon as it is known. held: connections kept from run to run of one session.
    """
    return remembered(session, carry_out(session, wanted, prepared, on_result, held))


@defects_told
def carry_out(
    session: Session,
    wanted: Wanted,
    prepared: Prepared,
    on_result: Callable[[Result], None] | None = None,
    held: Held | None = None,
) -> Report:
    """The same without the history, which is as long as the project is large."""
    stack, state = session.stack, session.state
    settings = Settings(
        seconds=session.timeout or SECONDS[wanted.face],
        jobs=session.jobs,
        on_result=on_result,
        lock=lambda: state.lock(wanted.wait, "an acting scenario"),
        undo_log=_Undos(session),
        start=_starter(session),
        users_tasks=_users_tasks(session, prepared),
        held=held,
    )
    return reported(prepared.plan, open_transport, settings, stack.name, stack.env, stack.production)


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


def _users_tasks(session: Session, prepared: Prepared) -> Callable[[Sequence[Task], Run], Sequence[Result]] | None:
    """Return what runs scenarios with steps of the user's own, where there are any."""
    if prepared.users is None or not any(task.scenario.own for task in prepared.plan.tasks):
        return None
    from infratest.engine.users_run import users_tasks

    return users_tasks(prepared.users, session.stack.parameters)


class _Undos:
    """The undo log of the engine, kept in the stack's journal."""

    def __init__(self, session: Session) -> None:
        self._state = session.state
        self._stack = session.stack

    @cached_property
    def _journal(self) -> Journal:
        from infratest.stack.journal import Journal

        return Journal(self._state)

    def undo_asked(self, host: str, command: Sequence[str]) -> str:
        from infratest.quoting import command_line

        undo = os.urandom(16).hex()
        self._journal.undo_asked(host, command_line(list(command)), undo, self._stack.name, self._stack.env)
        return undo

    def undo_done(self, undo: str) -> None:
        self._journal.undo_done(undo)


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
def heal_report(session: Session, report: Report, dry_run: bool) -> tuple[Report, list[HealRecord]]:
    """Heal what a report says is broken, as the stack's rules allow.

    Returns:
        The report as it is afterwards, with the words for a status line in its notes, and each decision.
    Raises:
        InfratestError: a rule is wrong, or the state directory cannot be used; nothing has been done.
    """
    from infratest.heal.healing import Means, heal
    from infratest.heal.records import applied

    stack, state = session.stack, session.state
    hosts = open_hosts(stack, state, Deadline(PROVIDER_SECONDS))

    means = Means(
        hosts={host.name: host for host in hosts},
        folder=stack.folder,
        open_transport=opened,
        provision=_provisioner(session),
        rerun=lambda ids: _rerun(session, report, ids),
        # A monitoring system ends a check that takes too long, and an act that is ended half-way is the worst of all.
        deadline=Deadline(max(1.0, session.timeout - report.duration)) if session.timeout else None,
    )
    known = history.last(state, stack.env)
    records = heal(report, stack.heal, state, means, history=known, dry_run=dry_run)
    return applied(report, records), records


def _rerun(session: Session, report: Report, ids: Sequence[str]) -> Report:
    """Run the scenarios with these ids again, over new connections."""
    names = [result.feature for result in report.results if result.id in ids]
    wanted = Wanted(features=list(dict.fromkeys(names)), face=CHECK)
    prepared = prepare(session, wanted)
    tasks = tuple(task for task in prepared.plan.tasks if task.id in ids)
    return execute(session, wanted, replace(prepared, plan=Plan(tasks=tasks, hosts=prepared.plan.hosts)))


def _provisioner(session: Session) -> Callable[[str, Deadline], str]:
    def provision(name: str, deadline: Deadline) -> str:
        from infratest.stack.lifecycle import Lifecycle
        from infratest.stack.provision import provision as run_provision

        done = run_provision(Lifecycle(session.stack, session.state, deadline=deadline), [name])
        return f"provisioned {', '.join(done) or 'nothing: it has no provision'}"

    return provision
