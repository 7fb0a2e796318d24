"""What the sentences about a user's own command share: how it is asked, and when its answer tells nothing.

A command that could not be run at all (126 and 127 of a shell) tells nothing of the subject, so it is unknown, unless
the sentence asks for just that status: else `does not print "error"` would be green where the program is missing.
Of one that a signal ended what it prints is not known, and not how long it takes: it may have been about to go on.
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

#: sh(1): a command that signal N ended has the exit status 128 + N; Linux has the signals 1 to 64.
ENDED, LAST = 128, 64

#: Linux' names of the signals that end what does not catch them: signal(7), as on x86 and ARM.
SIGNALS = {
    1: "SIGHUP",
    2: "SIGINT",
    3: "SIGQUIT",
    4: "SIGILL",
    5: "SIGTRAP",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    10: "SIGUSR1",
    11: "SIGSEGV",
    12: "SIGUSR2",
    13: "SIGPIPE",
    14: "SIGALRM",
    15: "SIGTERM",
    24: "SIGXCPU",
    25: "SIGXFSZ",
    31: "SIGSYS",
}

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

    def whole_output(self, facts: FactValues) -> Output:
        """Return what it answered, where it came to its own end. Raises FactError."""
        output = self.output(facts)
        number = output.exit - ENDED
        if 0 < number <= LAST:
            name = f"{SIGNALS.get(number, number)}: exit {output.exit}"
            said = clean(output.err, SHOWN)
            raise FactError(
                f"{self.subject} was ended by a signal ({name}), so what it would print is not known"
                f"{f': {said}' if said else ''}"
            )
        return output

    def output(self, facts: FactValues, *expected: int) -> Output:
        """Return what it answered, to its end or not. Raises FactError where it was not run.

        Args:
            expected: statuses that are asked for.
        """
        output = facts[self.asked]
        if output.exit in NOT_RUN and output.exit not in expected:
            raise FactError(f"{self.subject} could not be run: exit {output.exit}: {clean(output.err, SHOWN)}")
        return output
