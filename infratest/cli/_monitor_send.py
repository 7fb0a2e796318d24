"""`infratest monitor send NAME --test`: a result and a number to one sender, and what became of them."""

from __future__ import annotations

import time

import click

from infratest.cli import _monitor
from infratest.cli._monitor_tell import NOT_DONE
from infratest.cli._verb import VerbCommand
from infratest.cli.session import with_session
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED


@click.command("send", cls=VerbCommand, short_help="Send a test result to another tool, and say whether it was taken.")
@click.argument("name")
@click.option("--test", is_flag=True, required=True, help="Send a result that says that it is a test.")
@with_session(require_env=True, made_up=UNASKED)
def send(session: Session, name: str, test: bool) -> int:
    """Send a result that is ok, and a number, to the entry NAME of `send:`, and say whether it took them, or why not.

    NAME is the entry's kind; of two of a kind the second is NAME-2. Tools that have hosts and services are sent a
    result of the service `infratest-canary`, which `infratest monitor up` gives them. It is sent by this call and not
    by a running monitor: the environment and the user may differ.

    Exit status: 0 it was taken, 3 it was not, or it is not known there.
    """
    from infratest.monitor.trial import sent
    from infratest.stack.monitor import Monitor

    stack, monitor = session.stack, session.stack.monitor or Monitor()
    done = sent(monitor.send, name, stack.folder, (stack.name, stack.env), time.time())
    if done.outcome == "delivered":
        _monitor.write([f"{name}: taken by {done.whom}"])
        return 0
    _monitor.write([f"{name}: not taken by {done.whom}: {done.reason}"])
    return NOT_DONE
