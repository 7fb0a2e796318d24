"""From a report to what was healed: the heal engine, given this stack's hosts, rules and store.

Called by `check --heal` and `infratest heal`. Imported only then: what heals is more than a check needs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from infratest import rfc3339
from infratest.cleaning import Secret
from infratest.deadline import Deadline
from infratest.engine.apart import defects_told
from infratest.gherkin.select import CHECK
from infratest.heal.gates import ALWAYS, Limits, Stored
from infratest.heal.healing import heal
from infratest.heal.health import paused
from infratest.heal.means import Means
from infratest.heal.records import HealRecord, applied
from infratest.heal.rules import WAY
from infratest.hosts import Host
from infratest.model import Report, Result
from infratest.project.collecting import collector, neighbours, planned
from infratest.project.execute import execute, starter
from infratest.project.left_alone import left_alone
from infratest.project.outlook import changes, other_monitors, traits, witness
from infratest.project.paging import pager
from infratest.project.power import host_now, power
from infratest.project.prepare import Request, prepare, stack_hosts
from infratest.project.proof import proven, reads
from infratest.project.replacing import replacing
from infratest.project.session import Session
from infratest.project.trusting import granted, lose, trusted
from infratest.project.ways import unblocked, ways
from infratest.quoting import command_line
from infratest.stack.open import opened
from infratest.store import history

if TYPE_CHECKING:
    from infratest.lifecycle.operation import Recorder


#: Seconds that a check which heals waits for whoever is at work on the stack.
WAIT = 10.0


@dataclass(frozen=True, kw_only=True)
class Resident:
    """What a resident monitor knows beside a report.

    Args:
        hosts: of the stack, by name. known: how all was that it has looked at, by id. left_alone: asked of a result,
        before every act, why people want it left alone, or empty. green: when a result was last seen to hold, in
        seconds since the epoch. unseen: asked of a result, which hosts are about to be looked at that were not since it
        failed.
    """

    hosts: Mapping[str, Host]
    known: Mapping[str, Stored]
    left_alone: Callable[[Result], str]
    green: Callable[[str], float | None]
    unseen: Callable[[Result], Sequence[str]] = lambda result: ()


@defects_told
def heal_report(
    session: Session,
    report: Report,
    dry_run: bool,
    *,
    deadline: Deadline | None = None,
    suppressed: str = "",
    stored: bool = False,
    recorder: Recorder | None = None,
    drilled: str = "",
    since: float = -inf,
    resident: Resident | None = None,
) -> tuple[Report, list[HealRecord]]:
    """Heal what a report says is broken, as the stack's rules allow.

    Args:
        deadline: of the whole call; without one each part has its own time.
        suppressed: why the caller wants nothing healed, empty or zeros where it may be.
        stored: the report is from a file, and says how things were: they are looked at again before anything is done.
        recorder: keeps what is on a host that is provisioned for the first time.
        drilled, since: the rule that a drill is about, and when that began; see `Means`. resident: of the monitor whose
        look the report is; without one the state directory says how all was, and the provider which hosts there are.
    Returns:
        The report as it is afterwards, with the words for a status line in its notes, and each decision.
    Raises:
        InfratestError: a rule is wrong, or the state directory cannot be used; nothing has been done.
    """
    stack, state = session.stack, session.state
    means = _means(session, deadline, suppressed, stored, recorder, resident, note=not dry_run)
    means = replace(means, drilled=drilled, since=since)
    known = history.last(state, stack.place) if resident is None else resident.known
    wait = WAIT if resident is None else 0.0  # a resident monitor comes again by itself
    records = heal(report, stack.heal, state, means, history=known, dry_run=dry_run, wait=wait)
    healed = unblocked(applied(report, records, session.command), records, means.rerun)
    pause = paused(state, time.time(), means.resume)
    if pause and not healed.notes:
        healed = healed.changed(notes=(pause,))
    return healed, records


def means_of(session: Session) -> Means:
    """Return what the engine acts with on this stack, for one act that a person wants."""
    return _means(session, session.deadline, "", False, None, note=False)


def _means(
    session: Session,
    deadline: Deadline | None,
    suppressed: str,
    stored: bool,
    recorder: Recorder | None,
    resident: Resident | None = None,
    *,
    note: bool,
) -> Means:
    """Return what the engine acts with on this stack; arguments as for `heal_report`.

    Args: note: keep which line of the ledger was seen last; not by who only looks.
    """
    hosts = {host.name: host for host in stack_hosts(session, deadline)} if resident is None else resident.hosts
    return Means(
        hosts=hosts,
        folder=session.stack.folder,
        open_transport=opened,
        provision=_provisioner(session, recorder),
        start=starter(session),
        power=lambda name: power(session, name),
        replacing=lambda name: replacing(session, name, recorder),
        others=other_monitors(session.stack.monitor),
        now=lambda host, deadline: host_now(session, host, deadline),
        rerun=lambda ids: _rerun(session, ids, deadline),
        proven=lambda rule: proven(session, rule),
        trusted=lambda rule: trusted(session, rule, note=note),
        lost=lambda rule, why: lose(session, rule, why),
        granted=lambda rule: granted(session, rule),
        witness=witness(session.stack.monitor.witness if session.stack.monitor is not None else (), deadline),
        traits=traits(session),
        changes=changes(session, None if resident is None else resident.green, deadline),
        production=session.stack.production,
        reads=lambda rule, rung, host: reads(session, rule, rung, host),
        keys=frozenset(session.stack.trusted_keys.values()),
        # A monitoring system ends a check that takes too long, and an act that is ended half-way is the worst of all.
        deadline=deadline,
        suppressed=left_alone(session, suppressed, deadline) if resident is None else resident.left_alone,
        unseen=(lambda result: ()) if resident is None else resident.unseen,
        limits=Limits(look_again=ALWAYS) if stored else Limits(),
        command=session.command,
        variables=_hook_variables(session),
        page=pager(session),
        collect=collector(session),
        neighbours=lambda rule: neighbours(session, rule, deadline),
        planned=lambda feature: planned(session, feature, deadline, [*hosts.values()]),
    )


def _rerun(session: Session, ids: Sequence[str], deadline: Deadline | None) -> Report:
    """Run the scenarios with these ids again, over new connections; on hosts that the call did not name, too."""
    session = replace(session, host=())
    of_hosts = [id for id in ids if id.startswith(WAY)]
    if of_hosts:
        found = ways(session, of_hosts, deadline)
        rest = [id for id in ids if id not in of_hosts]
        if not rest:
            return Report(session.stack.name, session.stack.env, rfc3339.now(), 0.0, found)
        report = _rerun(session, rest, deadline)
        both: Report = report.changed(results=[*found, *report.results])
        return both
    of_ids = list(dict.fromkeys(id.partition("#")[0] for id in ids))
    request = Request(of_ids=of_ids, face=CHECK)
    prepared = prepare(session, request, deadline=deadline)
    tasks = tuple(task for task in prepared.plan.tasks if task.id in set(ids))
    plan = prepared.plan.changed(tasks=tasks)
    return execute(session, request, replace(prepared, plan=plan), deadline=deadline)


def _hook_variables(session: Session) -> dict[str, str]:
    """Return what lets `infratest` in a hook be about this stack as it stands: the options' own variables."""
    stack = session.stack
    variables = {"INFRATEST_STATE": str(session.state.path.absolute())}
    if stack.path != Path():
        variables["INFRATEST_STACK"] = str(stack.path.absolute())
    if stack.env:
        variables["INFRATEST_ENV"] = stack.env
    # A program's environment is its own, and what it starts has it too: a secret is given by `from:` where it is read.
    secret = {name for name, value in stack.parameters.items() if isinstance(value, Secret)}
    given = [f"{name}={text}" for name, text in session.parameters.items() if name not in secret]
    if given:
        variables["INFRATEST_DEFINE"] = command_line(given)
    return variables


def _provisioner(session: Session, recorder: Recorder | None) -> Callable[[str, Deadline], str]:
    """Return what provisions one host by name again, and says what it did."""

    def provision(name: str, deadline: Deadline) -> str:
        from infratest.lifecycle.operation import Lifecycle
        from infratest.lifecycle.provision import provision as run_provision

        life = Lifecycle(session.stack, session.state, deadline=deadline, recorder=recorder)
        done = run_provision(life, [name])
        return f"provisioned {', '.join(done) or 'nothing: it has no provision'}"

    return provision
