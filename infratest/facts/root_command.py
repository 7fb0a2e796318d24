"""The fact `root-command`: what a user's own command answers as root. Argument: its text, run by `sh -c` as written.

By the host's sudo, where it says so; where that does not make us root, the command is not run at all.
"""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts._command import CommandFact, Output
from infratest.facts.base import NO_TOOL, Answer, Argument
from infratest.quoting import quoted

NOT_ROOT = "infratest: not root: set `sudo: true` for this host, or log in as root"


class RootCommand(CommandFact):
    """Commands as root."""

    before = f'[ "$(id -u)" = 0 ] || {{ echo {quoted(NOT_ROOT)} >&2; exit {NO_TOOL}; }}\n'

    def script(self, argument: Argument) -> str:
        return f"sh -c -- {quoted(argument[0])}\n"

    def value(self, answer: Answer) -> Output:
        if answer.exit == NO_TOOL and answer.err.strip() == NOT_ROOT:
            raise FactError(NOT_ROOT.removeprefix("infratest: "))
        return super().value(answer)
