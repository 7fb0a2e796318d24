"""The system's own program that reaches a host (ssh, docker exec, sh here), with the stack's keys and known hosts.

Called by the verbs that hand a host to another program: `ssh`, `cp`, `forward`, `ssh-config`.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from infratest.cli._lifecycle import looking
from infratest.errors import Unreachable, UserError
from infratest.hosts import RUNNING, Host
from infratest.project.session import Session
from infratest.quoting import command_line
from infratest.transports.ssh.command import through, trusting

#: Transports whose hosts the system's client reaches.
BY_SSH = ("ssh", "openssh")


def running_host(session: Session, name: str) -> Host:
    """Return a host of the stack as it is.

    Raises:
        UserError: there is none of this name. Unreachable: it does not run.
    """
    host = looking(session).hosts([name])[0]
    if host.state != RUNNING:
        raise Unreachable(f"{host.name} is {host.state}; run `infratest up --host {host.name}` first")
    return host


def program(host: Host, words: Sequence[str]) -> list[str]:
    """Return the program that runs a command on a host, or logs in without one; empty where there is none.

    Args:
        words: one is shell text, several are arguments as they are.
    Raises:
        UserError: to log in needs a client that is not installed.
    """
    if host.transport in BY_SSH:
        if shutil.which("ssh"):
            return ssh_command(host, words)
        if words:
            return []
        raise no_client()
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


def no_client() -> UserError:
    """Return the error of a machine without an ssh client."""
    return UserError("no ssh client is in PATH; install one (on Debian `apt-get install openssh-client`)")


def ssh_command(host: Host, words: Sequence[str], *options: str) -> list[str]:
    """Return the ssh client's command line for a host: the way in that our own transport would take.

    Args:
        words: the command, as for `program`. options: more of ssh's own, before the destination.
    """
    arguments = ["ssh", *trust(host), *places(host), *options, "--", address(host)]
    return [*arguments, *([words[0] if len(words) == 1 else command_line(list(words))] if words else [])]


def trust(host: Host) -> list[str]:
    """Return ssh's options on keys and known hosts, for the host and each jump before it."""
    options = host.options
    return trusting(
        config=str(options.get("config") or ""),
        key=str(options.get("key") or ""),
        known_hosts=str(options.get("known-hosts") or ""),
        agent=options.get("agent") is not False,
        pin=bool(options.get("pin")),
    )


def places(host: Host) -> list[str]:
    """Return ssh's options on where the host is and who logs in."""
    options = host.options
    words = through(str(options.get("jump") or ""), trust(host))
    if options.get("host-key-alias"):
        words += ["-o", f"HostKeyAlias={options['host-key-alias']}"]
    if options.get("user"):
        words += ["-l", str(options["user"])]
    at = host.endpoints.get(22)
    port = options.get("port") or (at[1] if at and not options.get("address") else None)
    return [*words, "-p", str(port)] if port else words


def address(host: Host) -> str:
    """Return the name or address that ssh is given as its destination."""
    at = host.endpoints.get(22)
    return str(host.options.get("address") or (at[0] if at else host.address) or host.name)
