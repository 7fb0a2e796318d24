"""`infratest reap`: what an interrupted run left behind is removed."""

from __future__ import annotations

import sys

import click

from infratest.cli._lifecycle import changing, looking, say, would
from infratest.cli._reap_timer import change_timer
from infratest.cli._verb import LIFE, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.errors import UserError
from infratest.lifecycle import strays
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import Doomed, by_owner, find, reap
from infratest.lifecycle.removal import short
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED
from infratest.store.journal import ASIDE

VERB = Verb(LIFE, 6)


@click.command("reap", cls=VerbCommand, short_help="Remove what an interrupted run left behind.")
@click.option("--expired", is_flag=True, help="Also your own resources, of any stack, whose lease has expired.")
@click.option(
    "--owner", metavar="NAME", help="Also the expired ones of this owner; they are listed and asked for first."
)
@click.option("--yes", is_flag=True, help="With --owner: do not ask.")
@click.option(
    "--install-timer", "timing", flag_value="install", help="Have systemd run `reap --expired` every 5 minutes."
)
@click.option("--remove-timer", "timing", flag_value="remove", help="Have systemd do so no more.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, or installed, and do nothing.")
@with_session(made_up=UNASKED)
def command(session: Session, expired: bool, owner: str | None, yes: bool, timing: str | None, dry_run: bool) -> int:
    """Remove what an interrupted run left at the provider, and take back faults it left on hosts.

    The provider is asked what exists. Of that goes what carries this state directory's id and what its journal does
    not hold as live: made by a run that was killed, or half removed. Nothing else is touched.

    A lease lasts 24 hours and is renewed by every verb that works on the hosts. --expired removes what is past it,
    also of your other state directories (your name is INFRATEST_OWNER, else user@host); production stacks go by
    destroy alone.

    --install-timer writes a service and a timer of systemd for this state directory, root's for the system and else
    yours: from then on a stack whose lease or budget is over is removed without you. No secret is written into them;
    credentials that stand in your environment alone belong into the file timer.env of the state directory.

    A line of the journal that cannot be read is set aside first, and nothing is removed by that run: what it held
    as live would look left over.

    \b
    infratest reap --dry-run
    infratest reap --expired
    infratest reap --owner jane@build-7
    infratest reap --install-timer

    Exit status: 0 done, 1 something could not be removed, 2 wrong use.
    """
    if timing:
        return change_timer(session, timing, dry_run, alone=not (expired or owner or yes))
    life = looking(session)
    damaged = life.journal.damaged()
    if damaged:
        return _mended(session, damaged, dry_run)
    life.refuse_another()
    found = find(life, expired=expired, of_owner=owner)
    if dry_run:
        _tell_strays(session, life, {one.resource.id for one in found})
        return would([f"would be removed: {_line(one)}" for one in found], "nothing to reap")
    if owner and not yes:
        _ask(by_owner(found, owner), owner)
    reaped = changing(session, "reap", lambda life: reap(life, expired=expired, of_owner=owner))
    for one in reaped.removed:
        say(f"removed: {_line(one)}")
    for undo in reaped.undone:
        say(f"taken back on {undo.host}: {undo.command}")
    if not (reaped.removed or reaped.undone or reaped.left):
        say("nothing to reap")
    for line in reaped.left:
        say(f"left: {line}")
    _tell_strays(session, life, set())
    return 1 if reaped.left else 0


def _tell_strays(session: Session, life: Lifecycle, doomed: set[str]) -> None:
    """Say which hosts stay that nothing leads to any more, beside those that are removed."""
    found = strays.find(life)
    undeclared = tuple(one for one in found.undeclared if one.id not in doomed)
    elsewhere = tuple(one for one in found.elsewhere if one.id not in doomed)
    stray = strays.Strays(undeclared=undeclared, elsewhere=elsewhere)
    for line in strays.lines(stray, session.stack, session.command):
        say(line)


def _mended(session: Session, damaged: list[str], dry_run: bool) -> int:
    """Set aside what of the journal cannot be read, and say what is no longer known to be live; remove nothing."""
    if dry_run:
        return would([f"would be set aside: {line}" for line in damaged], "")
    with session.state.lock(purpose="reap"):
        looking(session).journal.set_aside()
    for line in damaged:
        say(f"set aside in {ASIDE}: {line}")
    left = find(looking(session))
    for one in left:
        say(f"left: {_line(one)}; it may have been live: look at it, `{session.command('reap')}` again removes it")
    return 1 if left else 0


def _ask(theirs: list[Doomed], owner: str) -> None:
    for one in theirs:
        say(f"of {owner}: {_line(one)}")
    if not theirs:
        return
    if not sys.stdin.isatty():
        raise UserError(f"these are {owner}'s and this is no terminal to ask at: say --yes to remove them")
    click.confirm(f"Remove these {len(theirs)} of {owner}?", abort=True, err=True)


def _line(one: Doomed) -> str:
    labels = one.resource.labels
    stack = "/".join(part for part in (labels.get("infratest.stack"), labels.get("infratest.env")) if part)
    return f"{one.resource.kind} {one.resource.name} of {stack or '-'}, {short(one.resource.id)}: {one.reason}"
