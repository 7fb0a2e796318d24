"""`infratest forward`: ports of a host on this machine's loopback, through the system's ssh."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys

import click

from infratest.cli._client import BY_SSH, no_client, running_host, ssh_command
from infratest.cli._lifecycle import used
from infratest.cli._verb import ON_HOSTS, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.errors import UserError
from infratest.hosts import Host
from infratest.project.session import Session
from infratest.quoting import quoted
from infratest.stack.parameters import UNASKED

LOOPBACK = "127.0.0.1"
#: [LOCAL:][ADDRESS:]PORT; an IPv6 address stands in brackets, as in ssh's own -L.
PORT = re.compile(
    r"(?:(?P<local>\d{1,5}):)?(?:(?P<at>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*):)?(?P<port>\d{1,5})"
)
LARGEST = 65535


VERB = Verb(ON_HOSTS, 4)


@click.command("forward", cls=VerbCommand, short_help="Reach ports of a host on this machine, until Ctrl-C.")
@click.argument("name", metavar="HOST")
@click.argument("ports", nargs=-1, required=True, metavar="[LOCAL:]PORT...")
@with_session(made_up=UNASKED)
def command(session: Session, name: str, ports: tuple[str, ...]) -> int:
    """Forward ports of HOST to 127.0.0.1 here by the system's ssh, with the stack's key and known hosts.

    The local port is the same number where it is free, and above 1023 or you are root; else one that is free is taken;
    a line says which, as soon as they are open. LOCAL:PORT names it. A port elsewhere that HOST reaches is
    LOCAL:ADDRESS:PORT.

    \b
    infratest forward db 5432
    infratest forward web-1 8080:80 9090
    infratest forward bastion 8443:10.0.3.7:443

    Exit status: ssh's own: 255 where it could not connect or forward; 130 after Ctrl-C.
    """
    forwardings = [_forwarding(each) for each in ports]
    host = running_host(session, name)
    if host.transport not in BY_SSH:
        raise UserError(_elsewhere(host, forwardings[0][2]))
    if not shutil.which("ssh"):
        raise no_client()
    used(session)
    # ssh runs its LocalCommand once it is in and all forwardings are open; a % in it would begin a token.
    lines = "".join(
        f"{LOOPBACK}:{local} is {f'port {port} of' if at == 'localhost' else f'{at}:{port} from'} {host.name}\n"
        for local, at, port in forwardings
    )
    message = f"printf %s {quoted(lines + 'Ctrl-C ends it' + chr(10))} >&2".replace("%", "%%")
    options = [
        "-N",
        "-T",
        "-o",
        "ExitOnForwardFailure=yes",
        "-o",
        "PermitLocalCommand=yes",
        "-o",
        f"LocalCommand={message}",
    ]
    options += [word for local, at, port in forwardings for word in ("-L", f"{LOOPBACK}:{local}:{at}:{port}")]
    sys.stdout.flush()
    arguments = ssh_command(host, [], *options)
    os.execvp(arguments[0], arguments)  # noqa: S606 - an argument list; the client takes over terminal and signals


def _forwarding(text: str) -> tuple[int, str, int]:
    """Return local port, address as the host reaches it, and port there."""
    match = PORT.fullmatch(text)
    if match is None:
        raise UserError(f"{text!r} is no port; write PORT, LOCAL:PORT or LOCAL:ADDRESS:PORT, such as 8080:80")
    numbers = [int(each) for each in (match["local"], match["port"]) if each]
    for number in numbers:
        if not 1 <= number <= LARGEST:
            raise UserError(f"{text!r}: there is no port {number}; ports are 1 to {LARGEST}")
    port = numbers[-1]
    # `localhost` and not 127.0.0.1: what listens at ::1 alone is meant, too.
    return (numbers[0] if match["local"] else _free(port)), match["at"] or "localhost", port


def _free(port: int) -> int:
    """Return this port where it can be had here, else one that is free."""
    for each in (port, 0):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((LOOPBACK, each))
            except OSError:
                continue
            return int(listener.getsockname()[1])
    raise UserError(f"no port of {LOOPBACK} is free")


def _elsewhere(host: Host, port: int) -> str:
    """Return what to do about a host that ssh does not reach."""
    words = f"{host.name} is reached by transport {host.transport}, and ports are forwarded by ssh alone"
    endpoint = host.endpoint(port)
    return f"{words}; its port {port} is at {endpoint[0]}:{endpoint[1]}" if endpoint else words
