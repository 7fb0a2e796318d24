"""What the sentences about a user's own command share: how it is asked, and when its answer tells nothing.

A command that could not be run at all (126 and 127 of a shell) tells nothing of the subject, so it is unknown, unless
the sentence asks for just that status: else `does not print "error"` would be green where the program is missing.
"""

from __future__ import annotations

from infratest.check import Check, in_quotes
from infratest.cleaning import clean
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts._command import Output
    from infratest.facts.base import FactValues

SHELL = ("command",)

#: sh(1): a command that is found and not executable, and one that is not found.
NOT_RUN = (126, 127)

#: Characters of a command's own words in a reason.
SHOWN = 200


class OfCommand(Check):
    """A question about what a command answers."""

    from_others = True

    command: str
    root: bool = False

    def __post_init__(self) -> None:
        if not self.command.strip() or "\0" in self.command:
            raise UserError(f"the command {self.command!r}: expected a command for sh -c")

    @derived
    def asked(self) -> Need[Output]:
        return Need("root-command" if self.root else "command", (self.command,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @property
    def subject(self) -> str:
        return f"the command {in_quotes(self.command)}{' as root' if self.root else ''}"

    def output(self, facts: FactValues, *expected: int) -> Output:
        output = facts[self.asked]
        if output.exit in NOT_RUN and output.exit not in expected:
            raise FactError(f"{self.subject} could not be run: exit {output.exit}: {clean(output.err, SHOWN)}")
        return output
