"""Questions about what a user's own command answers; the user's word is that it only looks.

A command that could not be run at all (126 and 127 of a shell) tells nothing of the subject, so it is unknown, unless
the sentence asks for just that status: else `does not print "error"` would be green where the program is missing.
"""

from __future__ import annotations

from infratest.check import Check, Measure, Seen
from infratest.cleaning import clean, differing, literal
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.found import Output
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: sh(1): a command that is found and not executable, and one that is not found.
NOT_RUN = (126, 127)
#: Characters of a command's own words in a reason.
SHOWN = 200


class _OfCommand(Check):
    from_others = True

    command: str
    root: bool = False

    def __post_init__(self) -> None:
        if not self.command.strip() or "\0" in self.command:
            raise UserError(f"the command {self.command!r}: expected a command for sh -c")

    def needs(self) -> tuple[Need, ...]:
        return (Need("root-command" if self.root else "command", (self.command,)),)

    @property
    def subject(self) -> str:
        return f'the command "{self.command}"{" as root" if self.root else ""}'

    def output(self, facts: Mapping[Need, Any], expected: int | None = None) -> Output:
        found: Output = facts[self.needed[0]]
        if found.exit in NOT_RUN and found.exit != expected:
            raise FactError(f"{self.subject} could not be run: exit {found.exit}: {clean(found.err, SHOWN)}")
        return found


class CommandExits(_OfCommand):
    """Whether the command ends with this exit status."""

    status: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.status <= 255:
            raise UserError(f"{self.subject} exits {self.status}: an exit status is a whole number from 0 to 255")

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        output = self.output(facts, self.status)
        said = clean(output.err, SHOWN) or clean(output.out, SHOWN)
        words = f"{self.subject} exited {output.exit}{f': {said}' if said else ''}"
        return Seen(holds=output.exit == self.status, saw=words)


class CommandPrints(_OfCommand):
    """Whether the text occurs in the command's standard output; `exactly`: is all of it but line breaks at its end."""

    text: str = ""
    exactly: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.text and not self.exactly:
            raise UserError(f'{self.subject} prints "": every command does; write the text that is meant')

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        output = self.output(facts)
        printed = output.out.rstrip("\n")
        words = f"{self.subject} printed {literal(printed, SHOWN)}" if output.out else f"{self.subject} printed nothing"
        words += f" and exited {output.exit}" if output.exit else ""
        if self._holds(output):
            return Seen(holds=True, saw=words)
        if not output.whole:
            raise FactError(f"{words}: it is more than is kept, and what is kept does not answer the question")
        if not output.exact:
            raise FactError(
                f"{words}: that is no UTF-8 text, so what it says is not known; pipe it through iconv or od"
            )
        return Seen(holds=False, saw=words + (differing(self.text, printed, SHOWN) if self.exactly else ""))

    def _holds(self, output: Output) -> bool:
        if self.exactly:
            return output.exact and output.whole and output.out.rstrip("\n") == self.text
        # What stands for a byte that is no text must not be found as such.
        return self.text in (output.out if output.exact else output.out.replace("\ufffd", "\0"))


class CommandNumber(_OfCommand):
    """The number that the command prints, alone, on its standard output."""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        output = self.output(facts)
        said = output.out.strip()
        try:
            number = float(said) if "_" not in said else float("nan")
        except ValueError:
            number = float("nan")
        if (
            output.exit != 0 or not output.whole or number - number != 0
        ):  # true for what is not a number, and for infinities
            shown = literal(said or output.err.strip(), SHOWN)
            raise FactError(f"{self.subject} exited {output.exit} and printed {shown}: expected 0 and a number alone")
        return Seen(holds=True, saw=f"{self.subject} printed {said}", number=number)

    def measure(self) -> Measure:
        return Measure(label=f"command {self.command} printed")


class CommandTime(_OfCommand):
    """How long the command takes on the host, in hundredths of a second, whatever it answers."""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        output = self.output(facts)
        if output.seconds is None:
            raise FactError(
                f"how long {self.subject} takes is not known: the host has no /proc/uptime to measure it by"
            )
        words = f"{self.subject} took {human(output.seconds, 's')} and exited {output.exit}"
        return Seen(holds=True, saw=words, number=output.seconds)

    def measure(self) -> Measure:
        return Measure(label=f"command {self.command} time", unit="s", minimum=0)
