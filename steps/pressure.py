"""What can be said of pressure: how much of the time tasks wait for the processor, for memory, for input and output."""

from __future__ import annotations

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.units import share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.pressure import Pressure

PRESSURE: Need[Pressure] = Need("pressure")

#: What the kernel keeps it of, and over how many seconds: psi.rst of Linux.
RESOURCES, WINDOWS = ("cpu", "memory", "io"), (10, 60, 300)


@check("the pressure on {resource:word} is {bound:percent}", example="the pressure on memory is less than 10 %")
class PressureShare(Check):
    """How much of the last 10 s some task waited for cpu, memory or io."""

    resource: str
    seconds: int = 10
    kind: str = "some"

    def __post_init__(self) -> None:
        if self.resource not in RESOURCES:
            raise UserError(f"the pressure on {self.resource}: the kernel keeps that on {', '.join(RESOURCES)}")
        if self.seconds not in WINDOWS:
            raise UserError(f"the pressure over {self.seconds} s: the kernel keeps it over 10, 60 and 300 s")

    def needs(self) -> tuple[Need, ...]:
        return (PRESSURE,)

    @property
    def subject(self) -> str:
        return f"the {'full ' if self.kind == 'full' else ''}pressure on {self.resource}"

    def observe(self, facts: FactValues) -> Seen:
        seen = facts[PRESSURE].share(self.resource, self.kind, self.seconds)
        if seen is None:
            raise FactError(f"{self.subject}: this kernel does not keep it")
        return Seen(holds=True, saw=f"{self.subject} over {self.seconds} s is {share(seen)} %", number=seen)

    def measure(self) -> Measure:
        return Measure(f"pressure {self.resource} {self.kind} {self.seconds}s", unit="%", minimum=0, maximum=100)


@check(
    "the pressure on {resource:word} over {seconds:number} s is {bound:percent}",
    example="the pressure on io over 300 s is less than 20 %",
)
def pressure_over(resource: str, seconds: int) -> PressureShare:
    """How much of the last 10, 60 or 300 s some task waited for cpu, memory or io."""
    return PressureShare(resource, seconds)


@check(
    "the full pressure on {resource:word} is {bound:percent}", example="the full pressure on memory is less than 2 %"
)
def full_pressure(resource: str) -> PressureShare:
    """How much of the last 10 s all tasks that had something to do waited for it at once, and nothing was done."""
    return PressureShare(resource, kind="full")


@check(
    "the full pressure on {resource:word} over {seconds:number} s is {bound:percent}",
    example="the full pressure on io over 60 s is less than 5 %",
)
def full_pressure_over(resource: str, seconds: int) -> PressureShare:
    """How much of the last 10, 60 or 300 s all tasks that had something to do waited for it at once."""
    return PressureShare(resource, seconds, "full")
