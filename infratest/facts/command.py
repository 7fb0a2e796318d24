"""The fact `command`: what a user's own command answers. Argument: its text, run by `sh -c` as written.

As the login user: no sudo. Asked once however many sentences look at it. Its exit status is never an error here.
"""

from __future__ import annotations

from infratest.facts._command import CommandFact
from infratest.facts.base import Argument
from infratest.quoting import quoted


class PlainCommand(CommandFact):
    """Commands as the login user."""

    unprivileged = True

    def script(self, argument: Argument) -> str:
        return f"sh -c -- {quoted(argument[0])}\n"
