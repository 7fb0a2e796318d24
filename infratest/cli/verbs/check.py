"""`infratest check`: the same features as a monitor: one line, performance data, the exit status of a check plugin."""

from __future__ import annotations

from contextlib import suppress

import click

from infratest.cli._checking import checked, in_time, until
from infratest.cli._formats import check_formats, exit_status, format_options, show
from infratest.cli._verb import MUST_HOLD, Verb, VerbCommand
from infratest.cli.session import selecting, with_session
from infratest.outputs._perfdata import unknown_line
from infratest.project.session import Session


def _say_as_plugin(words: str) -> None:
    """A monitoring system reads standard output alone."""
    with suppress(OSError):  # what is full or has gone cannot be told
        click.echo(unknown_line(words))


VERB = Verb(MUST_HOLD, 3, judges=True, tell=_say_as_plugin)


@click.command("check", cls=VerbCommand, short_help="Run features as a monitoring check: one line and an exit status.")
@click.argument("features", nargs=-1, metavar="[FEATURE[:LINE] ...]")
@selecting
@click.option("--heal", is_flag=True, help="Heal what fails, as the stack file's rules allow.")
@click.option("--dry-run", is_flag=True, help="With --heal: say what would be done, and do nothing.")
@format_options("nagios")
@with_session(require_env=True, spreads=True)
def command(
    session: Session,
    features: tuple[str, ...],
    tags: tuple[str, ...],
    scenario: str | None,
    heal: bool,
    dry_run: bool,
    formats: tuple[str, ...],
    fail_on: str,
) -> int:
    """Run features as a monitoring check.

    Prints one line with performance data, then a line for each scenario that is not ok. Only looks: a scenario that
    changes something is refused. `check_infratest` is the same with the options of a monitoring plugin.

    \b
    infratest check --host local @linux-baseline
    infratest check --env prod --host web-1 features/web.feature
    infratest check --env prod --heal

    Exit status: 0 ok, 1 warning, 2 critical, 3 unknown.
    """
    check_formats(formats)
    deadline = until(session, "check")
    work = checked(lambda: session, features, tags, scenario, deadline, heal=heal, dry_run=dry_run)
    report = in_time(session, deadline, work)
    show(session, report, formats, "nagios", {"timeout": deadline.seconds})
    return exit_status(report.state, fail_on)
