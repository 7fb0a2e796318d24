"""`infratest coverage`: what provisioning changed and no sentence looks at, with the sentence that would."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import click

from infratest.cleaning import clean
from infratest.cli._verb import MUST_HOLD, UNKNOWN_USE, Verb, VerbCommand
from infratest.cli.session import selecting, with_session
from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError, unknown
from infratest.gherkin.select import ANY
from infratest.hosts import RUNNING, Host
from infratest.learn.baseline import Baseline, read
from infratest.learn.coverage import Change, Coverage, coverage, percent
from infratest.learn.inventory import KINDS, taken
from infratest.learn.looked_at import LookedAt
from infratest.lifecycle.provisioned import begun, live_ids
from infratest.plan.tasks import OtherStep, Plan
from infratest.project.prepare import Request, prepare, stack_hosts
from infratest.project.session import Session
from infratest.store.journal import Journal
from infratest.units import counted

#: Seconds of a call, where `--timeout` says nothing else.
SECONDS = 120.0
COVERED, UNCOVERED, NOT_KNOWN = 0, 1, 3


class _Comparing(Verb):
    """A verb whose status says whether something is left: an error must not look like that."""

    @property
    def wrong_use(self) -> int:
        return UNKNOWN_USE


VERB = _Comparing(MUST_HOLD, 7.5)


@click.command("coverage", cls=VerbCommand, short_help="Tell what provisioning changed and no sentence looks at.")
@click.argument("features", nargs=-1, metavar="[FEATURE[:LINE] ...]")
@selecting
@click.option("--only", metavar="KIND[,...]", default="", help=f"Only these: {', '.join(KINDS)}.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="text (default) or json.")
@with_session()
def command(
    session: Session, features: tuple[str, ...], tags: tuple[str, ...], scenario: str | None, only: str, form: str
) -> int:
    """Tell what provisioning changed and no sentence of the features looks at, with the sentence that would.

    \b
    infratest coverage
    infratest coverage features/web.feature --host web-1 --only packages,ports

    `infratest up` and `provision` keep what is on a host before it is provisioned for the first time; what is there now
    is compared with that: packages, files (below /etc, /opt, /root/.ssh, /srv, /usr/local, /var/spool/cron, /var/www),
    units, users, groups, ports and sysctls. A sentence looks at what it names: a pattern of packages at those that it
    fits, a folder's files at those that lie in it, a URL at the host's port; what a command looks at is not known.
    Left out is what changes by itself, what is secret, and files that are just as a package brought them.

    Nothing is run and nothing is stored.

    Exit status: 0 all of it is looked at, 1 something is not, 3 it is not known (also wrong use).
    """
    kinds = [name.strip() for name in only.split(",") if name.strip()] or list(KINDS)
    for name in kinds:
        if name not in KINDS:
            raise UserError(f"--only: {unknown('kind', name, list(KINDS))}")
    request = Request(features=features, tags=tags, scenario=scenario, face=ANY, yes_production=True)
    deadline = session.deadline or Deadline(SECONDS)
    hosts = stack_hosts(session, deadline)
    plan = prepare(session, request, hosts, deadline=deadline).plan
    selected = set(session.selected([host.name for host in hosts]))
    covered = _covered(session, [host for host in hosts if host.name in selected], plan, kinds, deadline)
    misfits = _misfits(plan)
    if form == "json":
        click.echo(json.dumps({"hosts": {name: _as_json(one, kinds) for name, one in covered.items()}}, indent=2))
    else:
        for name, one in covered.items():
            _show(name, one, kinds)
    for words in misfits:
        click.echo(f"not known what it looks at: {clean(words, 400)}", err=True)
    changes = [change for one in covered.values() for change in one.changes]
    left = [change for change in changes if not change.looked_at]
    unknown_of = [name for name, one in covered.items() if one.unknown]
    _sum_up(changes, len(left), kinds, unknown_of)
    if misfits or unknown_of or not covered:
        return NOT_KNOWN
    return UNCOVERED if left else COVERED


def _covered(
    session: Session, hosts: Sequence[Host], plan: Plan, kinds: Sequence[str], deadline: Deadline
) -> dict[str, Coverage]:
    """Return what came of each host; of one that there is nothing to compare with, why."""
    found: dict[str, Coverage] = {}
    before: dict[str, Baseline] = {}
    for host in hosts:
        try:
            before[host.name] = _before(session, host)
        except InfratestError as error:
            found[host.name] = Coverage(unknown={"": str(error)})
    asked = [host for host in hosts if host.name in before]
    now = taken(asked, kinds, session.jobs, deadline) if asked else {}
    for host in asked:
        seen, was = now[host.name], before[host.name]
        if isinstance(seen, InfratestError):
            found[host.name] = Coverage(unknown={"": str(seen)})
        else:
            found[host.name] = coverage(kinds, was.inventory, seen, was.time, LookedAt(plan, host))
    return {host.name: found[host.name] for host in hosts}


def _before(session: Session, host: Host) -> Baseline:
    """Return what was on a host before it was provisioned. Raises InfratestError: that is not known."""
    stack = session.stack
    if host.state != RUNNING:
        raise UserError(f"it is not up ({host.state}); `infratest up` brings it up")
    kept = read(session.state, stack.place, host.name)
    if kept is None:
        raise UserError(
            "nothing was kept of it before it was provisioned: `infratest up` and `provision` do, of hosts that were "
            f"never provisioned; `{session.command('rebuild', '--host', host.name)}` and `provision` begin anew"
        )
    records = Journal(session.state).records()
    id = live_ids(records, stack.name, stack.env).get(host.name, "")
    if kept.id != id or kept.time < begun(records, id):
        raise UserError("what was kept of it is of the machine that it was before; `infratest provision` keeps it anew")
    return kept


def _misfits(plan: Plan) -> list[str]:
    """Return what of a plan cannot be planned, in words."""
    steps = [(task, step) for task in plan.tasks if not task.skip for step in task.steps]
    problems = [f"{task.id}: {step.problem}" for task, step in steps if isinstance(step, OtherStep) and step.problem]
    return problems + [f"{task.id}: {task.problem}" for task in plan.tasks if task.problem and not task.steps]


def _show(name: str, one: Coverage, kinds: Sequence[str]) -> None:
    if one.since is None:
        click.echo(f"{name}: not known: {clean(one.unknown[''], 400)}")
        return
    moment = datetime.fromtimestamp(one.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    click.echo(f"{name}: changed since {moment}, before it was provisioned")
    for kind in kinds:
        changes = one.of(kind)
        if changes:
            looked_at = sum(change.looked_at for change in changes)
            click.echo(f"  {kind}: {looked_at} of {len(changes)} looked at, {percent(changes)} %")
        if kind in one.unknown:
            click.echo(f"  {kind}: not known: {clean(one.unknown[kind], 400)}")
        for change in changes:
            if not change.looked_at:
                words = change.sentences or (f"({clean(change.name, 200)}: no sentence can hold it)",)
                click.echo("\n".join(f"    {clean(each, 1100)}" for each in words))


def _as_json(one: Coverage, kinds: Sequence[str]) -> Mapping[str, object]:
    made: dict[str, object] = {"since": one.since, "unknown": dict(one.unknown), "kinds": {}}
    if one.since is not None:
        made["kinds"] = {kind: _kind_as_json(one.of(kind)) for kind in kinds}
    return made


def _kind_as_json(changes: Sequence[Change]) -> Mapping[str, object]:
    left = [{"name": one.name, "sentences": list(one.sentences)} for one in changes if not one.looked_at]
    return {"changed": len(changes), "looked_at": len(changes) - len(left), "percent": percent(changes), "left": left}


def _sum_up(changes: Sequence[Change], left: int, kinds: Sequence[str], unknown_of: Sequence[str]) -> None:
    by_kind = {kind: [change for change in changes if change.kind == kind] for kind in kinds}
    parts = ", ".join(f"{kind} {percent(some)} %" for kind, some in by_kind.items() if some)
    words = f"{counted(len(changes), 'change')}: {left or 'none'} that no sentence looks at"
    rest = f"; not all is known of {', '.join(unknown_of)}" if unknown_of else ""
    click.echo(f"{words}{f' ({parts})' if parts else ''}{rest}", err=True)
