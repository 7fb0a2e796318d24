"""What can be said of the lines that a user's own command prints, and of its standard error.

Of output that is no text (UTF-8), or more than is kept, a line that is there is there; that there is none is unknown.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.steps._command import SHELL, SHOWN, OfCommand

from infratest.check import Measure, Seen, in_quotes
from infratest.cleaning import literal, masked_line
from infratest.errors import FactError, UserError
from infratest.gherkin.sentence import check
from infratest.units import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues


class _OfStream(OfCommand):
    """Standard output, or standard error."""

    errors: bool = False

    @property
    def stream(self) -> str:
        return " to standard error" if self.errors else ""

    def printed(self, facts: FactValues) -> tuple[str, bool, str]:
        """Return the text, whether all of it is there as it was printed, and words for it."""
        output = self.whole_output(facts)
        text = output.err if self.errors else output.out
        exact = output.err_whole and "\ufffd" not in text if self.errors else output.whole and output.exact
        words = f"{self.subject} printed {literal(text.rstrip(chr(10)), SHOWN) if text else 'nothing'}{self.stream}"
        return text, exact, words + (f" and exited {output.exit}" if output.exit else "")


class _Prints(_OfStream):
    """Something is there to be found in what is printed."""

    text: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.text:
            raise UserError(f'{self.subject} prints "": every command does; write the text that is meant')

    @abstractmethod
    def place(self, printed: str) -> str | None:
        """Return words for where it is, None where it is not."""

    def observe(self, facts: FactValues) -> Seen:
        text, exact, words = self.printed(facts)
        # What stands for a byte that is no text must not be found as such.
        place = self.place(text if exact else text.replace("\ufffd", "\0"))
        if place is None and not exact:
            raise FactError(f"{words}: it is no UTF-8 text, or more than is kept, so what is not in it is not known")
        return Seen(holds=place is not None, saw=f"{words}{place or ''}")


@check(
    'the command "{command}" prints "{text}" to standard error',
    negation='the command "{command}" does not print "{text}" to standard error',
    example='the command "nginx -t" prints "syntax is ok" to standard error',
    shell=SHELL,
)
class PrintsError(_Prints):
    """The text occurs in the command's standard error, whatever its exit status."""

    errors = True

    def place(self, printed: str) -> str | None:
        return "" if self.text in printed else None


@check(
    'the command "{command}" as root prints "{text}" to standard error',
    negation='the command "{command}" as root does not print "{text}" to standard error',
    example='the command "nginx -t" as root prints "syntax is ok" to standard error',
    shell=SHELL,
)
def root_prints_error(command: str, text: str) -> PrintsError:
    """The text occurs in the standard error of the command as root."""
    return PrintsError(command, root=True, text=text)


@check(
    'the command "{command}" prints a line matching "{text}"',
    negation='the command "{command}" prints no line matching "{text}"',
    example='the command "ip route" prints a line matching "^default via "',
    shell=SHELL,
)
class PrintsMatching(_Prints):
    """A line of the command's standard output matches the pattern (RE2), whatever its exit status."""

    def __post_init__(self) -> None:
        super().__post_init__()
        from infratest.regular_expression import compiled  # dear, and needed by few

        compiled(self.text)

    def place(self, printed: str) -> str | None:
        from infratest.regular_expression import compiled

        search = compiled(self.text).search
        rows = _rows(printed)
        first = next((number for number, row in enumerate(rows, 1) if search(row.encode("utf-8"))), None)
        if first is None:
            return None
        return f"; line {first} matches {in_quotes(self.text)}: {literal(masked_line(rows, first - 1))}"


@check(
    'the command "{command}" as root prints a line matching "{text}"',
    negation='the command "{command}" as root prints no line matching "{text}"',
    example='the command "nft list ruleset" as root prints a line matching "policy drop;$"',
    shell=SHELL,
)
def root_prints_matching(command: str, text: str) -> PrintsMatching:
    """A line of the standard output of the command as root matches the pattern (RE2)."""
    return PrintsMatching(command, root=True, text=text)


