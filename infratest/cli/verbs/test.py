"""`infratest test`: runs features against a stack that is up, and shows what holds and what does not."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from infratest.cleaning import clean
from infratest.cli import _streams
from infratest.cli._checking import AT, in_time, until
from infratest.cli._formats import check_formats, exit_status, format_options, show
from infratest.cli._verb import MUST_HOLD, Verb, VerbCommand
from infratest.cli.session import selecting, with_session
from infratest.deadline import Deadline
from infratest.engine.apart import Send
from infratest.errors import UserError
from infratest.learn import recorded
from infratest.model import Report, Result
from infratest.project.execute import execute, has_store, store
from infratest.project.prepare import Request, prepare, stack_hosts
from infratest.project.session import Session
from infratest.units import counted

VERB = Verb(MUST_HOLD, 1, judges=True)


@click.command("test", cls=VerbCommand, short_help="Run features against the stack that is up.")
@click.argument("features", nargs=-1, metavar="[FEATURE[:LINE] ...]")
@selecting
@click.option("--yes-production", is_flag=True, help="Yes, also scenarios that act, on a stack that is production.")
@click.option("--record", metavar="FILE", help="Keep what is on the hosts in this file, for `drift --since`.")
@format_options("text")
@with_session(spreads=True)
def command(
    session: Session,
    features: tuple[str, ...],
    tags: tuple[str, ...],
    scenario: str | None,
    yes_production: bool,
    record: str | None,
    formats: tuple[str, ...],
    fail_on: str,
) -> int:
    """Run features against the stack that is up.

    FEATURE is a file, a folder, a file and a line (web.feature:12), or a ready-made one (@linux-baseline); without
    any, those that the stack file names. Nothing is brought up: `infratest up` does that.

    \b
    infratest test                          everything
    infratest test features/web.feature:12  one scenario
    infratest test --host 'web-*' --tags 'web and not slow'
    infratest test --format junit:report.xml --format json:report.json
    infratest test --record good.json && infratest drift --since good.json

    With --record each host is asked once more when the run has ended, for its packages, files, units, users, groups,
    ports and sysctls; names, modes and sums are kept, no content. The verdict stays the run's.

    Exit status: 0 ok, 1 warning, 2 critical, 3 unknown (nothing ran, something could not be known, wrong use).
    """
    check_formats(formats)
    if record and not Path(record).absolute().parent.is_dir():
        raise UserError(f"--record {record}: there is no such folder to keep it in; make it first")
    request = Request(features=features, tags=tags, scenario=scenario, face="test", yes_production=yes_production)
    report = run(session, request)
    show(session, report, formats, "text")
    if record:
        _record(session, Path(record))
    return exit_status(report.state, fail_on)


def _record(session: Session, path: Path) -> None:
    """Keep what is on the hosts that were chosen, and tell of which it is not known. Raises InfratestError."""
    deadline = Deadline(session.timeout or recorded.SECONDS)
    hosts = stack_hosts(session, deadline)
    chosen = set(session.selected([host.name for host in hosts]))
    stack = session.stack
    kept = recorded.take(stack.name, stack.env, [one for one in hosts if one.name in chosen], session.jobs, deadline)
    recorded.write(kept, path)
    if has_store(session):
        recorded.keep(kept, session.state)
    for name, inventory in kept.hosts.items():
        for kind, why in inventory.unknown.items():
            click.echo(f"--record: {name}: {kind or 'all'} of it is not known: {clean(why, 400)}", err=True)
    click.echo(f"recorded: {counted(len(kept.hosts), 'host')} in {path}", err=True)


def run(session: Session, request: Request) -> Report:
    """Run and store; what stands in the way of all is the report's problem."""
    deadline = until(session, "test")

    def work(send: Send) -> Report:
        send((AT, "features and steps of your own were read"))
        prepared = prepare(session, request, deadline=deadline)
        send((AT, "scenarios were run"))
        with _Progress(len(prepared.plan.tasks)) as progress:
            report = execute(session, request, prepared, progress.result, deadline=deadline)
        store(session, report)
        return report

    return in_time(session, deadline, work)


class _Progress:
    """A line that moves on a terminal while the run goes on; nothing elsewhere, where the report says it all."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._shown = _streams.redraws(sys.stderr)

    def __enter__(self) -> _Progress:
        return self

    def result(self, result: Result) -> None:
        self._done += 1
        if self._shown:
            sys.stderr.write(f"\r\x1b[K{self._done} of {self._total} scenarios")
            sys.stderr.flush()

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
