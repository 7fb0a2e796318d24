"""`infratest drift`: what is no longer as it was, sentence by sentence: as learned features say, or a recorded run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from infratest.cleaning import clean
from infratest.cli._verb import MUST_HOLD, UNKNOWN_USE, Verb, VerbCommand
from infratest.cli.session import selecting, with_session
from infratest.deadline import Deadline
from infratest.errors import UserError, unknown
from infratest.hosts import RUNNING
from infratest.learn import recorded
from infratest.learn.drift import NO_SENTENCE, Drift, drift
from infratest.learn.inventory import KINDS, Inventory
from infratest.model import Report
from infratest.project.execute import execute
from infratest.project.prepare import Request, prepare, stack_hosts
from infratest.project.session import Session
from infratest.states import OK, SKIPPED, UNKNOWN
from infratest.units import counted

#: Seconds of a call, where `--timeout` says nothing else.
SECONDS = 120.0
SAME, DRIFTED, NOT_KNOWN = 0, 1, 3


class _Comparing(Verb):
    """A verb whose status says whether something differs: an error must not look like a difference."""

    @property
    def wrong_use(self) -> int:
        return UNKNOWN_USE


VERB = _Comparing(MUST_HOLD, 7)


@click.command("drift", cls=VerbCommand, short_help="Tell what is no longer as it was: learned, or recorded.")
@click.argument("features", nargs=-1, metavar="[FEATURE[:LINE] ...]")
@selecting
@click.option("--since", metavar="FILE", help="Compare with the run that `test --record FILE` kept.")
@click.option("--only", metavar="KIND[,...]", default="", help=f"Of a recorded run only these: {', '.join(KINDS)}.")
@with_session()
def command(
    session: Session,
    features: tuple[str, ...],
    tags: tuple[str, ...],
    scenario: str | None,
    since: str | None,
    only: str,
) -> int:
    """Tell what is no longer as it was, sentence by sentence, with what is so now.

    \b
    infratest learn web-1 > was/web-1.feature
    infratest drift was/web-1.feature
    infratest test --record good.json
    infratest drift --since good.json --only packages,units

    FEATURE is one that `infratest learn` wrote, or any other that only looks. With --since each host is asked what is
    on it, and what was so when the run was recorded and is not now is told by kind: gone, changed, and new. Without
    either it is the run that was recorded last, of this environment. Versions, counters, process ids and what is secret
    are in no record. Nothing is stored, and no heal is thought of: what drifted may have been meant, and then learning
    or recording anew is the answer.

    Exit status: 0 nothing drifted, 1 something did, 3 it is not known (also wrong use).
    """
    deadline = session.deadline or Deadline(SECONDS)
    if not features:
        if tags or scenario:
            raise UserError("--tags and --scenario choose among a feature's scenarios: name a FEATURE")
        return _since_run(session, since, _kinds(only), deadline)
    if since or only:
        raise UserError("--since and --only are of a recorded run, and a FEATURE is named: compare with one of them")
    request = Request(features=features, tags=tags, scenario=scenario, face="check")
    report = execute(session, request, prepare(session, request, deadline=deadline), deadline=deadline)
    drifted, not_known = _shown(report)
    asked = sum(len(result.steps) for result in report.results if result.state != SKIPPED)
    rest = f", {not_known} not known" if not_known else ""
    click.echo(f"{counted(asked, 'sentence')}: {drifted or 'nothing'} drifted{rest}", err=True)
    if not_known or not asked:
        return NOT_KNOWN
    return DRIFTED if drifted else SAME


def _kinds(only: str) -> list[str]:
    """Return the kinds that are compared. Raises UserError."""
    names = [name.strip() for name in only.split(",") if name.strip()] or list(KINDS)
    for name in names:
        if name not in KINDS:
            raise UserError(f"--only: {unknown('kind', name, list(KINDS))}")
    return names


def _since_run(session: Session, since: str | None, kinds: list[str], deadline: Deadline) -> int:
    """Compare the hosts with a recorded run, print what drifted, and return the exit status."""
    stack = session.stack
    path = Path(since or session.state.file(recorded.newest(stack.place)))
    if since is None and not path.exists():
        raise UserError("no run was recorded: `infratest test --record FILE` does; or name a FEATURE that was learned")
    then = recorded.read(path)
    if (then.stack, then.env) != (stack.name, stack.env):
        raise UserError(f"{path}: recorded of {_of(then.stack, then.env)}, and this is {_of(stack.name, stack.env)}")
    hosts = {host.name: host for host in stack_hosts(session, deadline)}
    chosen = session.selected([*hosts, *(name for name in then.hosts if name not in hosts)])
    asked = [host for name, host in hosts.items() if name in chosen and name in then.hosts and host.state == RUNNING]
    now = recorded.take(stack.name, stack.env, asked, session.jobs, deadline).hosts
    moment = datetime.fromtimestamp(then.time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    compared = {name: drift(kinds, *_two(name, then.hosts, now, name in hosts)) for name in chosen}
    for name, one in compared.items():
        _show(name, one, kinds, moment)
    count = sum(len(one.differences) for one in compared.values())
    missing = [name for name, one in compared.items() if one.unknown]
    rest = f"; not all is known of {', '.join(missing)}" if missing else ""
    click.echo(f"{counted(len(chosen), 'host')}: {count or 'nothing'} drifted since {moment}{rest}", err=True)
    if missing or not chosen:
        return NOT_KNOWN
    return DRIFTED if count else SAME


def _of(stack: str, env: str) -> str:
    return f"{stack or 'this machine'}{f'/{env}' if env else ''}"


def _two(
    name: str, then: Mapping[str, Inventory], now: Mapping[str, Inventory], there: bool
) -> tuple[Inventory, Inventory]:
    """Return what was on a host and what is; why that is not known, where it is not."""
    was = then.get(name) or Inventory(unknown={"": "the host was not in the run"})
    words = "it is not up; `infratest status` shows what there is" if there else "the stack has no such host"
    return was, now.get(name) or Inventory(unknown={"": words})


def _show(name: str, one: Drift, kinds: list[str], moment: str) -> None:
    if "" in one.unknown:
        click.echo(f"{name}: not known: {clean(one.unknown[''], 400)}")
        return
    if not one.differences and not one.unknown:
        return
    click.echo(f"{name}: since {moment}")
    for kind in kinds:
        differences = one.of(kind)
        if differences:
            click.echo(f"  {kind}: {len(differences)} drifted")
        if kind in one.unknown:
            click.echo(f"  {kind}: not known: {clean(one.unknown[kind], 400)}")
        for each in differences:
            words = each.then or (f"({clean(each.name, 200)}: {NO_SENTENCE})",)
            click.echo("\n".join(f"    {clean(sentence, 1100)}" for sentence in words))
            if each.now:
                click.echo(f"        now: {clean('; '.join(each.now), 1100)}")


def _shown(report: Report) -> tuple[int, int]:
    """Print each sentence that does not hold, and return how many do not and of how many it is not known."""
    drifted = not_known = 0
    for result in report.results:
        if result.state == SKIPPED:
            continue
        steps = [step for step in result.steps if step.state != OK]
        if not steps and result.state != OK:  # the host itself: nothing of it was asked
            not_known += 1
            click.echo(f"{result.host}: not known: {clean(result.reason, 400)}")
        for step in steps:
            is_unknown = step.state == UNKNOWN
            not_known, drifted = not_known + is_unknown, drifted + (not is_unknown)
            words = "not known: " if is_unknown else ""
            click.echo(f"{result.host}: {words}{clean(step.text, 200)}\n    {clean(step.reason, 400)}")
    return drifted, not_known
