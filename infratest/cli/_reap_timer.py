"""`infratest reap --install-timer` and `--remove-timer`: a stack that systemd ends when its lease is over."""

from __future__ import annotations

import os

import click

from infratest import outsiders
from infratest.cli._lifecycle import say
from infratest.errors import UserError
from infratest.lifecycle import timer
from infratest.project.session import Session


def change_timer(session: Session, change: str, dry_run: bool, *, alone: bool) -> int:
    """Install or remove the timer of a stack's state directory; fine where it is, or is not, there already.

    Args:
        change: `install` or `remove`. dry_run: print what would be written. alone: nothing else was asked for.
    Raises:
        UserError: the stack is none that a timer may end, or something else was asked for.
    """
    stack, state = session.stack, session.state
    if not alone:
        raise UserError(f"--{change}-timer stands alone: the timer runs `infratest reap --expired`")
    if change == "install":
        return _install(session, dry_run)
    found = timer.of(stack, _id(session), user=timer.mine())
    if dry_run:
        click.echo(f"would be removed: {found.unit}" if found.files[1].exists() else "no timer to remove")
    elif timer.remove(found):
        say(f"removed: {found.unit}")
    else:
        say(f"no timer to remove: {state.folder} has none")
    return 0


def _install(session: Session, dry_run: bool) -> int:
    stack, provider = session.stack, outsiders.get("provider", session.stack.provider)
    if session.parameters:
        raise UserError("-D: a unit of systemd is for everybody to read; `infratest up` keeps what it is given")
    if stack.production:
        raise UserError(f"stack {stack.name} is `production: true`: no timer removes it, only `infratest destroy`")
    if provider.declared:
        raise UserError(f"provider {stack.provider} makes no hosts, so that there is nothing to remove")
    texts = timer.texts(stack, session.state, provider)
    if dry_run:
        found = timer.of(stack, _id(session), user=timer.mine())
        for path, text in zip(found.files, texts, strict=True):
            click.echo(f"# would be written: {path}\n{text}")
        return 0
    timer.refuse_without_systemd()
    found = timer.of(stack, session.state.id, user=timer.mine())
    changed = timer.install(found, texts)
    say(f"{'installed' if changed else 'installed already'}: {found.unit}, {timer.EVERY_WORDS}")
    lacking = timer.variables(os.environ, provider)
    if lacking:
        place = session.state.file(timer.FILE)
        say(f"not in it, being secret: {', '.join(lacking)}; where it needs them, write NAME=value lines into {place}")
    if found.user and not timer.lingers():
        say("it runs while you are logged in; `loginctl enable-linger` has it run always")
    return 0


def _id(session: Session) -> str:
    """Return the state directory's id, or what stands for one that is not there: looking makes none."""
    return session.state.id if (session.state.path / "id").exists() else "00000000"
