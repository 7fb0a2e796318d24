"""The fact `metric`: what a monitor's store has of one series of numbers in a window that ends now.
Arguments: the state directory, whose store it is, the series' key, the window in seconds.
"""

from __future__ import annotations

from infratest.facts._monitor_store import OfMonitorStore
from infratest.record import Record
from infratest.units import counted, human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Seconds of a window: numbers are kept for days, and what an hour's come to for a year.
SHORTEST, LONGEST = 1.0, 366 * 86400.0


class Metric(Record):
    """Figures of the numbers in the window.

    Args:
        there: whether there is such a series at all. count: how many numbers there are in the window; the figures are 0
        where there is none. first, newest: of them. whole: whether the first one is of the window's beginning, as far
        as numbers are kept. age: seconds since the newest. unit: `s`, `B`, `%` or empty.
    """

    there: bool
    count: int = 0
    mean: float = 0.0
    least: float = 0.0
    greatest: float = 0.0
    first: float = 0.0
    newest: float = 0.0
    whole: bool = True
    age: float = 0.0
    unit: str = ""

    def in_words(self) -> str:
        if not self.there:
            return "there is no such metric"
        if not self.count:
            return "no value"
        figures = ", ".join(
            f"{word} {human(number, self.unit)}"
            for word, number in (("mean", self.mean), ("lowest", self.least), ("highest", self.greatest))
        )
        return f"{counted(self.count, 'value')}: {figures}; the newest {human(self.newest, self.unit)}"


class MetricFact(OfMonitorStore):
    """Series of numbers."""

    name = "metric"

    def value(self, **fields: Any) -> Metric:
        return Metric(**fields)
