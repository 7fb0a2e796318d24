"""`infratest halt`: hosts stopped without losing their disks."""

from __future__ import annotations

import click

from infratest.cli._lifecycle import changing, looking, names, say, would
from infratest.cli._verb import LIFE, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.hosts import RUNNING
from infratest.lifecycle.halt import halt
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED

VERB = Verb(LIFE, 3)


@click.command("halt", cls=VerbCommand, short_help="Stop hosts; their disks stay, and `up` starts them again.")
@click.option("--dry-run", is_flag=True, help="Say what would be stopped, and do nothing.")
@with_session(made_up=UNASKED)
def command(session: Session, dry_run: bool) -> int:
    """Stop the hosts of the stack in order. Disks, addresses and keys stay; `infratest up` starts them again.

    Exit status: 0 done, 1 failed, 2 wrong use (also where the provider cannot halt).
    """
    if dry_run:
        hosts = [host for host in looking(session).hosts(names(session)) if host.state == RUNNING]
        return would([f"{host.name} would be halted" for host in hosts], "nothing runs")
    halted = changing(session, "halt", lambda life: halt(life, names(session)))
    say(f"halted: {', '.join(halted)}" if halted else "nothing ran")
    return 0
