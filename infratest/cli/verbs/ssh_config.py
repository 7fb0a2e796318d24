"""`infratest ssh-config`: the hosts as OpenSSH's client configuration, for every other tool that logs in by it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from infratest.cleaning import clean, decoded
from infratest.cli._client import BY_SSH, address, no_client, places, trust
from infratest.cli._lifecycle import looking
from infratest.cli._verb import ON_HOSTS, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.hosts import RUNNING, Host
from infratest.paths import path_of
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED
from infratest.transports.ssh.command import quoted_path, through
from infratest.transports.ssh.config import Destination, look_up

#: Seconds that `ssh -G` may take: it reads files, and runs what `Match exec` names in them.
SECONDS = 10.0
#: Keywords with one path behind them, which may hold blanks (ssh_config(5)).
PATHS = ("identityfile", "certificatefile", "identityagent", "controlpath", "revokedhostkeys", "xauthlocation")
#: What every block holds, whatever OpenSSH's own default is: the file may be read by another user.
ALWAYS = ("HostName", "User", "Port")
#: What is written in words of our own, or names no setting of the connection.
WRITTEN = ("host", "hostname", "user", "port", "proxyjump", "userknownhostsfile", "globalknownhostsfile")


VERB = Verb(ON_HOSTS, 5)


@click.command(
    "ssh-config",
    cls=VerbCommand,
    short_help="Print the hosts as an ssh_config, for scp, rsync, Ansible.",
)
@click.argument("names", nargs=-1, metavar="[HOST...]")
@with_session(made_up=UNASKED)
def command(session: Session, names: tuple[str, ...]) -> int:
    """Print a `Host` block for each host that runs and is reached by ssh: all, or those named.

    A block holds what `infratest ssh` would use: address, port, user, key, known hosts, jump hosts, and what your own
    ssh_config says of the host, so that it works by itself. Addresses are those of this moment.

    \b
    infratest ssh-config > shop.ssh
    ssh -F shop.ssh web-1
    rsync -e 'ssh -F shop.ssh' -a site/ web-1:/srv/site/
    ansible -i web-1, --ssh-common-args '-F shop.ssh' all -m ping

    Exit status: 0 printed, 1 the provider could not be asked, 2 wrong use, or no host that is reached by ssh.
    """
    if not shutil.which("ssh"):
        raise no_client()
    chosen = session.selected([spec.name for spec in session.stack.hosts])
    hosts = looking(session).hosts(list(names) or chosen)
    blocks, others = [], []
    for host in hosts:
        reason = _why_not(host)
        if reason:
            others.append(f"{host.name} {reason}")
        else:
            blocks.append("\n".join(block(host)))
    if not blocks:
        raise UserError(f"no host here is reached by ssh: {'; '.join(others)}")
    stack, env = session.stack, f", environment {session.stack.env}" if session.stack.env else ""
    heading = [f"# The hosts of stack {stack.name}{env}, as `infratest ssh-config` found them."]
    click.echo("\n\n".join(["\n".join([*heading, *(f"# left out: {clean(each)}" for each in others)]), *blocks]))
    return 0


def _why_not(host: Host) -> str:
    """Return why a host has no block; empty where it has one."""
    if host.state != RUNNING:
        return f"is {host.state}"
    return "" if host.transport in BY_SSH else f"is reached by transport {host.transport}"


def block(host: Host) -> list[str]:
    """Return the lines of a host's block.

    Raises:
        UserError: ssh refuses the options or the ssh_config that they name.
    """
    plain = _settings(["-F", "none", "--", address(host)])
    mine = _settings([*trust(host), *places(host), "--", address(host)])
    lines = [(name, _value(name.lower(), mine)) for name in ALWAYS]
    lines += _files(host, mine, plain)
    jump = _value("proxyjump", mine)
    if jump and jump != "none":
        way = through(jump, trust(host))
        lines.append(("ProxyCommand", way[1].partition("=")[2]))
    lines += [
        (keyword, quoted_path(value, tokens=True) if keyword in PATHS and value != "none" else value)
        for keyword, value in mine
        if keyword not in WRITTEN and (keyword, value) not in plain
    ]
    return [f"Host {host.name}", *(f"  {keyword} {value}" for keyword, value in lines)]


def _files(host: Host, mine: Sequence[tuple[str, str]], plain: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the files of known hosts: where `ssh -G` prints several, a blank in a path looks like its end."""
    if host.options.get("known-hosts"):
        yield "UserKnownHostsFile", quoted_path(str(host.options["known-hosts"]))
        yield "GlobalKnownHostsFile", "none"
        return
    keywords = ("userknownhostsfile", "globalknownhostsfile")
    others = [keyword for keyword in keywords if _value(keyword, mine) != _value(keyword, plain)]
    if not others:
        return
    config = str(host.options.get("config") or "")
    login, port = str(host.options.get("user") or ""), _value("port", mine)
    at = Destination(address(host), login, int(port), str(path_of(Path(), config).absolute()) if config else "")
    said = look_up(at, "", Deadline(SECONDS))
    for keyword in others:
        yield keyword, " ".join(quoted_path(path) for path in said[keyword])


def _value(keyword: str, settings: Sequence[tuple[str, str]]) -> str:
    return next((value for each, value in settings if each == keyword), "")


def _settings(words: Sequence[str]) -> list[tuple[str, str]]:
    """Return what `ssh -G` says of a destination: keywords in small letters, with their values."""
    done = subprocess.run(
        ["ssh", "-G", *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
    )
    if done.returncode != 0:
        raise UserError(f"ssh -G refuses {words[-1]}: {clean(decoded(done.stderr).strip(), 400)}")
    pairs = (line.partition(" ") for line in decoded(done.stdout).splitlines())
    return [(keyword.lower(), value) for keyword, _, value in pairs]
