"""`infratest resume`: suspended hosts go on where they were."""

from __future__ import annotations

import click

from infratest.cli._lifecycle import changing, looking, names, say, would
from infratest.cli._verb import LIFE, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.hosts import PAUSED
from infratest.lifecycle.suspend import resume
from infratest.project.session import Session

VERB = Verb(LIFE, 3.2)


@click.command("resume", cls=VerbCommand, short_help="Let suspended hosts go on.")
@click.option("--dry-run", is_flag=True, help="Say what would be resumed, and do nothing.")
@with_session()
def command(session: Session, dry_run: bool) -> int:
    """Let the suspended hosts of the stack go on where they were. Halted ones stay: `infratest up` starts both.

    Exit status: 0 done, 1 failed, 2 wrong use (also where the provider cannot suspend).
    """
    if dry_run:
        hosts = [host for host in looking(session).hosts(names(session)) if host.state == PAUSED]
        return would([f"{host.name} would be resumed" for host in hosts], "nothing is suspended")
    resumed = changing(session, "resume", lambda life: resume(life, names(session)))
    say(f"resumed: {', '.join(resumed)}" if resumed else "nothing was suspended")
    return 0
