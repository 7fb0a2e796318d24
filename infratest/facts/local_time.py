"""The fact `local-time`: what time it is on a host, in its own time zone. It has no argument."""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import number, without
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class LocalTime(Record):
    """A time as clocks on the wall of the host show it."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int

    def in_words(self) -> str:
        return f"{self.year}-{self.month:02}-{self.day:02} {self.hour:02}:{self.minute:02}:{self.second:02}"


#: What `date` prints, and the least and greatest of each number; a minute may have a leap second.
LIMITS = ((1970, 9999), (1, 12), (1, 31), (0, 23), (0, 59), (0, 60))


class LocalTimeFact(Fact):
    """The time."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return without("date", "date (coreutils) is not installed on this host") + "date '+%Y %m %d %H %M %S'\n"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        words = self.readable(answer).out.split()
        if len(words) != len(LIMITS) or not answer.out.endswith("\n"):
            raise FactError(f"date answers what is not understood: {cited(answer.out, 80)}")
        values = [number(word, "a part of the time") for word in words]
        if not all(least <= value <= greatest for value, (least, greatest) in zip(values, LIMITS, strict=True)):
            raise FactError(f"date answers a time that is none: {cited(answer.out, 80)}")
        return dict.fromkeys(arguments, LocalTime(*values))