@check(
    'the command "{command}" prints a line matching "{text}" to standard error',
    negation='the command "{command}" prints no line matching "{text}" to standard error',
    example='the command "sshd -t" prints a line matching "(?i)deprecated" to standard error',
    shell=SHELL,
)
def prints_error_matching(command: str, text: str) -> PrintsMatching:
    """A line of the command's standard error matches the pattern (RE2)."""
    return PrintsMatching(command, errors=True, text=text)


@check(
    'the command "{command}" as root prints a line matching "{text}" to standard error',
    negation='the command "{command}" as root prints no line matching "{text}" to standard error',
    example='the command "sshd -t" as root prints a line matching "(?i)deprecated" to standard error',
    shell=SHELL,
)
def root_prints_error_matching(command: str, text: str) -> PrintsMatching:
    """A line of the standard error of the command as root matches the pattern (RE2)."""
    return PrintsMatching(command, root=True, errors=True, text=text)


@check(
    'the command "{command}" prints nothing',
    negation='the command "{command}" prints something',
    example='the command "systemctl --failed --quiet" prints nothing',
    shell=SHELL,
)
class PrintsNothing(_OfStream):
    """The command's standard output is empty, whatever its exit status; a line break alone is something."""

    def observe(self, facts: FactValues) -> Seen:
        text, _, words = self.printed(facts)
        return Seen(holds=not text, saw=words)


@check(
    'the command "{command}" as root prints nothing',
    negation='the command "{command}" as root prints something',
    example='the command "debsums -s" as root prints nothing',
    shell=SHELL,
)
def root_prints_nothing(command: str) -> PrintsNothing:
    """The standard output of the command as root is empty."""
    return PrintsNothing(command, root=True)


@check(
    'the command "{command}" prints nothing to standard error',
    negation='the command "{command}" prints something to standard error',
    example='the command "crontab -l" prints nothing to standard error',
    shell=SHELL,
)
def prints_no_error(command: str) -> PrintsNothing:
    """The command's standard error is empty, whatever its exit status."""
    return PrintsNothing(command, errors=True)


@check(
    'the command "{command}" as root prints nothing to standard error',
    negation='the command "{command}" as root prints something to standard error',
    example='the command "lvs" as root prints nothing to standard error',
    shell=SHELL,
)
def root_prints_no_error(command: str) -> PrintsNothing:
    """The standard error of the command as root is empty."""
    return PrintsNothing(command, root=True, errors=True)


@check(
    'the command "{command}" prints {bound:count} lines',
    example='the command "getent ahosts db" prints at least 1 lines',
    shell=SHELL,
)
class PrintsLines(_OfStream):
    """How many lines the command prints, whatever its exit status; the last one may be without a line break."""

    def observe(self, facts: FactValues) -> Seen:
        output = self.whole_output(facts)
        if not output.whole:
            raise FactError(f"{self.subject} printed more than is kept: how many lines is not known")
        number = len(_rows(output.out))
        words = f" and exited {output.exit}" if output.exit else ""
        return Seen(holds=True, saw=f"{self.subject} printed {counted(number, 'line')}{words}", number=number)

    def measure(self) -> Measure:
        return Measure(label=f"command {self.command} lines", minimum=0)


@check(
    'the command "{command}" as root prints {bound:count} lines',
    example='the command "lsof -i" as root prints less than 500 lines',
    shell=SHELL,
)
def root_prints_lines(command: str) -> PrintsLines:
    """How many lines the command prints as root, whatever its exit status."""
    return PrintsLines(command, root=True)


def _rows(text: str) -> list[str]:
    """Return lines as a shell ends them: by line feed alone."""
    rows = text.split("\n")
    return rows if rows[-1] else rows[:-1]
