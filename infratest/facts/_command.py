"""What the facts `command` and `root-command` share: one snippet and one answer for each text.

How long a command takes is measured on the host, by the shell that runs it: the controller sees one answer for all of
a script. The clock is /proc/uptime, which a shell reads without spawning anything, in hundredths of a second: proc(5).
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.errors import FactError
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, ClassVar


class Output(Record):
    """What a command answered.

    Args:
        seconds: how long it ran on the host; None where the host keeps no such clock. whole: whether `out` is all that
        it printed. exact: whether that is text as it was printed; bytes that are no UTF-8, and NULs, are U+FFFD in it.
        err_whole: whether `err` is all of its standard error, and not the end of it.
    """

    exit: int
    out: str
    err: str
    seconds: float | None
    whole: bool = True
    exact: bool = True
    err_whole: bool = True

    def in_words(self) -> str:
        from infratest.units import human

        took = "" if self.seconds is None else f" after {human(self.seconds, 's')}"
        return f"exited {self.exit}{took}\n{self.out}{self.err}"


#: The status that a shell gives of what was ended by SIGPIPE: where nobody reads on, as on a line without an end.
CUT_OFF = 141

#: Stands before the two times at the end of standard error. What a command says before them is its own.
MARK = "\ninfratest-uptime "

#: The clock before and after, and the command's own exit status. A host without this clock prints no times.
BEFORE = "{ read -r infratest_began infratest_rest </proc/uptime; } 2>/dev/null\n"
AFTER = r"""infratest_status=$?
{ read -r infratest_ended infratest_rest </proc/uptime; } 2>/dev/null
printf '\ninfratest-uptime %s %s\n' "$infratest_began" "$infratest_ended" >&2
exit $infratest_status
"""


class CommandFact(Fact):
    """A user's own command."""

    alone = True
    #: Shell that is run before the clock.
    before: ClassVar[str] = ""

    @abstractmethod
    def script(self, argument: Argument) -> str:
        """Return the shell that runs one command."""

    def value(self, answer: Answer) -> Output:
        """Return what it answered; every exit status is a value."""
        seconds = _took(answer.err.rpartition(MARK)[2])
        said = self.shown(answer)
        whole = not said.truncated
        if said.truncated and said.exit == CUT_OFF:
            raise FactError(
                "it printed a line that is longer than is held, and was cut off: how it would end is not known"
            )
        return Output(said.exit, said.out, said.err, seconds, whole, said.exact, said.err_whole)

    def shown(self, answer: Answer) -> Answer:
        words, mark, _ = answer.err.rpartition(MARK)
        return answer.changed(err=words) if mark else answer

    def ask(self, arguments: Sequence[Argument]) -> str:
        return "".join(f"{self.before}{BEFORE}{self.script(argument)}{AFTER}" for argument in arguments)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        return dict.fromkeys(arguments, self.value(answer))


def _took(times: str) -> float | None:
    """Return the seconds between two times of /proc/uptime, None where the host told none."""
    try:
        began, ended = map(float, times.split()[:2])
    except ValueError:
        return None
    return round(ended - began, 2)
