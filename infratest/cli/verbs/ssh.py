"""`infratest ssh`: the system's own client on a host, with the keys and host keys of the stack."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from infratest.cli._client import program, running_host
from infratest.cli._lifecycle import used
from infratest.cli._verb import ON_HOSTS, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.hosts import Host
from infratest.project.session import Session
from infratest.stack.open import open_transport
from infratest.stack.parameters import UNASKED

SECONDS = 600.0  # of a command over a transport that has no client of its own


VERB = Verb(ON_HOSTS, 1)


@click.command(
    "ssh",
    cls=VerbCommand,
    short_help="Log in to a host, or run one command on it.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("name", metavar="HOST")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND...]")
@with_session(made_up=UNASKED)
def command(session: Session, name: str, words: tuple[str, ...]) -> int:
    """Log in to HOST with the system's ssh client, or run COMMAND there; options of ours stand before HOST.

    The client gets the stack's key and known hosts, and verifies the host. One word of COMMAND is shell text, several
    are arguments as they are. Hosts of other transports are reached as they can be: `docker exec`, a shell here.

    \b
    infratest ssh web-1
    infratest ssh web-1 'journalctl -u nginx | tail'
    infratest ssh db systemctl status postgresql
    infratest ssh db -- ls -l

    Exit status: that of the command; 255 where ssh could not connect.
    """
    # click takes a `--` before HOST, not one behind it: as with ssh itself, what follows is the command.
    words = words[1:] if words[:1] == ("--",) else words
    host = running_host(session, name)
    used(session)
    way_in = program(host, words)
    sys.stdout.flush()
    if way_in:
        os.execvp(way_in[0], way_in)  # noqa: S606 - an argument list; the client takes over terminal and signals
    if not words:
        raise UserError(f"{host.name}: transport {host.transport} has no client to log in with; give it a COMMAND")
    return _over_transport(host, words, session.deadline or Deadline(SECONDS))


def _over_transport(host: Host, words: Sequence[str], deadline: Deadline) -> int:
    transport = open_transport(host)
    try:
        transport.open(deadline)
        result = transport.run(["sh", "-c", *words] if len(words) == 1 else words, deadline)
    finally:
        transport.close()
    sys.stdout.buffer.write(result.stdout)
    sys.stdout.buffer.flush()
    sys.stderr.buffer.write(result.stderr)
    return result.exit
