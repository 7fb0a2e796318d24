"""`infratest rebuild`: hosts are made anew from their image under the same name."""

from __future__ import annotations

import click

from infratest.cli._lifecycle import changing, looking, names, say, would
from infratest.cli._verb import LIFE, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.lifecycle.operation import OTHER
from infratest.lifecycle.rebuild import present, rebuild
from infratest.project.readiness import check_ready, ready_by
from infratest.project.session import Session

VERB = Verb(LIFE, 3.4)


@click.command("rebuild", cls=VerbCommand, short_help="Make hosts anew from their image; what they hold is lost.")
@click.option("--yes-production", is_flag=True, help="Yes, also on a stack that says `production: true`.")
@click.option("--dry-run", is_flag=True, help="Say what would be made anew, and do nothing.")
@with_session()
def command(session: Session, yes_production: bool, dry_run: bool) -> int:
    """Make the hosts of the stack that are there anew, under the same names, and wait until they are ready.

    What their disks hold is lost, and `infratest provision` has all of its work again. A host is made of what the stack
    file says now. Where the provider can, it keeps its address.

    Exit status: 0 all ready, 1 failed (with what was undone), 2 wrong use.
    """
    check_ready(session.stack)
    if dry_run:
        life = looking(session)
        found = present(life, names(session), life.limit(OTHER))
        return would([f"{one.name} would be made anew" for one in found], "nothing is there")
    done = changing(
        session,
        "rebuild",
        lambda life: rebuild(life, names(session), yes_production=yes_production),
        ready_by(session.stack),
    )
    say(f"rebuilt: {', '.join(done)}; `{session.command('provision')}` makes them what they are to be")
    return 0
