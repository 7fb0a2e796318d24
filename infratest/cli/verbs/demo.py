"""`infratest demo`: the whole story on a real stack, each phase by the real command, each looked at from outside."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from importlib.resources import as_file, files
from pathlib import Path

import click

from infratest.cli import _streams
from infratest.cli._demo import BEFORE, FIGURES, Demo, Failed, destroy, installed_whole
from infratest.cli._demo_drill import drill, trust
from infratest.cli._demo_monitor import monitor
from infratest.cli._verb import BEGIN, Verb, VerbCommand
from infratest.engine.interrupts import ending_in_order
from infratest.quoting import quoted

VERB = Verb(BEGIN, 2)
PHASES = (*BEFORE, monitor, drill, trust, destroy)


@click.command("demo", cls=VerbCommand, short_help="See the whole story on three real hosts.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Make the project in this new folder and leave it there (the stack is destroyed all the same).",
)
@click.option("--no-color", is_flag=True, envvar="INFRATEST_NO_COLOR", help="No colour, even on a terminal.")
def command(keep: Path | None, no_color: bool) -> int:
    """Show the whole story on a real stack of three hosts.

    \b
    up        three containers with systemd and sshd, in parallel
    red       the features fail, and rightly: nothing is installed
    provision a database and two web servers; a second run changes nothing
    green     the same features pass
    check     the same features as a Nagios check: one line, exit 0
    break     nginx is killed on one host: CRITICAL, exit 2
    heal      two failures in a row confirm: restarted, verified, on record
    monitor   a resident one: soft, hard, one mail, acknowledged, downtime, recovery
    drill     a fault on purpose, healed; the rule is proven, and trusted to act by itself
    trust     a changed provisioner takes that away, and a drill gives it back
    destroy   nothing is left

    Needs a container engine (`infratest doctor` says whether there is one), and `pip install 'infratest[demo]'`: an
    SMTP server for the mail, and what signs. Exit status: 0 if every phase ended as it
    must, else 1; 130 after Ctrl-C, which ends in destroy too.
    """
    installed_whole()
    folder = keep if keep is not None else Path(tempfile.mkdtemp(prefix="infratest-demo-"))
    if keep is not None and keep.exists():
        raise click.UsageError(f"--keep {keep}: is there already; name a new folder")
    with tempfile.TemporaryDirectory(prefix="infratest-demo-key-") as private:
        return _shown(folder, Path(private), keep is not None, no_color)


def _shown(folder: Path, private: Path, keep: bool, no_color: bool) -> int:
    """Show the story on a copy of the project in this folder; keep: leave that there. Return the exit status."""
    with as_file(files("infratest.fixtures") / "stacks" / "shop") as source:
        shutil.copytree(source, folder, dirs_exist_ok=not keep)
    demo = Demo(folder / "stack.yaml", private, colour=_streams.takes_colour(sys.stdout, False if no_color else None))
    began = time.monotonic()
    failure, status = "", 1
    try:
        with ending_in_order():
            _tell(demo)
    except Failed as error:
        failure = str(error)
    except KeyboardInterrupt as stop:
        failure, status = "interrupted", getattr(stop, "status", 130)
    if not failure:
        demo.title(FIGURES)
        demo.figures(time.monotonic() - began)
    else:
        demo.title(f"not as it must be: {failure}")
    gone = not failure or demo.given_up()
    if gone and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        click.echo(f"the project is in {folder}")
    if not gone:
        click.echo(f"something may be left of its stack: cd {quoted(str(folder))} && infratest destroy", err=True)
    return status if failure else 0


def _tell(demo: Demo) -> None:
    """Run the phases, one after the other. Raises Failed."""
    for number, phase in enumerate(PHASES, 1):
        demo.title(f"{number}/{len(PHASES)} {phase.__name__.rstrip('_')}: {(phase.__doc__ or '').strip()}")
        started = time.monotonic()
        phase(demo)
        demo.took(phase.__name__.rstrip("_"), time.monotonic() - started)
