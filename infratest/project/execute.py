"""From a plan to a report that is stored: carried out, its history filled in, its results and events kept.

Called by every front end with what `prepare` returned.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from infratest import rfc3339
from infratest.deadline import Deadline
from infratest.engine.apart import defects_told
from infratest.engine.run import Settings, reported
from infratest.errors import InfratestError, StateError, UserError
from infratest.gherkin.suite import Line
from infratest.lifecycle.lease import renew
from infratest.model import Report, Result
from infratest.plan.last_run import looks_back, since_last_run
from infratest.plan.stored import asks_store, in_store
from infratest.plan.tasks import Plan, Step, Task
from infratest.plan.trends import has_trends, trends, with_readings
from infratest.project.prepare import Prepared, Request
from infratest.project.session import Session
from infratest.project.spread import workers_of
from infratest.project.undo_journal import UndoJournal
from infratest.stack.open import open_transport, opened
from infratest.store import history, readings
from infratest.store.keep import keep
from infratest.user_steps.load import UsersSteps

if TYPE_CHECKING:
    from infratest.collect.connections import Held
    from infratest.engine.run import Spread

log = logging.getLogger(__name__)

#: Seconds of a whole run, where `--timeout` says nothing else. A check's is the monitoring guidelines' ten.
SECONDS = {"test": 600.0, "check": 10.0, "drill": 600.0}


@defects_told
def execute(
    session: Session,
    request: Request,
    prepared: Prepared,
    on_result: Callable[[Result], None] | None = None,
    held: Held | None = None,
    deadline: Deadline | None = None,
) -> Report:
    """Run what was prepared and return the report, its history filled in; stores nothing.

    Args:
        on_result: called with each result as soon as it is known. held: connections kept from run to run of one
        session. deadline: of the whole call, which began before; else the run has its time from now on.
    """
    with workers_of(session.scheduler) as workers:
        spread = None if workers is None else workers.of(session)
        report = carry_out(session, request, prepared, on_result, held, deadline, spread)
    return with_history(session, report)


@defects_told
def carry_out(
    session: Session,
    request: Request,
    prepared: Prepared,
    on_result: Callable[[Result], None] | None = None,
    held: Held | None = None,
    deadline: Deadline | None = None,
    spread: Spread | None = None,
) -> Report:
    """The same without the history, which is as long as the project is large. spread: as in a run's settings."""
    stack, state = session.stack, session.state
    seconds = session.timeout or SECONDS[request.face]
    settings = Settings(
        seconds=seconds,
        deadline=deadline or Deadline(seconds),
        jobs=session.jobs,
        on_result=on_result,
        lock=lambda: state.lock(request.wait, "an acting scenario"),
        undo_log=UndoJournal(state, stack.name, stack.env),
        start=starter(session),
        held=held,
        spread=spread,
    )
    about, plan = (stack.name, stack.env, stack.production), _since_last_run(session, prepared.plan)
    if has_trends(plan):
        plan = _with_readings(session, plan)
    if asks_store(plan):
        plan = _in_store(session, plan)
    if prepared.users is None or not any(task.scenario.own for task in plan.tasks):
        report = reported(plan, open_transport, settings, *about)
    else:
        made = _with_users(session, prepared, plan, prepared.users, settings)
        report = made.changed(stack=stack.name, env=stack.env, production=stack.production)
    return report.changed(trends=trends(plan)) if has_trends(plan) else report


def _with_readings(session: Session, plan: Plan) -> Plan:
    """Return the plan with its checks of trends told what was read before, where that is kept."""
    now = time.time()
    if not has_store(session):
        return with_readings(plan, {}, now, "nothing is kept without a state directory; name one with --state")
    try:
        return with_readings(plan, readings.load(session.state, session.stack.place), now)
    except readings.Damaged as error:
        return with_readings(plan, {}, now, f"{error} is damaged: readings are kept anew from this run on")
    except StateError as error:
        return with_readings(plan, {}, now, str(error))


def _in_store(session: Session, plan: Plan) -> Plan:
    """Return the plan with its checks of a monitor's store told where that lies, where there can be one."""
    from infratest.project import stored  # by it the facts look into the store

    if not has_store(session):
        return plan
    stack, folder = session.stack, str(session.state.folder)
    stored.lies(folder, stack.place, session)
    return in_store(plan, folder, stack.place)


def _since_last_run(session: Session, plan: Plan) -> Plan:
    """Return the plan with its checks of the last run told when that was, where that is kept."""
    if not looks_back(plan) or not has_store(session):
        return plan
    try:
        known = history.last(session.state, session.stack.place)
    except StateError as error:
        log.info("%s", error)
        return plan
    return since_last_run(plan, history.began(known), time.time())


def _with_users(session: Session, prepared: Prepared, plan: Plan, users: UsersSteps, settings: Settings) -> Report:
    """Run a plan that holds steps of the user's own."""
    from infratest.user_steps.apart import carried_out_apart
    from infratest.user_steps.run import users_tasks

    plan_line = prepared.plan_line or _unplanned

    def run(theirs: Settings, at: Callable[[str], None]) -> Report:
        tasks = users_tasks(users, session.stack.parameters, plan_line, at)
        return reported(plan, open_transport, theirs.changed(users_tasks=tasks), "", "", False)

    return carried_out_apart(plan, settings, run, opened)


def _unplanned(line: Line, task: Task) -> Step:
    raise UserError(f"'{line.text}': only a run that planned its features knows our sentences in a step of your own")


def starter(session: Session) -> Callable[[str, Deadline], None]:
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


def with_history(session: Session, report: Report) -> Report:
    """Return a report with its history: since when each result is as it is, where that is kept."""
    if not has_store(session):
        return report
    try:
        return history.with_since(report, history.last(session.state, report.place), time.time())
    except StateError as error:
        log.info("%s", error)
        return report


def store(session: Session, report: Report, *, counting: bool = False, drill: float | None = None) -> None:
    """Keep a report's results and events, and with `counting` its failures in a row, where there is a place for them.

    The stack was used: its lease begins anew.

    A check of this machine without a stack file has no such place unless `--state` names one: it must not leave a
    folder wherever it happens to be started.

    Args:
        drill: when a drill broke something before this was seen, in seconds since the epoch.
    """
    if has_store(session):
        keep(session.state, report, counting=counting, drill=drill)
        renew(session.state, session.stack.name, session.stack.env)


def has_store(session: Session) -> bool:
    """Return whether there is a state directory that the user knows of."""
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
