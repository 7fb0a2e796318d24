"""`infratest monitor run`: the monitor itself, in the foreground."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import cast

import click

from infratest.cli import _monitor
from infratest.cli._verb import VerbCommand
from infratest.cli.session import with_session
from infratest.errors import UserError
from infratest.project.session import Session


@click.command("run", cls=VerbCommand, short_help="Watch until it is ended: look, remember, tell.")
@click.option("--once", is_flag=True, help="Look at everything once, tell what is owed, and end by what is so.")
@click.option("--heal", "heals", is_flag=True, help="Heal what is found, as the rules in `heal:` allow.")
@with_session(require_env=True, spreads=True)
def run(session: Session, once: bool, heals: bool) -> int:
    """Look at each scenario of the stack when it is due, remember how it is, and tell whom the stack file names.

    Stays in the foreground. TERM and Ctrl-C end it within 5 seconds, HUP has it read the stack file and the features
    anew; what cannot be read then is told, and what was read before is watched on. systemd's Type=notify and
    WatchdogSec= are served. All that it knows is in the state directory: after a kill it goes on from there, and tells
    nobody twice. A second one on the same state directory is refused. Where `store:` names a PostgreSQL, several on
    different machines know of each other: one works, and the others wait until it does no longer.

    With --heal what is found is healed as by `infratest check --heal`: each look counts as a check, every gate is
    asked, and a downtime or an acknowledgement keeps from it. What waits for a person is a warning of the monitor.

    --timeout is of one look at a host (default: 10s), and does not end the monitor. How many hosts are looked at at
    once stands in the stack file, `monitor: {jobs: 64}`; a number behind --jobs changes nothing here.

    With --once it looks at everything once, as for a timer. Failures are counted on from one call to the next.

    Exit status: 0 ended by a signal; 3 it could not begin. With --once: 0 ok, 1 warning, 2 critical, 3 unknown, by the
    worse of what is so for sure and what was seen just now.
    """
    logging.getLogger("infratest").setLevel(logging.INFO if session.verbosity else logging.WARNING)
    if once and heals:
        raise click.UsageError("--once does not heal: `infratest check --heal` looks once and heals")
    if once:
        return _once(session)
    if heals and not session.stack.heal:
        raise UserError(f"--heal: {session.stack.path} has no `heal:`, so that there is no rule to heal by")
    while _works(session, heals):
        click.echo(f"infratest: {_monitor.place(session)}: another monitor works now", err=True)
    return 0


def _once(session: Session) -> int:
    from infratest.monitor.foreground import once
    from infratest.monitor.start import started
    from infratest.project.prepare import Request

    with started(session, Request(face="check")) as monitor:
        once(monitor, session)
        return _monitor.show_once(session, monitor)


def _works(session: Session, heals: bool) -> bool:
    """Watch until a signal ends it, once it is this monitor's turn; whether another one has taken over since."""
    from infratest.errors import LeaseLost
    from infratest.monitor.foreground import standing_by, stay
    from infratest.monitor.start import again, started
    from infratest.monitor.watched import Watched
    from infratest.project.prepare import Request

    place = _monitor.place(session)

    def waits(holder: str) -> None:
        click.echo(f"infratest: {place}: {holder} works; this one waits until it does no longer", err=True)

    try:
        waiting = standing_by(waits)
        with ExitStack() as last, started(again(session), Request(face="check"), waiting=waiting) as monitor:
            click.echo(f"infratest: watching {place}: {len(monitor.book.subjects)} results", err=True)
            read = cast(Watched, monitor.watched).session  # behind a wait it was read anew
            stay(monitor, read, last if heals else None)
    except LeaseLost as error:
        logging.getLogger(__name__).warning("%s", error)
        return True
    return False
