"""The fact `ntp-server`: what an NTP server says of the time, and how far the clock of who looks is from it. Argument:
`ntp.example:123`.

From a host it takes python3. No clock is set.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import DeadlineExceeded, FactError
from infratest.facts._outside import FAILED, MUTE, OPEN, SILENT, UNRESOLVED
from infratest.facts._server_place import server_place, unanswered
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect


class NtpServer(Record):
    """What was answered.

    Args:
        stratum: 1 where it has the time from no other server; 16 where it has none. offset: seconds that its clock is
        ahead of the looker's; less than 0 where it is behind. delay: seconds of the way there and back. synchronised:
        whether it says that its clock is right. refused: why nothing was answered, in words.
    """

    stratum: int = 16
    offset: float = 0.0
    delay: float = 0.0
    synchronised: bool = False
    refused: str = ""

    def in_words(self) -> str:
        from infratest.units import human

        if self.refused:
            return f"no answer: {self.refused}"
        if not self.synchronised:
            return f"not synchronised (stratum {self.stratum})"
        way = "ahead of" if self.offset > 0 else "behind"
        return f"stratum {self.stratum}, {human(abs(self.offset), 's')} {way} the clock of who looks"


NO_PYTHON = f"echo 'python3 is not installed on this host' >&2\nexit {NO_TOOL}"


class NtpServerFact(LooksForEach, LooksFromController):
    """Servers."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        from infratest.facts import _sntp
        from infratest.facts._outside_there import by_python, program_with

        return by_python(self.patience_there, NO_PYTHON, program_with(_sntp.__file__))

    def words(self, argument: Argument) -> tuple[str, ...]:
        host, port = _place(argument)
        return ("ntp", host, str(port), "")

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        from infratest.facts._outside_there import rows

        _, answers = rows(self.readable(answer))
        found = {}
        for index, argument in enumerate(arguments, 1):
            if index in answers:
                outcome, _, words = answers[index]
                found[argument] = _server(outcome, words, argument)
        return found

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(argument, deadline, connect) for argument in arguments}

    def _look(self, argument: Argument, deadline: Deadline, connect: Connect) -> NtpServer | FactError:
        from infratest.facts._sntp import sntp

        had = deadline.at_most(self.patience).left
        host, port = _place(argument)
        address, there = connect(host, port)
        if there != port:
            return FactError(f"{argument[0]} is published for TCP alone: look from a host, as `from the host`")
        outcome, _, words = sntp(address, there, had)
        if outcome in (SILENT, MUTE) and had < self.patience and deadline.passed:
            raise DeadlineExceeded(f"{argument[0]}: no answer before our own deadline")
        return _server(outcome, words, argument)


def _place(argument: Argument) -> tuple[str, int]:
    return server_place(argument[0], "NTP server", 123)


def _server(outcome: str, words: str, argument: Argument) -> NtpServer | FactError:
    if outcome == OPEN:
        try:
            leap, stratum, offset, delay = words.split(" ")
            seen = NtpServer(
                int(stratum), float(offset), float(delay), int(leap) in (0, 1, 2) and 0 < int(stratum) < 16
            )
        except ValueError:
            raise FactError(f"the answer is not understood: {cited(words, 80)}") from None
        if not (0 <= seen.stratum <= 255 and abs(seen.offset) < 2**33 and 0 <= seen.delay < 2**10):
            raise FactError(f"the answer is not understood: {cited(words, 80)}")
        return seen
    try:
        return NtpServer(refused=unanswered(outcome, words, argument[0]))
    except FactError as error:
        if outcome not in (FAILED, UNRESOLVED):
            raise
        return error
