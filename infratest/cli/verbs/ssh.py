"""`infratest ssh`: the system's own client on a host, with the keys and host keys of the stack."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

import click

from infratest.cli._lifecycle import looking, used
from infratest.cli.session import with_session
from infratest.deadline import Deadline
from infratest.errors import Unreachable, UserError
from infratest.hosts import RUNNING, Host
from infratest.project.session import Session
from infratest.quoting import command_line
from infratest.stack.open import open_transport
from infratest.transports.ssh.command import through, trusting

#: Transports whose hosts the system's client reaches.
BY_SSH = ("ssh", "openssh")

SECONDS = 600.0  # of a command over a transport that has no client of its own


@click.command(
    "ssh",
    short_help="Log in to a host, or run one command on it.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("name", metavar="HOST")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND...]")
@with_session()
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
    found = _host(session, name)
    used(session)
    program = _program(found, words)
    sys.stdout.flush()
    if program:
        os.execvp(program[0], program)  # noqa: S606 - an argument list; the client takes over terminal and signals
    if not words:
        raise UserError(f"{found.name}: transport {found.transport} has no client to log in with; give it a COMMAND")
    return _over_transport(found, words, Deadline(session.timeout or SECONDS))


def _host(session: Session, name: str) -> Host:
    found = looking(session).hosts([name])[0]
    if found.state != RUNNING:
        raise Unreachable(f"{found.name} is {found.state}; run `infratest up --host {found.name}` first")
    return found


def _program(host: Host, words: Sequence[str]) -> list[str]:
    """The program that reaches the host and takes over this process; empty where there is none."""
    if host.transport in BY_SSH:
        if shutil.which("ssh"):
            return ssh_command(host, words)
        if words:
            return []
        raise UserError("no ssh client is in PATH; install one (on Debian `apt-get install openssh-client`)")
    if host.transport == "container":
        inside = words if len(words) > 1 else ["sh", "-c", *words] if words else ["sh", "-l"]
        terminal = ["-it"] if sys.stdin.isatty() and sys.stdout.isatty() else ["-i"]
        user = ["--user", host.options["user"]] if host.options.get("user") else []
        engine = str(host.options.get("engine", "docker"))
        at = ["--host", str(host.options["host"])] if host.options.get("host") else []
        return [engine, *at, "exec", *terminal, *user, str(host.options.get("container", host.name)), *inside]
    if host.transport == "local":
        if words:
            return [*words] if len(words) > 1 else ["sh", "-c", *words]
        return [os.environ.get("SHELL", "/bin/sh")]
    return []


def ssh_command(host: Host, words: Sequence[str]) -> list[str]:
    """Return the ssh client's command line for a host, from the options that our own transport would use."""
    options = host.options
    trust = trusting(
        config=str(options.get("config") or ""),
        key=str(options.get("key") or ""),
        known_hosts=str(options.get("known-hosts") or ""),
        agent=options.get("agent") is not False,
        pin=bool(options.get("pin")),
    )
    arguments = ["ssh", *trust, *through(str(options.get("jump") or ""), trust)]
    if options.get("host-key-alias"):
        arguments += ["-o", f"HostKeyAlias={options['host-key-alias']}"]
    if options.get("user"):
        arguments += ["-l", str(options["user"])]
    at = host.endpoints.get(22)
    port = options.get("port") or (at[1] if at and not options.get("address") else None)
    if port:
        arguments += ["-p", str(port)]
    address = str(options.get("address") or (at[0] if at else host.address) or host.name)
    return [*arguments, "--", address, *([words[0] if len(words) == 1 else command_line(list(words))] if words else [])]


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
