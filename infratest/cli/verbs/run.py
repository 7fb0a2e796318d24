"""`infratest run`: one command on many hosts at once."""

from __future__ import annotations

import sys

import click

from infratest.cleaning import clean, decoded
from infratest.cli._lifecycle import looking, used
from infratest.cli._verb import ON_HOSTS, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.deadline import Deadline
from infratest.errors import InfratestError, Unreachable, UserError, unknown
from infratest.hosts import RUNNING, Host
from infratest.lifecycle.stopping import Stop, StoppableDeadline, each, signals
from infratest.project.session import Session
from infratest.stack.open import open_transport
from infratest.stack.selection import matching
from infratest.transports.base import CommandResult

SECONDS = 300.0  # that the command has, where --timeout says nothing else
NOT_REACHED = 255  # as ssh has it
LINE = 4000  # characters of a line that are shown


VERB = Verb(ON_HOSTS, 2)


@click.command(
    "run",
    cls=VerbCommand,
    short_help="Run one command on a group of hosts, in parallel.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("--sudo", is_flag=True, help="Run it as root, by sudo without a password.")
@click.argument("target", metavar="GROUP|HOST")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND...")
@with_session()
def command(session: Session, sudo: bool, target: str, words: tuple[str, ...]) -> int:
    """Run COMMAND on every host of a group, on one host, or on those whose name matches (`web-*`, `*` for all).

    Several groups, hosts and patterns stand with a comma between: `web,db-1`.

    One word of COMMAND is shell text, several are arguments as they are; options of ours stand before GROUP. Each line
    of output begins with its host's name; what the command wrote to standard error goes there.

    \b
    infratest run web systemctl is-active nginx
    infratest run '*' 'df -h / | tail -1'
    infratest run --sudo web-1 nginx -t

    Exit status: the worst of all hosts; 255 for one that could not be reached.
    """
    words = words[1:] if words[:1] == ("--",) else words
    if not words:
        raise UserError("run: a COMMAND is missing behind `--`")
    hosts = _hosts(session, target)
    used(session)
    stop = Stop()
    deadline = StoppableDeadline(session.deadline or Deadline(SECONDS), stop)
    line = ["sh", "-c", *words] if len(words) == 1 else list(words)

    def one(host: Host) -> CommandResult:
        if host.state != RUNNING:
            raise Unreachable(f"{host.state}; run `infratest up --host {host.name}` first")
        transport = open_transport(host)
        try:
            transport.open(deadline)
            return transport.run(line, deadline, sudo=sudo)
        finally:
            transport.close()

    with signals(stop):
        done = each(hosts, one, jobs=session.jobs, stop=stop)
    width = max(len(host.name) for host in hosts)
    worst = 0
    for each_done in done:
        error = InfratestError(f"stopped by {stop.reason}") if stop.is_set else each_done.error
        worst = max(worst, _shown(each_done.item.name.ljust(width), each_done.value, error))
    if stop.is_set:
        return 128 + stop.signal
    return worst


def _hosts(session: Session, target: str) -> list[Host]:
    specs = session.stack.hosts
    try:
        chosen = matching(specs, [spec.name for spec in specs], [target])
    except UserError:
        groups = sorted({group for spec in specs for group in spec.groups})
        raise UserError(unknown("group or host", target, sorted({*groups, *(spec.name for spec in specs)}))) from None
    selected = [name for name in session.selected([spec.name for spec in specs]) if name in chosen]
    if not selected:
        raise UserError(f"--host {' '.join(session.host)} selects no host of {target!r}: {', '.join(chosen)}")
    return looking(session).hosts(selected)


def _shown(name: str, result: CommandResult | None, error: InfratestError | None) -> int:
    if result is None:
        click.echo(f"{name} | {clean(str(error) if error else 'not begun')}", err=True)
        return NOT_REACHED
    for stream, data in ((sys.stdout, result.stdout), (sys.stderr, result.stderr)):
        for line in decoded(data).splitlines():
            click.echo(f"{name} | {clean(line, limit=LINE, lines=True)}", file=stream)
    if result.exit != 0:
        click.echo(f"{name} | exit {result.exit}", err=True)
    return result.exit
