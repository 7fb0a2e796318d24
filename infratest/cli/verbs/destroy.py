"""`infratest destroy`: hosts removed, and with the last one all else the stack was made of."""

from __future__ import annotations

import click

from infratest.cli._lifecycle import changing, looking, say, would
from infratest.cli._verb import LIFE, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.errors import StateError
from infratest.lifecycle import strays
from infratest.lifecycle.destroy import destroy, doomed_resources
from infratest.lifecycle.operation import OTHER
from infratest.project.session import Session
from infratest.stack.kept_parameters import forget
from infratest.stack.parameters import UNASKED
from infratest.store.journal import Journal

VERB = Verb(LIFE, 4)


@click.command("destroy", cls=VerbCommand, short_help="Remove the hosts of the stack for good.")
@click.option("--yes-production", is_flag=True, help="Yes, also on a stack that says `production: true`.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and do nothing.")
@with_session(made_up=UNASKED)
def command(session: Session, yes_production: bool, dry_run: bool) -> int:
    """Remove the hosts of the stack, and with the last one its network, keys on record and journal entries.

    Only what was made from this state directory is removed, by the labels that the provider keeps. Hosts of the
    providers `existing` and `local` were never made, and stay. Destroying what is gone already is fine. --host may name
    a host that the stack file no longer names.

    Exit status: 0 nothing is left, 1 failed (with what is left), 2 wrong use.
    """
    if dry_run:
        life = looking(session)
        life.refuse_another()
        found = doomed_resources(life, _names(session), life.limit(OTHER))
        return would([f"{one.kind} {one.name} would be removed" for one in found], "nothing is there")
    removed = changing(session, "destroy", lambda life: destroy(life, _names(session), yes_production=yes_production))
    if not _more_is_made(session):
        forget(session.state, session.stack.place)
    say(f"removed: {', '.join(f'{one.kind} {one.name}' for one in removed)}" if removed else "nothing to remove")
    if not removed:  # what somebody means to remove may be there, and of another state directory
        stray = strays.Strays(elsewhere=strays.find(looking(session)).elsewhere)
        for line in strays.lines(stray, session.stack, session.command):
            say(line)
    return 0


def _more_is_made(session: Session) -> bool:
    """Return whether the journal knows of more of this stack, or cannot tell: what was given with -D then stays."""
    stack = session.stack
    try:
        left = Journal(session.state).live().values()
    except StateError:  # a damaged line, which `reap` sets aside
        return True
    return any((each.stack, each.env) == (stack.name, stack.env) for each in left)


def _names(session: Session) -> list[str] | None:
    """Return the hosts that `--host` selects, of the declared and of those that still exist; None without it."""
    if not session.host:
        return None
    life = looking(session)
    made = [one.name for one in life.made(life.limit(OTHER))]
    return session.selected(list(dict.fromkeys([*(spec.name for spec in session.stack.hosts), *made])))
