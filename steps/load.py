"""What can be said of the load."""

from __future__ import annotations

from infratest.check import Check, Measure, Seen
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import act, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.acts.processor import BusyAct
    from infratest.facts.base import FactValues
    from infratest.facts.load import Load

LOAD: Need[Load] = Need("load")


@check("the load is {bound:count}", example="the load is less than 4, warning 2")
class LoadAverage(Check):
    """The load average over 1 minute."""

    minutes: int = 1
    shared: bool = False

    def __post_init__(self) -> None:
        if self.minutes not in (1, 5, 15):
            raise UserError(f"the load over {self.minutes} minutes: the kernel keeps it over 1, 5 and 15 minutes")

    def needs(self) -> tuple[Need, ...]:
        return (LOAD,)

    def observe(self, facts: FactValues) -> Seen:
        load = facts[LOAD]
        average = load.averages[(1, 5, 15).index(self.minutes)]
        number = average / load.processors if self.shared else average
        each = " per processor" if self.shared else ""
        words = f"the load over {self.minutes} min is {number:g}{each} ({load.processors} processors)"
        return Seen(holds=True, saw=words, number=number)

    def measure(self) -> Measure:
        return Measure(label=f"load{self.minutes}{' per processor' if self.shared else ''}", minimum=0)


@check("the load over {minutes:number} min is {bound:count}", example="the load over 15 min is less than 4")
def load_over(minutes: int) -> LoadAverage:
    """The load average over 1, 5 or 15 minutes."""
    return LoadAverage(minutes)


@check("the load per processor is {bound:count}", example="the load per processor is less than 1.5")
def load_per_processor() -> LoadAverage:
    """The load average over 1 minute, divided by the number of processors."""
    return LoadAverage(shared=True)


@check(
    "the load per processor over {minutes:number} min is {bound:count}",
    example="the load per processor over 15 min is less than 1",
)
def load_per_processor_over(minutes: int) -> LoadAverage:
    """The load average over 1, 5 or 15 minutes, divided by the number of processors."""
    return LoadAverage(minutes, shared=True)


@act("all processors are kept busy", example="all processors are kept busy", undo="the loops are ended")
def processors_are_busy() -> BusyAct:
    """Have every processor of the host work; refused where they are this machine's, without a limit."""
    from infratest.acts.processor import BusyAct  # a check does not act

    return BusyAct()
