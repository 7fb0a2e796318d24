"""`infratest monitor`: the resident monitor, what it knows, and what people tell it; its words are files in `cli`."""

from __future__ import annotations

import importlib
from collections.abc import MutableMapping
from functools import cache

import click

from infratest.cli._verb import MUST_HOLD, Verb, Words

VERB = Verb(MUST_HOLD, 3.8, judges=True)

#: Word -> the file in `cli` that has its command, under the word's own name.
FILES = {
    "run": "_monitor_run",
    "status": "_monitor_looking",
    "problems": "_monitor_looking",
    "due": "_monitor_looking",
    "explain": "_monitor_explain",
    "history": "_monitor_history",
    "events": "_monitor_history",
    "backtest": "_monitor_backtest",
    "ack": "_monitor_people",
    "unack": "_monitor_people",
    "downtime": "_monitor_downtime",
    "pause": "_monitor_people",
    "resume": "_monitor_people",
    "note": "_monitor_people",
    "heartbeat": "_monitor_heartbeat",
    "tell": "_monitor_tell",
    "send": "_monitor_send",
    "export": "_monitor_export",
    "up": "_monitor_up",
}


class _Words(Words):
    """The words, in the order of the table; each file is loaded when one of its words is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(FILES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _command(cmd_name) if cmd_name in FILES else super().get_command(ctx, cmd_name)

    @property
    def commands(self) -> MutableMapping[str, click.Command]:
        """All of them, as who lists them takes them."""
        return {name: _command(name) for name in FILES}

    @commands.setter
    def commands(self, given: MutableMapping[str, click.Command]) -> None:
        """They are the table's, whatever click begins with."""


@cache
def _command(word: str) -> click.Command:
    made: click.Command = getattr(importlib.import_module(f"infratest.cli.{FILES[word]}"), word)
    return made


@click.group("monitor", cls=_Words, short_help="Watch a stack, remember, and tell people; ask and tell the monitor.")
def command() -> None:
    """Watch a stack: look at each scenario when it is due, remember what was seen, and tell whom `tell:` names.

    `infratest monitor run` does so until it is ended. `tell` tries a receiver, `export` and `up` bring what is watched
    to another monitoring system: these need no monitor of ours. `backtest` tries another policy on what is kept. The
    other words ask it by its socket, or where none runs the store that it left, and say so: what is known then is old,
    and never ok.

    \b
    infratest monitor run --env prod
    infratest monitor problems --env prod

    Exit status of `status` and `problems`: 0 ok, 1 warning, 2 critical, 3 unknown, as of a check; of `export` and `up`
    0 done, 1 not done, 3 wrong use; of the others 0 done, 3 not done.
    """
