"""One run that judges, from a session to a report: in its time, and with an answer whatever runs inside it.

What `infratest test`, `check` and `check_infratest` share. The run has a process of its own: features, steps of the
user's own and hooks are read and run there, and may wait for ever, or end the program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from infratest import rfc3339
from infratest.deadline import Deadline
from infratest.engine.apart import Ended, Overran, Send, apart
from infratest.errors import InfratestError
from infratest.model import Report
from infratest.monitor.latest import HERE
from infratest.plan.tasks import Plan
from infratest.project.execute import SECONDS, execute, problem, store, with_history
from infratest.project.prepare import Prepared, Request, prepare
from infratest.project.session import Session
from infratest.stack.listing import read
from infratest.store.monitor_socket import Silence
from infratest.units import human

#: Seconds, and the part of its time, that a run, which ends by itself at its deadline, has to say what came of it: with
#: many hosts there is much to judge, and to cut that short would lose all that was seen.
LAST_WORDS, PART = 0.5, 0.1
#: What is sent: what the run is about, and what it is at.
ABOUT, AT = "about", "at"


def until(session: Session, face: str) -> Deadline:
    """Return the deadline of a call that begins now."""
    return Deadline(session.timeout or SECONDS[face])


def in_time(session: Session, deadline: Deadline, work: Callable[[Send], Report]) -> Report:
    """Return the report of work, or one that says why there is none in time.

    Args:
        work: gets a function that sends what it is at, in words that follow `while`.
    """
    about: list[Any] = ["", "", False]
    at = ["it began"]
    clock = rfc3339.now()

    def inside(send: Send) -> Report:
        try:
            stack = session.stack
            send((ABOUT, [stack.name, stack.env, stack.production]))
            return work(send)
        except InfratestError as error:
            return problem(session, error)

    def note(told: tuple[str, Any]) -> None:
        what, value = told
        if what == ABOUT:
            about[:] = value
        else:
            at[0] = value

    try:
        return apart(inside, lambda: deadline.sooner(-LAST_WORDS - PART * deadline.seconds), note)
    except (Overran, Ended) as error:
        more = "; give it more with --timeout, or see what it waits for" if isinstance(error, Overran) else ""
        words = f"{error} while {at[0]}{more}"
    except InfratestError as error:
        words = str(error)
    name, env, production = about
    return Report(name, env, clock, round(deadline.seconds - deadline.left, 3), (), production, problem=words)


def checked(
    session: Callable[[], Session],
    features: Sequence[str],
    tags: Sequence[str],
    scenario: str | None,
    deadline: Deadline,
    *,
    heal: bool = False,
    suppressed: str = "",
    dry_run: bool = False,
    planned: Callable[[Session, Plan], None] = lambda session, plan: None,
    made: Report | None = None,
    latest: Callable[[Session, Plan], Report] | None = None,
) -> Callable[[Send], Report]:
    """Return the work that checks, heals where asked to, stores, and returns the report.

    Args:
        session: returns the session, which may have to ask for a host's name. suppressed: why nothing is to be healed.
        planned: told the plan, once there is one; not in a dry run, which keeps nothing. made: the report, where the
        checks have been made already. latest: returns what a monitor saw last, in place of checks; raises Silence.
    """

    def work(send: Send) -> Report:
        going = session()
        report = made and with_history(going, made)
        if report is None:
            send((AT, "inventories were asked"))
            read(going.stack.hosts, for_inventories(deadline))
            send((AT, "features and steps of your own were read"))
            request = Request(features=features, tags=tags, scenario=scenario, face="check")
            prepared = prepare(going, request, deadline=deadline)
            if not dry_run:
                planned(going, prepared.plan)
            report, kept = _looked(going, request, prepared, deadline, send, latest)
            if kept:
                return report
        if heal:
            send((AT, "it healed"))
            report = _healed(going, report, deadline, suppressed, dry_run)
        if not dry_run:
            store(going, report, counting=True)
        return report

    return work


def _looked(
    session: Session,
    request: Request,
    prepared: Prepared,
    deadline: Deadline,
    send: Send,
    latest: Callable[[Session, Plan], Report] | None,
) -> tuple[Report, bool]:
    """Return the report of a run, or of what a monitor saw last, and whether that is kept already."""
    notes: tuple[str, ...] = ()
    if latest is not None:
        send((AT, "the monitor was asked"))
        try:
            return latest(session, prepared.plan), True
        except Silence as why:
            notes = (f"{HERE}{why}",)
    send((AT, "scenarios were run"))
    report = execute(session, request, prepared, deadline=deadline)
    return report.changed(notes=(*report.notes, *notes)), False


def for_inventories(deadline: Deadline) -> Deadline:
    """Return the time that inventories have of a run: it ends before the run, so that the slow one is named."""
    return deadline.sooner(2 * LAST_WORDS + PART * deadline.seconds)


def _healed(session: Session, report: Report, deadline: Deadline, suppressed: str, dry_run: bool) -> Report:
    from infratest.cli._recorder import recorder
    from infratest.project.heal import heal_report

    kept = recorder(session)
    try:
        return heal_report(session, report, dry_run, deadline=deadline, suppressed=suppressed, recorder=kept)[0]
    except InfratestError as error:
        # What was seen stands; that healing could not be tried must be seen too. Whatever is asked once the time is
        # over answers in its own words that it was ended: those would name the wrong culprit.
        limit, took = human(deadline.seconds, "s"), human(report.duration, "s")
        late = f"the scenarios took {took} of the {limit} that this run has; give it more with --timeout"
        changed: Report = report.changed(notes=(*report.notes, f"not healed: {late if deadline.passed else error}"))
        return changed
