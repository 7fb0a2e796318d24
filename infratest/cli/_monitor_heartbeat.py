"""`infratest monitor heartbeat`: a job of yours says that it began, ended or lives, or is run and reported on."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from types import FrameType
from typing import Any

import click

from infratest.cli._monitor_people import say
from infratest.cli._verb import VerbCommand
from infratest.cli._verb import say as tell
from infratest.cli.session import with_session
from infratest.errors import InfratestError
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED

#: What a shell returns for a command that it does not find, and for one that it may not run; and adds to a signal.
NOT_FOUND, NOT_RUN, SIGNALLED = 127, 126, 128
_BEHIND = "infratest.heartbeat.command"


class _Command(VerbCommand):
    """A word behind whose `--` stands another command, with options of its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take away the command; what stands before it is ours."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[_BEHIND] = tuple(args[at + 1 :])
            args = args[:at]
        return super().parse_args(ctx, args)


@click.command("heartbeat", cls=_Command, short_help="Report that a job ran; or run it, and report on it.",
               options_metavar="[OPTIONS]")  # fmt: skip
@click.argument("name")
@click.argument("sign", metavar="[start|ok|fail|alive] | -- COMMAND...", required=False,
                type=click.Choice(["start", "ok", "fail", "alive"]))  # fmt: skip
@with_session(require_env=True, made_up=UNASKED)
@click.pass_context
def heartbeat(ctx: click.Context, session: Session, name: str, sign: str | None) -> int:
    """Report of the job NAME, which `heartbeats:` in the stack file names, that it began, ended, failed or lives.

    Without a word it is `ok`. With -- COMMAND the command is run: `start` is reported before it, and `ok` or `fail` by
    its exit status behind it. It is run whether anybody hears of it or not, and its exit status is passed through.
    Where no monitor runs, what is reported is kept for the next one, with its time.

    \b
    0 3 * * *  cd /srv/shop && infratest monitor heartbeat backup -- /usr/local/bin/backup

    Exit status: that of the command; without one 0 reported, 3 not reported.
    """
    command: Sequence[str] = ctx.find_root().meta.get(_BEHIND, ())
    if _BEHIND not in ctx.find_root().meta:
        _report(session, name, sign or "ok")
        return 0
    if sign is not None or not command:
        raise click.UsageError("write either a word or -- COMMAND, as `heartbeat backup -- /usr/local/bin/backup`", ctx)
    _try_to_report(session, name, "start")
    status = _run(command)
    _try_to_report(session, name, "fail" if status else "ok")
    return status


def _report(session: Session, name: str, sign: str) -> None:
    from infratest.monitor.kept import with_heartbeats

    given = {"name": name, "signal": sign}
    say(session, "heartbeat", given, f"{{name}}: {sign} is heard; {{kind}}: {{reason}}", with_heartbeats(session))


def _try_to_report(session: Session, name: str, sign: str) -> None:
    """Report, and tell why nobody heard of it: the job is what matters."""
    from infratest.monitor.kept import asked, with_heartbeats

    try:
        asked(session, "heartbeat", {"name": name, "signal": sign}, with_heartbeats(session))
    except (InfratestError, OSError) as error:
        tell(f"heartbeat {name}: {sign} is not reported: {error}")


def _run(command: Sequence[str]) -> int:
    """Run a command with these streams, and signals passed on; return its status as a shell has it."""
    try:
        process = subprocess.Popen(command)
    except FileNotFoundError:
        tell(f"heartbeat: {command[0]}: command not found")
        return NOT_FOUND
    except (OSError, ValueError) as error:
        tell(f"heartbeat: {command[0]} could not be run: {error}")
        return NOT_RUN

    def pass_on(number: int, frame: FrameType | None) -> None:
        process.send_signal(number)

    # Ctrl-C reaches the command by itself, as all of a terminal's foreground: it is waited for.
    handlers: dict[int, Any] = {signal.SIGTERM: pass_on, signal.SIGHUP: pass_on, signal.SIGINT: signal.SIG_IGN}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else SIGNALLED - status
