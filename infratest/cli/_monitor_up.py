"""`infratest monitor up`: another tool brought to watch a stack, and asked until it has seen a canary turn red."""

from __future__ import annotations

from pathlib import Path

import click

from infratest.cli._client import running_host
from infratest.cli._monitor_export import opened, say, told
from infratest.cli._verb import VerbCommand
from infratest.cli.session import with_session
from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.exports._machine import connected, here
from infratest.project.exported import exported
from infratest.project.proven import proven
from infratest.project.session import Session

#: Seconds without `--timeout`: a tool may look at the canary once a minute only.
SECONDS = 300.0


@click.command("up", cls=VerbCommand, short_help="Have another monitoring system watch the stack, and prove it.")
@click.argument("kind", metavar="KIND")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), metavar="DIR",
              help="The folder that the tool reads its configuration in.")  # fmt: skip
@click.option(
    "--on", "name", metavar="HOST", help="The host of the stack that the tool runs on; without it, this machine."
)
@click.option("-o", "--option", "given", multiple=True, metavar="NAME=VALUE", help="An option of KIND; repeatable.")
@click.option(
    "--replace", is_flag=True, help="Replace files written for another stack file whose stack is called the same."
)
@with_session(require_env=True)
def up(session: Session, kind: str, folder: Path, name: str | None, given: tuple[str, ...], replace: bool) -> int:
    """Have another monitoring system watch the stack, and prove that it does.

    KIND is nagios, icinga2 or prometheus. The files of `infratest monitor export` are looked at by the tool's own
    checker and put into DIR, the tool is reloaded in its own way, and a canary turns red and green again until the
    tool itself says so. The canary stays. Where the tool does not see it, what was changed is undone.

    \b
    infratest monitor up nagios --env prod --to /etc/nagios4/conf.d
    infratest monitor up nagios --env prod --on mon --to /etc/nagios4/conf.d -o config=/srv/nagios.cfg

    Exit status: 0 proven, 1 not, and what was changed is undone, 3 wrong use.
    """
    export = opened(kind, given)
    what = exported(session)
    deadline = session.deadline or Deadline(SECONDS)
    if name and not folder.is_absolute():
        raise UserError(f"--to {folder}: on another machine it is an absolute path")
    place = connected(running_host(session, name), deadline) if name else here()
    try:
        with place as machine:
            proof = proven(export, what, folder.absolute(), machine, deadline, say, replace)
    except UserError:
        raise
    except InfratestError as error:
        say(f"infratest: not proven: {error}")
        return 1
    for path in proof.files:
        say(f"{path} written")
    for each in told(proof.left):
        say(each)
    seconds = ", ".join(f"{name} {value:.1f} s" for name, value in proof.seconds.items())
    click.echo(f"proven: {export.word} on {machine.name} sees the canary of {what.place}: {seconds}")
    return 0
