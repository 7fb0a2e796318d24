"""What a host's clock showed, and between which moments of ours: what `clock-reading` and `last-clock-reading` share.

The one is asked before all else of a host, the other behind all else: together they say how far the clock is off the
controller's as closely as the way there and back allows, however long what stands between them takes.
"""

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

#: Digits of nanoseconds, as `date +%N` (coreutils) prints them; busybox's has none.
DIGITS = 9


class ClockReading(Record):
    """Seconds since the epoch that a clock showed, how fine it tells them, and when it was asked.

    Args:
        sent, came: seconds of the controller's monotonic clock; the clock was looked at between them.
    """

    seconds: float
    step: float
    sent: float = 0.0
    came: float = 0.0

    def in_words(self) -> str:
        return f"{self.seconds:.3f} s since the epoch, asked within {(self.came - self.sent) * 1000:.0f} ms"


class ReadsClock(Fact):
    """Clocks of hosts, as `date` tells them."""

    timed = True
    unprivileged = True

    def ask(self, arguments: Sequence[Argument]) -> str:
        return without("date", "date (coreutils) is not installed on this host") + "date '+%s %N'\n"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        whole, _, part = self.readable(answer).out.removesuffix("\n").partition(" ")
        if not whole.isdigit() or not answer.out.endswith("\n"):
            raise FactError(f"date answers what is not understood: {cited(answer.out, 80)}")
        fine = len(part) == DIGITS and part.isdigit()
        if not fine and part not in ("", "N", "%N"):  # as busybox, toybox and old ones leave it
            raise FactError(f"date answers what is not understood: {cited(answer.out, 80)}")
        seconds = number(whole, "seconds since the epoch") + (number(part, "nanoseconds") / 10**DIGITS if fine else 0)
        # A double holds seconds since the epoch to a fourth of a microsecond.
        return dict.fromkeys(arguments, ClockReading(seconds, 1e-6 if fine else 1.0, answer.sent, answer.came))
