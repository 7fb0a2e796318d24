"""`check_infratest`: `infratest check` under the name and with the options that a monitoring configuration expects.

Whatever happens, standard output gets one line that begins `INFRATEST <STATE> -`, and the status is 0 to 3.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import time_ns
from typing import Any

import click

import infratest
from infratest.cli import _streams
from infratest.cli._checking import checked, for_inventories, in_time, until
from infratest.cli._formats import show
from infratest.cli._kept_plan import keep_plan
from infratest.cli._usage import usage
from infratest.cli._verb import OnceCommand
from infratest.cli.session import Definitions, Hosts, Time, Whole
from infratest.deadline import Deadline
from infratest.engine.apart import defects_told
from infratest.errors import InfratestError, UserError
from infratest.model import Report
from infratest.monitor.latest import latest
from infratest.outputs._perfdata import Range, apply_failed_ranges, unknown_line
from infratest.plan.digest import digests
from infratest.plan.tasks import Plan
from infratest.project.session import Session, parameters
from infratest.stack.listing import read
from infratest.states import EXIT, UNKNOWN

#: Seconds a check may take where `-t` says nothing else (Monitoring Plugins guidelines).
SECONDS = 10.0


@click.command(
    "check_infratest",
    cls=OnceCommand,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.argument("features", nargs=-1, metavar="[FEATURE[:LINE] ...]")
@click.option("-H", "--hostname", metavar="HOST", help="Only this host: its name in the stack, else its address.")
@click.option(
    "-w",
    "--warning",
    metavar="RANGE",
    help="Warning range over the number of failed scenarios: 2 is bad above 2; also 2:, 2:5, @2:5.",
)
@click.option("-c", "--critical", metavar="RANGE", help="Critical range over it (default: one is critical).")
@click.option(
    "-s", "--scenario", metavar="SLUG", envvar="INFRATEST_SCENARIO", help="Only this scenario, as a service of its own."
)
@click.option(
    "-t",
    "--timeout",
    type=Time(),
    default=SECONDS,
    metavar="SECONDS",
    envvar="INFRATEST_TIMEOUT",
    help="End after this time (10).",
)
@click.option("-v", "--verbose", count=True, help="Say more; repeatable.")
@click.option("-V", "--version", "version", is_flag=True, help="Show the version.")
@click.option(
    "--stack",
    default="stack.yaml",
    metavar="FILE",
    envvar="INFRATEST_STACK",
    help="The stack file (default: stack.yaml here).",
)
@click.option(
    "--env",
    metavar="NAME",
    envvar="INFRATEST_ENV",
    help="The environment of the stack file; needed where it has several.",
)
@click.option(
    "--state",
    metavar="DIR",
    envvar="INFRATEST_STATE",
    help="The state directory; one that can be written lets lines say since when something fails.",
)
@click.option(
    "--tags",
    multiple=True,
    type=Whole(),
    metavar="EXPRESSION",
    envvar="INFRATEST_TAGS",
    help="Only scenarios with these tags, as 'web and not slow'.",
)
@click.option(
    "--host",
    multiple=True,
    metavar="PATTERN",
    type=Hosts(),
    envvar="INFRATEST_HOST",
    help="As -H, with * and ?; without a stack file `local` is this machine.",
)
@click.option(
    "-D",
    "define",
    multiple=True,
    type=Definitions(),
    metavar="NAME=VALUE",
    envvar="INFRATEST_DEFINE",
    help="A parameter of the stack file; repeatable.",
)
@click.option("--heal", is_flag=True, help="Heal what fails, as the stack file's rules allow.")
@click.option(
    "--suppressed",
    default="",
    metavar="TEXT",
    help="With --heal: any text but 0 heals nothing, as the downtime depth of a monitoring system ($SERVICEDOWNTIME$).",
)
@click.option(
    "--from-monitor",
    is_flag=True,
    help="Say what the running monitor of this state directory saw last; where it has no fresh answer, check here.",
)
@click.option("--dry-run", is_flag=True, help="With --heal: say what would be done; do nothing, keep nothing.")
@click.pass_obj
def command(
    made: Report | None,
    features: tuple[str, ...],
    hostname: str | None,
    warning: str | None,
    critical: str | None,
    scenario: str | None,
    timeout: float,
    verbose: int,
    version: bool,
    stack: str,
    env: str | None,
    state: str | None,
    tags: tuple[str, ...],
    host: tuple[str, ...],
    define: tuple[str, ...],
    heal: bool,
    suppressed: str,
    from_monitor: bool,
    dry_run: bool,
) -> int:
    """Run features as a monitoring plugin: one line, performance data; exit 0 ok, 1 warning, 2 critical, 3 unknown.

    Needs no HOME, no environment and no folder that it may write to; INFRATEST_STACK, _ENV, _STATE, _HOST, _TAGS,
    _SCENARIO and _TIMEOUT may hold what is the same for every service.

    \b
    check_infratest --stack /etc/infratest/shop.yaml --env prod -H web-1 -s nginx-answers
    check_infratest --host local @linux-baseline
    """
    began = time_ns()
    if version:
        return _version()
    _refuse_both(from_monitor, heal)
    ranges = _range(warning, "-w"), _range(critical, "-c")
    session = Session(
        stack_path=Path(stack), env=env, state_path=state, host=host, parameters=parameters(define), timeout=timeout,
        verbosity=verbose, colour=False, require_env=True,
    )  # fmt: skip
    kept = {"warning": warning or "", "critical": critical or "", "timeout": timeout, "verbosity": verbose}
    keep = partial(keep_plan, features=features, kept=kept | {"heal": heal, "from_monitor": from_monitor}, began=began)
    deadline = until(session, "check")
    work = checked(
        lambda: _on_host(session, hostname, deadline), features, tags, scenario, deadline, heal=heal,
        suppressed=suppressed, dry_run=dry_run, planned=keep, made=made, latest=_latest if from_monitor else None,
    )  # fmt: skip
    report = in_time(session, deadline, work)
    show(session, report, (), "nagios", {"warning": warning or "", "critical": critical or "", "timeout": timeout})
    return apply_failed_ranges(report, *ranges)[1]


def main(made: Report | None = None) -> None:
    """Run the plugin and exit with its status; every message is a line of the form that monitoring systems read.

    Args:
        made: the report of a kept plan, of which something is to be healed.
    """
    _streams.secure()
    sys.exit(_streams.end(plugin(sys.argv[1:], made)))


def plugin(words: list[str], made: Report | None = None) -> int:
    """Return the exit status of the plugin, its line printed."""
    try:
        run: Callable[..., Any] = command.main
        returned = defects_told(run, click.exceptions.Exit, click.Abort, click.ClickException)(
            words, standalone_mode=False, obj=made
        )
        # click has shown the help, or the command has returned its status.
        return returned if isinstance(returned, int) and returned else _answered(words)
    except click.exceptions.Exit:
        return EXIT[UNKNOWN]
    except click.ClickException as error:
        return _unknown(usage(error))
    except (click.Abort, KeyboardInterrupt):
        return _unknown("interrupted")
    except (InfratestError, OSError) as error:
        return _unknown(str(error))


def _answered(words: list[str]) -> int:
    return EXIT[UNKNOWN] if {"-h", "--help"} & set(words) else 0


def _unknown(words: str) -> int:
    with contextlib.suppress(OSError):  # what is full or closed cannot be told so
        click.echo(unknown_line(words))
    return EXIT[UNKNOWN]


def _version() -> int:
    click.echo(f"check_infratest {infratest.__version__}")
    return EXIT[UNKNOWN]


def _refuse_both(from_monitor: bool, heal: bool) -> None:
    if from_monitor and heal:
        raise UserError("--from-monitor looks at nothing, and --heal has to: say one of them")


def _latest(session: Session, plan: Plan) -> Report:
    stack, folder = session.stack, str(session.state.path)
    place = stack.name, stack.env, stack.production
    return latest(plan, digests(plan), folder, session.timeout or SECONDS, *place)


def _range(text: str | None, option: str) -> Range | None:
    if text is None:
        return None
    try:
        return Range(text)
    except UserError as error:
        raise UserError(f"{option} {text!r}: {error}") from None


def _on_host(session: Session, hostname: str | None, deadline: Deadline) -> Session:
    if not hostname:
        return session
    read(session.stack.hosts, for_inventories(deadline))
    return replace(session, exactly=(_name(session, hostname),))


def _name(session: Session, wanted: str) -> str:
    """Return the host's name for `-H`: its name in the stack, else the one whose address it is."""
    from infratest.stack.open import open_hosts

    names = [spec.name for spec in session.stack.hosts]
    if wanted in names:
        return wanted
    hosts = open_hosts(session.stack, session.state, Deadline(SECONDS))
    found = [host.name for host in hosts if host.address == wanted]
    if not found:
        known = ", ".join(f"{host.name} ({host.address or 'no address'})" for host in hosts)
        raise UserError(f"-H {wanted!r}: no host has this name or address; known are {known or 'none'}")
    if len(found) > 1:  # one of them would be looked at, and the others never
        raise UserError(f"-H {wanted!r} is the address of {len(found)} hosts: name one of them, {' or '.join(found)}")
    return found[0]


if __name__ == "__main__":
    main()
