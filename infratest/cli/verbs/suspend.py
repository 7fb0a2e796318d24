"""`infratest suspend`: hosts stopped with their memory kept."""

from __future__ import annotations

import click

from infratest.cli._lifecycle import changing, looking, names, say, would
from infratest.cli._verb import LIFE, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.hosts import RUNNING
from infratest.lifecycle.suspend import suspend
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED

VERB = Verb(LIFE, 3.1)


@click.command("suspend", cls=VerbCommand, short_help="Stop hosts with their memory kept; `resume` lets them go on.")
@click.option("--dry-run", is_flag=True, help="Say what would be suspended, and do nothing.")
@with_session(made_up=UNASKED)
def command(session: Session, dry_run: bool) -> int:
    """Stop the hosts of the stack as they are, their memory kept. `infratest resume`, or `up`, lets them go on.

    Exit status: 0 done, 1 failed, 2 wrong use (also where the provider cannot suspend).
    """
    if dry_run:
        hosts = [host for host in looking(session).hosts(names(session)) if host.state == RUNNING]
        return would([f"{host.name} would be suspended" for host in hosts], "nothing runs")
    suspended = changing(session, "suspend", lambda life: suspend(life, names(session)))
    say(f"suspended: {', '.join(suspended)}" if suspended else "nothing ran")
    return 0
