"""Bounds of sentences, how they judge a number, and the alert range that says the same to a monitoring system.

Called by checks (pure) and by the parser of sentences. Verdict and range come from one bound. The verdict is exact;
the range is in the form that every reader takes (Icinga drops those with `@`), which has no `less than`: at the bound
itself it may not alert where the verdict does. Ranges: Monitoring Plugins guidelines, alert outside `start:end`.
"""

from __future__ import annotations

from infratest.errors import UserError
from infratest.record import Record
from infratest.states import CRITICAL, OK, WARNING
from infratest.units import BASE, human, limit, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal

#: The words a bound may have, and how many numbers follow.
WORDS = {"less than": 1, "more than": 1, "at least": 1, "at most": 1, "between": 2, "exactly": 1}


#: Digits of a bound in a message: as the user wrote it, `less than 1.234 s`.
DIGITS = 6

#: What facts measure; a Decimal is what a text says (`units.exact`).
MEASURED = (int, float)


class Bound(Record):
    """What a number must be, in base units: `less than 90 %`.

    Args:
        words: one of WORDS. low: the number, or the lower of `between`. high: the upper of `between`, else None.
        unit: `s`, `B`, `%` or empty.
    """

    words: str
    low: float
    high: float | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if self.words not in WORDS:
            raise UserError(f"bound: {self.words!r} is not one of {', '.join(WORDS)}")
        if self.words == "between" and (self.high is None or self.high < self.low):
            raise UserError(
                f"bound: between {plain(self.low)} and {plain(self.top)} holds for no number; write the lower one first"
            )

    @property
    def top(self) -> float:
        """The upper number: of `between`, else the only one."""
        return self.low if self.high is None else self.high

    def holds(self, value: float | Decimal) -> bool:
        """Whether the number is as the bound says, compared as both are written: `units.exact`, `units.limit`."""
        low: float | Decimal = self.low
        if value.__class__ not in MEASURED:  # what is measured is compared without a call more
            low = _like(value, self.low)
        if self.words == "less than":
            return value < low
        if self.words == "more than":
            return value > low
        if self.words == "at least":
            return value >= low
        if self.words == "at most":
            return value <= low
        if self.words == "exactly":
            return value == low
        return low <= value <= _like(value, self.top)

    def range(self) -> str:
        """The alert range: it alerts on the numbers for which `holds` is false, but for the bound itself.

        A plain number begins at 0, which what is counted and measured here is never below.
        """
        low = plain(self.low)
        below = low if self.low >= 0 else f"~:{low}"
        return {
            "less than": below,
            "more than": f"{low}:",
            "at least": f"{low}:",
            "at most": below,
            "exactly": f"{low}:{low}",
            "between": f"{low}:{plain(self.top)}",
        }[self.words]

    def __str__(self) -> str:
        if self.words == "between":
            return f"between {human(self.low, self.unit, DIGITS)} and {human(self.top, self.unit, DIGITS)}"
        return f"{self.words} {human(self.low, self.unit, DIGITS)}"


class Threshold(Record):
    """The critical bound of a sentence and, where it has one, the warning bound of the same direction."""

    critical: Bound
    warning: Bound | None = None

    def judge(self, value: float | Decimal) -> tuple[str, str]:
        """Return the state of a number and, where it is not ok, what was expected."""
        if not self.critical.holds(value):
            return CRITICAL, f"expected {self.critical}"
        if self.warning is not None and not self.warning.holds(value):
            return WARNING, f"expected {self.warning} (warning)"
        return OK, ""

    @property
    def numbers(self) -> tuple[float, ...]:
        """The numbers that its bounds name, in the base unit."""
        bounds = (self.critical, *([self.warning] if self.warning else ()))
        return tuple([number for bound in bounds for number in (bound.low, bound.high) if number is not None])

    @property
    def ranges(self) -> tuple[str, str]:
        """The warning and the critical alert range, as perfdata takes them."""
        return (self.warning.range() if self.warning else "", self.critical.range())


def _like(value: float | Decimal, number: float) -> float | Decimal:
    """Return a number of a bound as it is written beside a Decimal: 0.1 as a float is another number."""
    if isinstance(value, int | float) or isinstance(number, int):
        return number
    return type(value)(repr(number))


def threshold(words: str, numbers: tuple[str, ...], dimension: str, warning: tuple[str, ...] = ()) -> Threshold:
    """Build the threshold of a sentence from its own texts.

    Args:
        words: `less than`. numbers: one text, or two for `between`. dimension: of units.DIMENSIONS.
        warning: the numbers after `, warning`, none where the sentence has none.
    Raises:
        UserError: a unit of another dimension, or a warning bound that is no stricter than the critical one.
    """
    critical = _bound(words, numbers, dimension)
    if not warning:
        return Threshold(critical)
    if words == "exactly":
        raise UserError("a warning value after 'exactly' can never be met without the critical one: leave it out")
    inner = _bound(words, warning, dimension)
    stricter = {
        "less than": inner.low <= critical.low,
        "at most": inner.low <= critical.low,
        "more than": inner.low >= critical.low,
        "at least": inner.low >= critical.low,
        "between": critical.low <= inner.low and inner.top <= critical.top,
    }[words]
    if not stricter:
        raise UserError(f"warning {inner} is looser than {critical}: it would never be seen; swap the two numbers")
    return Threshold(critical, inner)


def _bound(words: str, texts: tuple[str, ...], dimension: str) -> Bound:
    if words not in WORDS or len(texts) != WORDS[words]:
        raise UserError(f"bound: {words} {' and '.join(texts)}: expected one of {', '.join(WORDS)} with its number(s)")
    numbers = [limit(text, dimension) for text in texts]
    return Bound(words, numbers[0], numbers[1] if len(numbers) == 2 else None, BASE[dimension])
