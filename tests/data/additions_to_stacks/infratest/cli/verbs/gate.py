"""`infratest gate`: a verb whose name the design has, and whose status is a state."""

from __future__ import annotations

import click

from infratest.cli._verb import MUST_HOLD, Verb

VERB = Verb(MUST_HOLD, 3, judges=True)


@click.command("gate", short_help="Open or shut.")
@click.argument("how", type=click.Choice(["open", "shut"]))
def command(how: str) -> int:
    """Open or shut."""
    click.echo(how)
    return 0
