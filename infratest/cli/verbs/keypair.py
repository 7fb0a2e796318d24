"""`infratest keypair`: the key that the stack's hosts are logged in to with."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click

from infratest.cleaning import clean
from infratest.cli._lifecycle import looking, say
from infratest.cli._verb import LIFE, ListedFirst, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.lifecycle.keypair import Shown, listed, public
from infratest.project.session import Session

VERB = Verb(LIFE, 3.6)


@click.group("keypair", cls=ListedFirst, short_help="List or show the keys that log in to the hosts.")
def command() -> None:
    """List the keys that log in to the hosts, or show the stack's own one.

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
    found = listed(looking(session))
    if form == "json":
        click.echo(json.dumps([asdict(one) for one in found], indent=2, ensure_ascii=False))
        return 0
    if not found:
        say("no key pair yet: `infratest up` makes it with the first host")
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


def _lines(one: Shown) -> list[str]:
    """Return a key in words: a line that says which it is, and below it what else is known."""
    title = f"{one.name}: {one.type} {one.fingerprint}"
    lines = [f"{title} {one.comment}".rstrip()]
    lines += [f"  file: {one.file}"] if one.file else []
    if one.made is not None:
        lines.append(f"  made: {datetime.fromtimestamp(one.made, UTC).strftime('%Y-%m-%d %H:%M:%S UTC')}")
    return [*lines, f"  hosts: {', '.join(one.hosts) or 'none'}"]
