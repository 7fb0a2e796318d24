"""What can be said of a metric: numbers that programs send to a monitor, or that it has seen, in a window until now.

Asked of the monitor's store in the state directory, by the key that numbers are kept under. Where no monitor runs on
it, and where there is no value in the window, nothing is known of figures. What is a time (as timers of StatsD) is so
much `long`, what is a size so much `large`; a number in percent is written without its sign.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, single
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import counted, duration, human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.metric import Metric

#: How to speak of a metric of each unit.
MEANT = {
    "": "has no unit: write `is less than 10`, or `rises less than 10`",
    "%": "is in percent: write `is less than 90`, or `rises less than 10`",
    "s": "is a time: write `is less than 300 ms long`",
    "B": "is a size: write `is less than 2 GiB large`, or `grows less than 100 MiB`",
}


class _OfMetric(Check):
    viewpoint = CONTROLLER

    key: str
    window: str = ""
    state_directory: str = ""
    place: str = ""

    def __post_init__(self) -> None:
        from infratest.facts.metric import LONGEST, SHORTEST

        single(self.key, "metric")
        seconds = duration(self.window, "the window") if self.window else SHORTEST
        if not SHORTEST <= seconds <= LONGEST:
            raise UserError(f"the window {self.window!r}: a metric is asked about 1 s to 366 days")

    @property
    def of_store(self) -> bool:
        return True

    def in_store(self, state_directory: str, place: str) -> Check:
        return self.changed(state_directory=state_directory, place=place)

    @derived
    def asked(self) -> Need[Metric]:
        return Need("metric", (self.state_directory, self.place, self.key, f"{duration(self.window, 'the window'):g}"))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @property
    def subject(self) -> str:
        return f'the metric "{self.key}"'


@check(
    'the metric "{key}" has a value in the last {window:time}',
    negation='the metric "{key}" has no value in the last {window:time}',
    example='the metric "shop.orders" has a value in the last 2 min',
)
class MetricValue(_OfMetric):
    """Somebody has sent a number under that key in the window. Of a key that was never sent nothing is said."""

    def observe(self, facts: FactValues) -> Seen:
        metric = facts[self.asked]
        if not metric.there:
            return Seen(holds=False, saw=f"{self.subject} was never sent", absent=True)
        if not metric.count:
            return Seen(holds=False, saw=f"{self.subject} has no value in the last {self.window}")
        newest = f"the newest {human(metric.newest, metric.unit)}, {human(metric.age, 's')} ago"
        return Seen(True, f"{self.subject} has {counted(metric.count, 'value')} in the last {self.window}, {newest}")


class _Figure(_OfMetric):
    """A figure of all numbers in the window."""

    #: What it is of, in words, and the unit that its bound is in.
    word: ClassVar[str]
    unit: ClassVar[str] = ""

    def observe(self, facts: FactValues) -> Seen:
        metric = facts[self.asked]
        if not metric.there:
            raise FactError(f"{self.subject} was never sent")
        if not metric.count:
            raise FactError(f"{self.subject} has no value in the last {self.window}")
        if metric.unit != self.unit and (metric.unit, self.unit) != ("%", ""):
            raise FactError(f"{self.subject} {MEANT[metric.unit]}")
        number = self.figure(metric)
        of = f"of {counted(metric.count, 'value')} in the last {self.window}"
        return Seen(True, f"{self.subject} {self.said} {human(number, metric.unit)}, {of}", number)

    @property
    def said(self) -> str:
        return f"is {self.word}"

    @abstractmethod
    def figure(self, metric: Metric) -> float:
        """Return the number that the bound is about."""

    def measure(self) -> Measure:
        return Measure(label=f"metric {self.key} {self.word}", unit=self.unit)


@check(
    'the metric "{key}" over the last {window:time} is {bound:count}',
    example='the metric "shop.orders" over the last 5 min is more than 10, warning 20',
)
class MetricMean(_Figure):
    """The mean of all its values in the window."""

    word = "on average"

    def figure(self, metric: Metric) -> float:
        return metric.mean


@check(
    'the metric "{key}" over the last {window:time} is {bound:time} long',
    example='the metric "shop.answer" over the last 5 min is less than 300 ms long, warning 200 ms',
)
class MetricMeanTime(MetricMean):
    """The mean of all its values in the window, of what is a time."""

    unit = "s"


@check(
    'the metric "{key}" over the last {window:time} is {bound:size} large',
    example='the metric "shop.heap" over the last 5 min is less than 2 GiB large',
)
class MetricMeanSize(MetricMean):
    """The mean of all its values in the window, of what is a size."""

    unit = "B"


@check(
    'the highest of the metric "{key}" over the last {window:time} is {bound:count}',
    example='the highest of the metric "shop.queue" over the last 10 min is less than 100',
)
class MetricHighest(_Figure):
    """The greatest of all its values in the window."""

    word = "at its highest"

    def figure(self, metric: Metric) -> float:
        return metric.greatest


@check(
    'the highest of the metric "{key}" over the last {window:time} is {bound:time} long',
    example='the highest of the metric "shop.answer.upper_90" over the last 5 min is less than 1 s long',
)
class MetricHighestTime(MetricHighest):
    """The greatest of all its values in the window, of what is a time."""

    unit = "s"


@check(
    'the highest of the metric "{key}" over the last {window:time} is {bound:size} large',
    example='the highest of the metric "shop.heap" over the last 1 h is less than 3 GiB large',
)
class MetricHighestSize(MetricHighest):
    """The greatest of all its values in the window, of what is a size."""

    unit = "B"


@check(
    'the lowest of the metric "{key}" over the last {window:time} is {bound:count}',
    example='the lowest of the metric "shop.workers" over the last 10 min is at least 2',
)
class MetricLowest(_Figure):
    """The least of all its values in the window."""

    word = "at its lowest"

    def figure(self, metric: Metric) -> float:
        return metric.least


@check(
    'the lowest of the metric "{key}" over the last {window:time} is {bound:time} long',
    example='the lowest of the metric "backup.took" over the last 7 days is more than 10 s long',
)
class MetricLowestTime(MetricLowest):
    """The least of all its values in the window, of what is a time."""

    unit = "s"


@check(
    'the lowest of the metric "{key}" over the last {window:time} is {bound:size} large',
    example='the lowest of the metric "pool.free" over the last 1 h is more than 10 GiB large',
)
class MetricLowestSize(MetricLowest):
    """The least of all its values in the window, of what is a size."""

    unit = "B"


@check(
    'the metric "{key}" over the last {window:time} rises {bound:count}',
    example='the metric "shop.errors" over the last 10 min rises less than 5',
)
class MetricRise(_Figure):
    """By how much its newest value is more than its first in the window; less than 0 where it falls."""

    word = "rise"

    @property
    def said(self) -> str:
        return "rises by"

    def figure(self, metric: Metric) -> float:
        if metric.count < 2:
            raise FactError(f"{self.subject} has one value in the last {self.window}: nothing it could have risen from")
        if not metric.whole:
            raise FactError(f"{self.subject}: the first values of the last {self.window} are kept no longer one by one")
        return metric.newest - metric.first


@check(
    'the metric "{key}" over the last {window:time} grows {bound:size}',
    example='the metric "shop.heap" over the last 1 h grows less than 100 MiB',
)
class MetricRiseSize(MetricRise):
    """By how much its newest value is more than its first in the window, of what is a size."""

    unit = "B"
