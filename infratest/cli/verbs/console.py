"""`infratest console`: what a host's console says."""

from __future__ import annotations

from pathlib import Path

import click

from infratest.cleaning import clean
from infratest.cli._lifecycle import looking, say
from infratest.cli._verb import ON_HOSTS, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.errors import ProviderError, UserError
from infratest.lifecycle.console import console
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED
from infratest.stack.selection import chosen

VERB = Verb(ON_HOSTS, 6)


@click.command("console", cls=VerbCommand, short_help="Show what a host printed on its console.")
@click.argument("name", metavar="HOST")
@click.option("--lines", type=click.IntRange(1), default=200, metavar="N", help="The last lines of it (default: 200).")
@click.option("--screenshot", metavar="FILE", help="Also write a PNG picture of its screen, where it has one.")
@with_session(made_up=UNASKED)
def command(session: Session, name: str, lines: int, screenshot: str | None) -> int:
    """Print the end of what a host wrote on its console: how it booted, and why it does not come up.

    Exit status: 0 shown, 1 the host is not there or the provider could not be asked, 2 wrong use (also where the
    provider shows no console).
    """
    chosen(session.stack.hosts, [name])
    seen = console(looking(session), name)
    if not seen.text.strip():
        say(f"{name}: its console is empty")
    for line in seen.text.splitlines()[-lines:]:
        click.echo(clean(line, 2000))
    if screenshot is not None:
        if not seen.screenshot:
            raise ProviderError(f"{name}: provider {session.stack.provider} has no picture of its screen")
        try:
            Path(screenshot).write_bytes(seen.screenshot)
        except OSError as error:
            raise UserError(f"--screenshot {screenshot}: cannot be written: {error.strerror}") from error
        say(f"its screen: {screenshot}")
    return 0
