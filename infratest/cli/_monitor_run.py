"""`infratest monitor run`: the monitor itself, in the foreground."""

from __future__ import annotations

import logging

import click

from infratest.cli import _monitor
from infratest.cli._verb import VerbCommand
from infratest.cli.session import with_session
from infratest.project.session import Session


@click.command("run", cls=VerbCommand, short_help="Watch until it is ended: look, remember, tell.")
@click.option("--once", is_flag=True, help="Look at everything once, tell what is owed, and end by what is so.")
@with_session(require_env=True)
def run(session: Session, once: bool) -> int:
    """Look at each scenario of the stack when it is due, remember how it is, and tell whom the stack file names.

    Stays in the foreground. TERM and Ctrl-C end it within 5 seconds, HUP has it read the stack file and the features
    anew; what cannot be read then is told, and what was read before is watched on. systemd's Type=notify and
    WatchdogSec= are served. All that it knows is in the state directory: after a kill it goes on from there, and tells
    nobody twice. A second one on the same state directory is refused.

    With --once it looks at everything once, as for a timer. Failures are counted on from one call to the next.

    Exit status: 0 ended by a signal; 3 it could not begin. With --once: 0 ok, 1 warning, 2 critical, 3 unknown, by the
    worse of what is so for sure and what was seen just now.
    """
    from infratest.monitor.foreground import once as look_once
    from infratest.monitor.foreground import stay
    from infratest.monitor.start import started
    from infratest.project.prepare import Request

    logging.getLogger("infratest").setLevel(logging.INFO if session.verbosity else logging.WARNING)
    with started(session, Request(face="check")) as monitor:
        count = len(monitor.book.subjects)
        if not once:
            click.echo(f"infratest: watching {_monitor.place(session)}: {count} results", err=True)
            stay(monitor, session.state)
            return 0
        look_once(monitor, session.state)
        return _monitor.show_once(session, monitor)
