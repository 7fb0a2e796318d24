"""`infratest doctor`: what is usable on this machine, and how to get what is not."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version

import click
from rich.text import Text

import infratest
from infratest import outsiders
from infratest.cleaning import clean
from infratest.cli import _streams
from infratest.cli._verb import BEGIN, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.deadline import Deadline
from infratest.diagnosis import Doctor, Finding, unusable
from infratest.errors import InfratestError
from infratest.hosts import ABSENT, Host
from infratest.project.session import Session
from infratest.stack.command import STACK_FILE
from infratest.stack.open import open_hosts, open_transport
from infratest.transports.base import Chooses

#: Distribution -> what it is for, how to get it where it is missing.
LIBRARIES = {
    "behave": ("Gherkin", "pip install infratest"),
    "rich": ("progress and tables", "pip install infratest"),
    "pytest": ("the pytest face", "pip install 'infratest[pytest]'"),
    "pytest-testinfra": ("`host` in your own Python tests", "pip install 'infratest[testinfra]'"),
    "dnspython": ("records of names, as `has the MX record`", "pip install 'infratest[dns]'"),
    "pyOpenSSL": ("chains of certificates", "pip install 'infratest[tls]'"),
    "cryptography": ("certificates; signatures of drills and the heal ledger", "pip install 'infratest[heal]'"),
    "h2": ("`by HTTP/2`", "pip install 'infratest[http2]'"),
    "selectolax": ("pages that are opened one after the other", "pip install 'infratest[browse]'"),
    "pg8000": ("sentences about PostgreSQL", "pip install 'infratest[postgres]'"),
    "psycopg": ("a monitor's store in PostgreSQL", "pip install 'infratest[postgres]'"),
    "PyMySQL": ("sentences about MySQL and MariaDB", "pip install 'infratest[mysql]'"),
    "tree-sitter-ruby": ("`import serverspec` and `import inspec`", "pip install 'infratest[ruby]'"),
    "apprise": ("a monitor's receivers of some 170 services", "pip install 'infratest[notify]'"),
    "opentelemetry-proto": ("metrics by OTLP in a monitor", "pip install 'infratest[otlp]'"),
    "aiosmtpd": ("`infratest demo`: the server that its mail arrives at", "pip install 'infratest[demo]'"),
    "distributed": ("checks by workers, `--jobs dask://...`", "pip install 'infratest[dask]'"),
}
#: Without these nothing runs at all.
NEEDED = ("behave", "rich")
PROGRAMS = {
    "ssh": ("`infratest ssh`, the transport openssh", "apt-get install openssh-client"),
    "ssh-keygen": ("keys made by hand", "apt-get install openssh-client"),
    "sudo": ("`sudo: true` on this machine", "apt-get install sudo"),
}
#: Finding of a plugin kind whose class may offer `Doctor`.
KINDS = ("provider", "transport")
#: Seconds that a provider has to say where its hosts are.
PROVIDER_LIMIT = 10.0


VERB = Verb(BEGIN, 3)


@click.command("doctor", cls=VerbCommand, short_help="Say what is usable on this machine, and how to get what is not.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="text (default) or json.")
@with_session()
def command(session: Session, form: str) -> int:
    """Say what is usable on this machine, and how to get what is not. Needs no stack file and changes nothing.

    Where there is a stack file, each of its hosts that is reached by SSH has a line, too: which client would serve it
    (libssh2 where the host's settings allow it, paramiko where not), and why. No host is connected to.

    Exit status: 0 infratest can run here (what is optional may be missing), 1 it cannot.
    """
    findings = [_python(), *(_library(name) for name in LIBRARIES), *(_program(name) for name in PROGRAMS)]
    findings += [finding for kind in KINDS for name in outsiders.names(kind) for finding in _plugin(kind, name)]
    findings = _told_once([*findings, *_hosts(session)])
    if form == "json":
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        _show(session, findings)
    return 0 if all(finding.usable for finding in findings if finding.name in ("python", *NEEDED)) else 1


def _python() -> Finding:
    found = f"{platform.python_version()} ({sys.executable}), infratest {infratest.__version__}"
    usable = sys.version_info >= (3, 11)
    return Finding(name="python", usable=usable, found=found, advice="" if usable else "Python 3.11 or later")


def _library(name: str) -> Finding:
    purpose, advice = LIBRARIES[name]
    try:
        return Finding(name=name, usable=True, found=f"{version(name)}: {purpose}")
    except PackageNotFoundError:
        return Finding(name=name, usable=False, found=f"not installed: {purpose}", advice=advice)


def _program(name: str) -> Finding:
    purpose, advice = PROGRAMS[name]
    path = shutil.which(name)
    if path:
        return Finding(name=name, usable=True, found=f"{path}: {purpose}")
    return Finding(name=name, usable=False, found=f"not in PATH: {purpose}", advice=advice)


def _plugin(kind: str, name: str) -> list[Finding]:
    try:
        found = outsiders.get(kind, name)
        return found.doctor() if issubclass(found, Doctor) else []
    except (InfratestError, ImportError) as error:
        return [unusable(f"{kind} {name}", error, "see the message")]


def _hosts(session: Session) -> list[Finding]:
    """Return who would speak SSH with each host of the stack; nothing where there is no stack file."""
    if session.stack_path == STACK_FILE and not session.stack_path.exists():
        return []
    name = str(session.stack_path)
    try:
        hosts = open_hosts(session.stack, session.state, session.deadline or Deadline(PROVIDER_LIMIT))
        chosen = set(session.selected([host.name for host in hosts]))
    except (InfratestError, ImportError) as error:
        return [unusable(name, error, "see the message")]
    return [finding for host in hosts if host.name in chosen for finding in _host(host)]


def _host(host: Host) -> list[Finding]:
    name = f"host {host.name}"
    if host.state in ABSENT:
        return [Finding(name=name, usable=False, found=f"is {host.state}", advice="infratest up")]
    try:
        transport = open_transport(host)
        if not isinstance(transport, Chooses):
            return []
        choice = transport.choice()
    except (InfratestError, ImportError) as error:
        return [unusable(name, error, "see the message")]
    return [Finding(name=name, usable=True, found=f"{choice.client} would serve: {choice.why}")]


def _told_once(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings; what an earlier one has told already, such as that no engine answers, is not told again."""
    names: dict[str, str] = {}
    told = []
    for one in findings:
        name = one.name if one.usable else names.setdefault(one.found, one.name)
        told.append(one if name == one.name else replace(one, found=f"for the reason of {name!r} above", advice=""))
    return told


def _show(session: Session, findings: list[Finding]) -> None:
    console = _streams.console(session.colour)
    width = max(len(one.name) for one in findings)
    for one in findings:
        mark = Text("ok  ", "green") if one.usable else Text("--  ", "red")
        console.print(mark + Text(f"{one.name.ljust(width)}  {clean(one.found)}"))
        if one.advice:
            console.print(Text(f"{' ' * (width + 6)}get it: {clean(one.advice)}", "dim"))
