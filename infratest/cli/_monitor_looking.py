"""`infratest monitor status`, `problems`, `due`: how everything is, what is wrong, and what is looked at next."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

from infratest.cli import _monitor
from infratest.cli._verb import VerbCommand
from infratest.cli.session import with_session
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED
from infratest.states import EXIT

F = TypeVar("F", bound=Callable[..., Any])


def form_option(function: F) -> F:
    """Give a word `--format text|json`."""
    return click.option(
        "--format", "form", type=click.Choice(["text", "json"]), default="text", help="text (default) or json."
    )(function)


@click.command("status", cls=VerbCommand, short_help="Say how everything is that is watched.")
@form_option
@with_session(require_env=True, made_up=UNASKED)
def status(session: Session, form: str) -> int:
    """Say how everything is: one line as of a check plugin, and a line for each result that is not well or not sure.

    What has failed too seldom to count is shown as not confirmed, and does not decide. Where no monitor runs, what the
    last one knew is shown, and all of it is unknown. Where another one works on the same PostgreSQL, what it has kept
    is shown, and which one that is.

    Exit status: 0 ok, 1 warning, 2 critical, 3 unknown.
    """
    return _judged(session, form, "status", _monitor.status)


@click.command("problems", cls=VerbCommand, short_help="Say what is wrong, what follows from it, and who was told.")
@form_option
@with_session(require_env=True, made_up=UNASKED)
def problems(session: Session, form: str) -> int:
    """Say what is wrong by itself, what it stands in the way of, who was told and why who was not.

    A problem that somebody has (`ack`), or that is planned (`downtime`), is shown and does not decide.

    Exit status: 0 ok, 1 warning, 2 critical, 3 unknown.
    """
    return _judged(session, form, "problems", _monitor.problems)


@click.command("due", cls=VerbCommand, short_help="Say what is looked at next, and when.")
@form_option
@with_session(require_env=True, made_up=UNASKED)
def due(session: Session, form: str) -> int:
    """Say which results are looked at next, the soonest first, and in how many seconds.

    Exit status: 0 shown, 3 no monitor runs: nothing is looked at.
    """
    from infratest.errors import StateError
    from infratest.monitor.kept import asked

    found = asked(session, "due")
    if not found.live:
        where = f"on {session.state.path}: nothing is looked at; infratest monitor run"
        if found.works:
            where = f"here: {found.works} works, and it alone knows what it looks at next; ask it there"
        raise StateError(f"due: no monitor runs {where}")
    if form == "json":
        click.echo(json.dumps(found.answer, indent=2, ensure_ascii=False))
    else:
        _monitor.write(_monitor.due(found.answer))
    return 0


def _judged(session: Session, form: str, word: str, lines: Callable[[Session, Any, dict[str, Any]], list[str]]) -> int:
    from infratest.monitor.kept import asked

    found = asked(session, word)
    answer = found.answer | {"state": _monitor.state_of(found)}
    if form == "json":
        click.echo(json.dumps(answer | _monitor.source_of(session, found), indent=2, ensure_ascii=False))
    else:
        _monitor.write(lines(session, found, answer))
    return EXIT[answer["state"]]
