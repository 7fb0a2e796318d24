"""`infratest runbook`: what failed, what changed since it was green, what was tried, what is next."""

from __future__ import annotations

import click

from infratest.cli._verb import MUST_HOLD, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.project.session import Session
from infratest.stack.parameters import ALL

VERB = Verb(MUST_HOLD, 4.5)


@click.command("runbook", cls=VerbCommand, short_help="Tell of one result what failed, was tried and is next.")
@click.argument("name", metavar="SCENARIO[@HOST]")
@with_session(require_env=True, made_up=ALL)
def command(session: Session, name: str) -> int:
    """Tell of a result what failed, what was tried since, and what is next.

    Which evidence there is, what changed since it was green, which heals were tried, which rung is next, what holds it
    up, and the command that lets it act.

    SCENARIO is its slug or id, as a status line has it. Without @HOST all hosts are told of on which it is not ok. It
    is what the last runs have stored: no host is asked, and nothing is done.

    Exit status: 0 done, 1 failed, 2 wrong use.
    """
    from infratest.project.runbook import runbooks

    for lines in runbooks(session, name):
        for line in lines:
            click.echo(line)
    return 0
