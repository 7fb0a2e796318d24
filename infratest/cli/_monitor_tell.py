"""`infratest monitor tell NAME --test`: a real message to one receiver, and what became of it."""

from __future__ import annotations

import os
import time

import click

from infratest.cli import _monitor
from infratest.cli._verb import VerbCommand
from infratest.cli.session import with_session
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED

#: Exit status where it has not surely arrived, and where it has not for all.
NOT_DONE, PARTLY = 3, 1


@click.command("tell", cls=VerbCommand, short_help="Send a test message to a receiver, and say whether it arrived.")
@click.argument("name")
@click.option("--test", is_flag=True, required=True, help="Send a message that says that it is a test.")
@with_session(require_env=True, made_up=UNASKED)
def tell(session: Session, name: str, test: bool) -> int:
    """Send a real message to the receiver NAME of the stack file, and say whether it took it, or why not.

    The message says that it is a test, and who asked for it. Where the receiver keeps problems open, it is told behind
    it that the test is over. It is sent by this call and not by a running monitor: the environment and the user may
    differ.

    Exit status: 0 it was taken, 1 not for all whom it is for, 3 it was refused, or may have arrived.
    """
    from infratest.monitor.control import login
    from infratest.monitor.trial import asked_for_by, tried
    from infratest.stack.monitor import Monitor

    stack, monitor = session.stack, session.stack.monitor or Monitor()
    place, user = (stack.name, stack.env), login(os.getuid())
    done = tried(monitor.receivers, name, stack.folder, place, asked_for_by(user), time.time())
    if done.outcome == "delivered":
        _monitor.write([f"{name}: taken by {done.whom}" + (f"; not for all: {done.reason}" if done.reason else "")])
        return PARTLY if done.reason else 0
    words = "refused, it has surely not arrived" if done.outcome == "refused" else "it may have arrived, or not"
    _monitor.write([f"{name}: {words}: {done.reason}"])
    return NOT_DONE
