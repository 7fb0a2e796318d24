"""What the verbs on the life of a stack share: signals that end in an undo, the progress display, the event kept."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from infratest.cleaning import Secret, clean
from infratest.cli._recorder import recorder
from infratest.cli._showing import Progress
from infratest.errors import InfratestError, StateError
from infratest.lifecycle.lease import renew
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.ready import Ready
from infratest.lifecycle.stopping import Stop, Stopped, signals
from infratest.project.session import Session
from infratest.stack.kept_parameters import keep, shown
from infratest.store import events

T = TypeVar("T")
log = logging.getLogger(__name__)


def names(session: Session) -> list[str] | None:
    """Return the hosts that `--host` selects, None where it does not stand."""
    return session.selected([spec.name for spec in session.stack.hosts]) if session.host else None


def looking(session: Session) -> Lifecycle:
    """Return the lifecycle of a verb that changes nothing."""
    return Lifecycle(session.stack, session.state, jobs=session.jobs, deadline=session.deadline)


def used(session: Session) -> None:
    """Renew the lease of a stack that is worked on without being changed."""
    renew(session.state, session.stack.name, session.stack.env)


def changing(session: Session, verb: str, work: Callable[[Lifecycle], T], ready: Ready | None = None) -> T:
    """Do the work of a verb with its progress shown, and keep an event of it.

    Args:
        ready: runs `ready:` sentences, for the verb that brings hosts up.
    Raises:
        Exit: it was told to stop; what was undone has been said, the status is a signal's (130 after Ctrl-C).
    """
    stop, began, outcome = Stop(), time.monotonic(), "failed"
    with Progress(session.colour, whole=session.verbosity > 0) as progress, signals(stop):
        life = Lifecycle(
            session.stack,
            session.state,
            jobs=session.jobs,
            deadline=session.deadline,
            progress=progress.told,
            ready=ready,
            recorder=recorder(session),
            stop=stop,
        )
        try:
            done = work(life)
            outcome = "done"
        except Stopped as stopped:
            outcome = "interrupted"
            failure: InfratestError | None = stopped
        except InfratestError as error:
            failure = error
        else:
            failure = None
    _keep(session, verb, time.monotonic() - began, progress.seconds, outcome)
    if isinstance(failure, Stopped):
        click.echo(f"infratest: {clean(str(failure), limit=4000, lines=True)}", err=True)
        raise click.exceptions.Exit(failure.status)
    if failure is not None:
        raise failure
    return done


def keep_parameters(session: Session) -> None:
    """Keep the values of -D that hosts were made or provisioned with, and say so, and which earlier ones held."""
    if session.kept:
        say(f"with {shown(session.kept)}, as given earlier")
    secret = {name for name in session.parameters if isinstance(session.stack.parameters.get(name), Secret)}
    given = {name: text for name, text in session.parameters.items() if name not in secret}
    if given:
        keep(session.state, session.stack.place, given)
        forgets = f"`{session.command('destroy')}` forgets it"
        say(f"kept for later calls: {shown(given)}; another -D changes it, {forgets}")
    if secret:
        say(f"not kept, being secret: {', '.join(sorted(secret))}; give it again to later calls, or declare `from:`")


def say(words: str) -> None:
    """Tell people, on standard error."""
    click.echo(clean(words, limit=4000, lines=True), err=True)


def would(lines: Sequence[str], otherwise: str) -> int:
    """Print what a dry run found, and return its status."""
    for line in lines or [otherwise]:
        click.echo(clean(line))
    return 0


def _keep(session: Session, verb: str, seconds: float, hosts: dict[str, float], outcome: str) -> None:
    """Keep an event of the verb, and one of each host; a state directory that is full or shut is no reason to fail."""
    stack, now = session.stack, time.time()
    known = {spec.name for spec in stack.hosts}
    took = {"-": seconds} | {name: each for name, each in hosts.items() if name in known}
    found = [events.lifecycle(stack.name, stack.env, verb, name, each, now, outcome) for name, each in took.items()]
    if not session.state.exists:
        return
    try:
        events.append(session.state, found)
    except StateError as error:
        log.info("no event was kept: %s", error)
