"""`infratest up`: the hosts of a stack made or started, and ready; or nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import click

from infratest.cli._lifecycle import changing, keep_parameters, looking, names, say, would
from infratest.cli._verb import LIFE, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.errors import InfratestError
from infratest.hosts import ABSENT, GONE, NOT_MADE, PAUSED, STOPPED
from infratest.lifecycle import budget, made_from, provisioned, strays
from infratest.lifecycle.operation import OTHER, Lifecycle
from infratest.lifecycle.provision import log_path, provision
from infratest.lifecycle.up import foresee_hosts, up
from infratest.project.readiness import check_ready, ready_by
from infratest.project.session import Session
from infratest.providers.base import HostSpec, Resource
from infratest.stack.selection import with_needed
from infratest.store.journal import Journal
from infratest.store.terms import Term
from infratest.units import counted

ACTIONS = {
    GONE: "would be made",
    NOT_MADE: "would be made",
    STOPPED: "would be started",
    PAUSED: "would be started",
}


VERB = Verb(LIFE, 1)


@click.command("up", cls=VerbCommand, short_help="Make or start the hosts of the stack, and wait until they are ready.")
@click.option("--provision", "provisioning", is_flag=True, help="Provision them too, once all are ready.")
@click.option("--dry-run", is_flag=True, help="Say what would be made or started, and do nothing.")
@with_session()
def command(session: Session, provisioning: bool, dry_run: bool) -> int:
    """Make what is not there, start what is halted, leave alone what runs, and wait until all is ready.

    A host is ready when a command over its transport answers and its `ready:` sentences hold. Hosts come up in
    parallel (--jobs at once), those that are `after` others when these are ready. If one fails, or on Ctrl-C,
    everything that this run made is removed again. Every resource is in the journal before it is asked for, so that
    after a kill -9 `infratest reap`, or the next `up`, removes what was left. A host that is there and was made from
    another image, user, memory or ports than the stack file says now stays as it is; a line says so, and what to do;
    another names the hosts that are not provisioned since they were made, or since their scripts have changed.
    Values of -D are kept with the stack: `test`, `check` and the others use them until they are given anew.

    \b
    infratest up                     the whole stack, in its first environment
    infratest up --host 'web-*'      these, and what they come after
    infratest up --provision         and provision them

    Exit status: 0 all ready, 1 failed (with what was undone), 2 wrong use, 130 after Ctrl-C.
    """
    check_ready(session.stack)
    life = looking(session)
    if dry_run:
        return _foreseen(session, life)
    stray = strays.Strays()

    def seen(existing: Sequence[Resource]) -> None:
        nonlocal stray
        stray = strays.of(life, existing)
        _tell_elsewhere(session, stray)  # before anything is made: it may be meant to go on with those

    def work(life: Lifecycle) -> int:
        hosts = up(life, names(session), seen)
        keep_parameters(session)
        if provisioning and provision(life, names(session)):
            say(f"what provisioners printed is in {log_path(session.state, session.stack.place, 'HOST')}")
        return len(hosts)

    try:
        count = changing(session, "up", work, ready_by(session.stack))
    finally:  # a host that was made for another user may be why it failed
        _tell_changes(session, with_needed(session.stack.hosts, names(session)))
    _tell_undeclared(session, stray)
    if life.provider.declared:
        say(f"{counted(count, 'host')} ready; provider {session.stack.provider} makes and removes nothing")
    else:
        say(f"{counted(count, 'host')} ready; `{session.command('destroy')}` removes what was made")
    _tell_behind(session, with_needed(session.stack.hosts, names(session)))
    _tell_budget(life, life.term())
    return 0


def _foreseen(session: Session, life: Lifecycle) -> int:
    """Say what would be made or started, and what there is to say of what is there."""
    life.refuse_another()
    stray = strays.find(life)
    _tell_elsewhere(session, stray)
    _tell_undeclared(session, stray)
    specs = foresee_hosts(life, names(session))
    _tell_budget(life, budget.foreseen(life, specs, life.limit(OTHER)))
    hosts = life.hosts([spec.name for spec in specs])
    there = {host.name for host in hosts if host.state not in ABSENT}
    made = [spec for spec in specs if spec.name in there]
    _tell_changes(session, made)
    _tell_behind(session, made)
    return would([f"{host.name} {ACTIONS.get(host.state, 'runs already')}" for host in hosts], "no host")


def _tell_budget(life: Lifecycle, term: Term | None) -> None:
    """Say until when the stack may stand, and who ends it."""
    if term is not None and term.ends is not None:
        say(budget.told(term.ends, life.clock.time(), life.stack, life.state_id(), life.command("destroy")))


def _tell_elsewhere(session: Session, found: strays.Strays) -> None:
    """Say which hosts of this stack another state directory made."""
    for line in strays.lines(strays.Strays(elsewhere=found.elsewhere), session.stack, session.command):
        say(line)


def _tell_undeclared(session: Session, found: strays.Strays) -> None:
    """Say which hosts run on that the stack file no longer names."""
    for line in strays.lines(strays.Strays(undeclared=found.undeclared), session.stack, session.command):
        say(line)


def _tell_behind(session: Session, specs: Sequence[HostSpec]) -> None:
    """Say which hosts are not provisioned with what the stack file and its scripts say now."""
    stack = session.stack
    with suppress(InfratestError):  # a journal that cannot be read is told by what needs it
        found = provisioned.behind(Journal(session.state).records(), stack.name, stack.env, specs, stack.folder)
        for line in provisioned.lines(found, session.command("provision")):
            say(line)


def _tell_changes(session: Session, specs: Sequence[HostSpec]) -> None:
    """Say which hosts were made from something else than the stack file says now."""
    stack = session.stack
    with suppress(InfratestError):  # what stood in the way of `up` is told by itself
        found = made_from.changes(Journal(session.state).records(), stack.name, stack.env, specs)
        for line in made_from.told(found, session.command):
            say(line)
