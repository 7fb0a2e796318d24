"""What can be said of a host's clock, as its own daemon knows it."""

from __future__ import annotations

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.clock import Clock

CLOCK: Need[Clock] = Need("clock")


@check("the clock is synchronised", negation="the clock is not synchronised", example="the clock is synchronised")
class ClockSynchronised(Check):
    """The host's clock follows a time server, as chronyd, ntpd or the kernel (timedatectl) says."""

    def needs(self) -> tuple[Need, ...]:
        return (CLOCK,)

    def observe(self, facts: FactValues) -> Seen:
        clock = facts[CLOCK]
        return Seen(holds=clock.synchronised, saw=f"the clock is {clock.in_words()}")


@check("the clock is {bound:time} off", example="the clock is less than 100 ms off")
class ClockOffset(Check):
    """How far the host's clock is off, either way, as chronyd or ntpd knows; not met while it follows none."""

    def needs(self) -> tuple[Need, ...]:
        return (CLOCK,)

    def observe(self, facts: FactValues) -> Seen:
        clock = facts[CLOCK]
        if not clock.synchronised:
            return Seen(holds=False, saw=f"the clock is not synchronised, as {clock.source} says", absent=True)
        if clock.offset is None:
            raise FactError(f"how far the clock is off is not known: {clock.source} does not tell, chronyc and ntpq do")
        return Seen(holds=True, saw=f"the clock is {clock.in_words()}", number=clock.offset)

    def measure(self) -> Measure:
        return Measure(label="clock offset", unit="s", minimum=0)
