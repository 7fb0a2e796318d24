"""`infratest doctor`: what is usable on this machine, and how to get what is not."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version

import click
from rich.console import Console
from rich.text import Text

import infratest
from infratest import registry
from infratest.cleaning import clean
from infratest.cli.session import with_session
from infratest.errors import InfratestError
from infratest.providers.base import Doctor, Finding
from infratest.session import Session

#: Distribution -> what it is for, how to get it where it is missing.
LIBRARIES = {
    "behave": ("Gherkin", "pip install infratest"),
    "rich": ("progress and tables", "pip install infratest"),
    "paramiko": ("SSH", "pip install 'infratest[ssh]'"),
    "ssh2-python": ("SSH by libssh2, fast; paramiko serves what it cannot", "pip install 'infratest[fast]'"),
    "pytest": ("the pytest face", "pip install 'infratest[pytest]'"),
    "pytest-testinfra": ("`host` in your own Python tests", "pip install 'infratest[testinfra]'"),
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


@click.command("doctor", short_help="Say what is usable on this machine, and how to get what is not.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="text (default) or json.")
@with_session()
def command(session: Session, form: str) -> int:
    """Say what is usable on this machine, and how to get what is not. Needs no stack file and changes nothing.

    Exit status: 0 infratest can run here (what is optional may be missing), 1 it cannot.
    """
    findings = [_python(), *(_library(name) for name in LIBRARIES), *(_program(name) for name in PROGRAMS)]
    findings += [finding for kind in KINDS for name in registry.names(kind) for finding in _plugin(kind, name)]
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
        found = registry.get(kind, name)
        return found.doctor() if issubclass(found, Doctor) else []
    except (InfratestError, ImportError) as error:
        return [Finding(name=f"{kind} {name}", usable=False, found=str(error), advice="see the message")]


def _show(session: Session, findings: list[Finding]) -> None:
    console = Console(no_color=session.colour is False, highlight=False, soft_wrap=True)
    width = max(len(one.name) for one in findings)
    for one in findings:
        mark = Text("ok  ", "green") if one.usable else Text("--  ", "red")
        console.print(mark + Text(f"{one.name.ljust(width)}  {clean(one.found)}"))
        if one.advice:
            console.print(Text(f"{' ' * (width + 6)}get it: {clean(one.advice)}", "dim"))
