"""`infratest reboot`: hosts boot anew, and are ready again."""

from __future__ import annotations

import click

from infratest.cli._lifecycle import changing, looking, names, say, would
from infratest.cli._verb import LIFE, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.hosts import RUNNING
from infratest.lifecycle.reboot import reboot
from infratest.project.readiness import check_ready, ready_by
from infratest.project.session import Session

VERB = Verb(LIFE, 3.3)


@click.command("reboot", cls=VerbCommand, short_help="Have hosts boot anew, and wait until they are ready.")
@click.option("--dry-run", is_flag=True, help="Say what would be rebooted, and do nothing.")
@with_session()
def command(session: Session, dry_run: bool) -> int:
    """Have the hosts of the stack that run boot anew, by their provider, and wait until they are ready as `up` does.

    Exit status: 0 all ready, 1 failed, 2 wrong use (also where the provider can neither reboot nor halt a host).
    """
    check_ready(session.stack)
    if dry_run:
        hosts = [host for host in looking(session).hosts(names(session)) if host.state == RUNNING]
        return would([f"{host.name} would be rebooted" for host in hosts], "nothing runs")
    done = changing(session, "reboot", lambda life: reboot(life, names(session)), ready_by(session.stack))
    say(f"rebooted: {', '.join(done)}" if done else "nothing ran")
    return 0
