"""`infratest keypair`: the key that the stack's hosts are logged in to with."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime

import click

from infratest.cleaning import clean
from infratest.cli._lifecycle import changing, looking, say
from infratest.cli._verb import LIFE, ListedFirst, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.errors import UserError
from infratest.lifecycle.keypair import FORMER, Shown, absent, listed, public
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.rotation import places, rotate
from infratest.project.session import Session

VERB = Verb(LIFE, 3.6)


@click.group("keypair", cls=ListedFirst, short_help="The key that logs in to the hosts: list, show, rotate.")
def command() -> None:
    """List the keys that log in to the hosts, show the stack's own one, or have another in its place.

    One key pair logs in to all hosts that are made from a state directory, of each environment; the first `up` makes
    it. A private half is never printed.
    """


@command.command("list", cls=VerbCommand, short_help="List the stack's key pair, and keys let in beside it.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="text (default) or json.")
@with_session()
def list_command(session: Session, form: str) -> int:
    """List the stack's own key pair (its file, type and fingerprint, when it was made, which hosts it logs in to), and
    the keys that components let in beside it.

    The fingerprint is as `ssh-keygen -l` writes it. Hosts of other environments stand as ENVIRONMENT/HOST.

    Exit status: 0 shown, 1 the provider could not be asked, 2 wrong use (also where hosts have their user's own keys).
    """
    life = looking(session)
    found = listed(life)
    if form == "json":
        click.echo(json.dumps([asdict(one) for one in found], indent=2, ensure_ascii=False))
        return 0
    if not found:
        say(absent(life))
    for one in found:
        click.echo(clean("\n".join(_lines(one)), limit=4000, lines=True))
    return 0


@command.command("show", cls=VerbCommand, short_help="Print the public half of the stack's key.")
@with_session()
def show_command(session: Session) -> int:
    """Print the public half of the stack's own key pair, one line of authorized_keys, and nothing else.

    \b
    infratest keypair show | ssh admin@192.0.2.11 'cat >> .ssh/authorized_keys'

    Exit status: 0 printed, 1 it could not be read, 2 wrong use (also where there is none, or none yet).
    """
    click.echo(public(looking(session)))
    return 0


@command.command("rotate", cls=VerbCommand, short_help="Have another key pair in the place of the stack's own.")
@with_session()
def rotate_command(session: Session) -> int:
    """Make a new key pair, and have it in the place of the stack's own on every host of every environment.

    Each running host lets the new key in over the present login, and proves it by a login; then the new key is in use,
    and the former one is taken away from the hosts and from the provider's key store. Whatever ends this in the
    middle, each host lets in the key that is in use, and the next call goes on. A halted host is given the new key by
    the next `up`, one that comes back from a snapshot by `snapshot restore`.

    Exit status: 0 done, 1 a host could not be reached or changed, 2 wrong use (also where hosts have their user's own
    keys).
    """
    if session.host:
        raise UserError("keypair rotate: one key logs in to all hosts, so that it is another for all: leave --host out")
    done = changing(session, "keypair-rotate", lambda life: rotate(life, _others(session, life)))
    say(f"{done.new} logs in from now on, {done.former} no longer: {', '.join(done.hosts) or 'no host runs'}")
    if done.later:
        words = "not running, or not in the stack file, and given the new key by the next `infratest up` of them"
        say(f"{words}: {', '.join(done.later)}")
    return 0


def _others(session: Session, life: Lifecycle) -> list[Lifecycle]:
    """Return the other environments whose hosts the key logs in to, opened by the same stack file."""
    found = []
    for stack, env in places(life):
        if stack != session.stack.name:
            continue  # of another stack file: told by `rotate`
        try:
            other = replace(session, env=env, _stack=None, _state=session.state).stack
        except UserError as error:
            words = f"its hosts are logged in to with the same key; destroy them, or mend it: {error}"
            raise UserError(f"environment {env} cannot be opened, and {words}") from error
        found.append(
            Lifecycle(other, session.state, jobs=life.jobs, deadline=session.deadline, progress=life.progress,
                      stop=life.stop)
        )  # fmt: skip
    return found


def _lines(one: Shown) -> list[str]:
    """Return a key in words: a line that says which it is, and below it what else is known."""
    title = f"{one.name}: {one.type} {one.fingerprint}"
    lines = [f"{title} {one.comment}".rstrip()]
    lines += [f"  file: {one.file}"] if one.file else []
    if one.made is not None:
        lines.append(f"  made: {datetime.fromtimestamp(one.made, UTC).strftime('%Y-%m-%d %H:%M:%S UTC')}")
    if one.name == FORMER:
        return [*lines, "  hosts: those that were halted when it was replaced, or come back as they were before"]
    return [*lines, f"  hosts: {', '.join(one.hosts) or 'none'}"]
