"""What can be said of a URL under load: when it is asked so often, how long it takes and how often it fails.

The act asks, the checks after it in its scenario speak of what came of it. Hosts of the stack alone are asked.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import act, check
from infratest.record import derived
from infratest.units import duration, human
from infratest.web_address import web_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.acts.load_test import LoadTestAct
    from infratest.facts.base import FactValues
    from infratest.facts.load_test import LoadTest


@act(
    '"{url}" is asked {rate:number} times a second for {window:time}',
    example='"http://web-1/" is asked 50 times a second for 10 s',
    undo="nothing to undo",
)
def url_is_asked(url: str, rate: int, window: str) -> LoadTestAct:
    """Ask a URL of a host of the stack so often, at an even pace, and keep what came of it."""
    from infratest.acts.load_test import LoadTestAct  # a check does not act

    return LoadTestAct(url, rate, duration(window))


class _UnderLoad(Check):
    viewpoint = CONTROLLER

    url: str

    def __post_init__(self) -> None:
        web_address(self.url)

    @derived
    def asked(self) -> Need[LoadTest]:
        return Need("load-test", (self.url,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        return self.look(facts[self.asked])

    @abstractmethod
    def look(self, load: LoadTest) -> Seen:
        """Return what is seen in what came of the load."""


@check(
    '"{url}" answered in {bound:time} at the {rank:word} percentile',
    example='"http://web-1/" answered in less than 300 ms at the 95th percentile',
)
class LoadPercentile(_UnderLoad):
    """So many of a hundred requests had a good answer in that time; an error is slower than every answer."""

    rank: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.percent <= 100:
            raise UserError(f'"{self.url}" answered at the {self.rank} percentile: write one, as `95th` or `99.9th`')

    @derived
    def percent(self) -> float:
        """The rank as a number; 0 where it is none."""
        digits = self.rank
        for ending in ("th", "st", "nd", "rd"):
            digits = digits.removesuffix(ending)
        return float(digits) if digits != self.rank and digits.replace(".", "", 1).isdecimal() else 0.0

    def look(self, load: LoadTest) -> Seen:
        seconds = load.percentile(self.percent)
        if seconds is None:
            return Seen(holds=False, saw=f'"{self.url}" had no good answer at the {self.rank}: {load.in_words()}')
        words = f'"{self.url}" answered in {human(seconds, "s")} at the {self.rank} percentile of {load.in_words()}'
        return Seen(holds=True, saw=words, number=seconds)

    def measure(self) -> Measure:
        return Measure(label=f"http {self.url} {self.rank} percentile", unit="s", minimum=0)


@check('"{url}" answered with {bound:percent} errors', example='"http://web-1/" answered with at most 1 % errors')
class LoadErrors(_UnderLoad):
    """How many of a hundred requests had no good answer: none at all, or a status of 400 and above."""

    def look(self, load: LoadTest) -> Seen:
        return Seen(holds=True, saw=f'"{self.url}": {load.in_words()}', number=100 * load.failed / load.asked)

    def measure(self) -> Measure:
        return Measure(label=f"http {self.url} errors", unit="%", minimum=0, maximum=100)
