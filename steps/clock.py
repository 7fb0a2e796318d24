"""What can be said of a host's clock, as its own daemon knows it, and of the clocks of several hosts."""

from __future__ import annotations

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import APART, act, check
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.acts.clock import ClockAct
    from infratest.facts._clock_reading import ClockReading
    from infratest.facts.base import FactValues
    from infratest.facts.clock import Clock
    from infratest.facts.clock_source import ClockSources

CLOCK: Need[Clock] = Need("clock")
SOURCES: Need[ClockSources] = Need("clock-source")
FIRST: Need[ClockReading] = Need("clock-reading")
LAST: Need[ClockReading] = Need("last-clock-reading")


@check(
    "the clock is synchronised",
    negation="the clock is not synchronised",
    example="the clock is synchronised",
    unseen="ntpd, written after ntpq(8), and a timedatectl that says yes, after timedatectl(1)",
)
class ClockSynchronised(Check):
    """The host's clock follows a time server, as chronyd, ntpd or the kernel (timedatectl) says."""

    def needs(self) -> tuple[Need, ...]:
        return (CLOCK,)

    def observe(self, facts: FactValues) -> Seen:
        clock = facts[CLOCK]
        return Seen(holds=clock.synchronised, saw=f"the clock is {clock.in_words()}")


@check(
    "the clock is {bound:time} off",
    example="the clock is less than 100 ms off",
    unseen="ntpd, written after ntpq(8)",
)
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


@check(
    "the clock has a stratum of {bound:count}",
    example="the clock has a stratum of at most 4",
    unseen="ntpd, written after ntpq(8)",
)
class ClockStratum(Check):
    """How far the host's clock is from one that needs no other: its server's stratum and one; not met without one."""

    def needs(self) -> tuple[Need, ...]:
        return (CLOCK,)

    def observe(self, facts: FactValues) -> Seen:
        clock = facts[CLOCK]
        if not clock.synchronised:
            return Seen(holds=False, saw=f"the clock is not synchronised, as {clock.source} says", absent=True)
        if clock.stratum is None:
            raise FactError(f"the clock's stratum is not known: {clock.source} does not tell, chronyc and ntpq do")
        return Seen(holds=True, saw=f"the clock is {clock.in_words()}", number=clock.stratum)

    def measure(self) -> Measure:
        return Measure(label="clock stratum", minimum=0)


@check(
    "the clock has {bound:count} reachable source[s]",
    example="the clock has at least 2 reachable sources",
)
class ClockSourcesReachable(Check):
    """How many of the sources that chronyd or ntpd is set to has answered one of its last eight questions."""

    def needs(self) -> tuple[Need, ...]:
        return (SOURCES,)

    def observe(self, facts: FactValues) -> Seen:
        sources = facts[SOURCES]
        return Seen(holds=True, saw=f"the clock has {sources.in_words()}", number=len(sources.reachable))

    def measure(self) -> Measure:
        return Measure(label="clock reachable sources", minimum=0)


@check(
    "the clocks are {bound:time} apart",
    example="the clocks are less than 500 ms apart",
    compares=APART,
)
class ClocksApart(Check):
    """How far the clocks of the hosts are apart, as they are read here; as fine as the way there and back is short."""

    def needs(self) -> tuple[Need, ...]:
        return (FIRST, LAST)

    def observe(self, facts: FactValues) -> Seen:
        readings = (facts[FIRST], facts[LAST])
        # A clock showed at least its reading, and less than a step more, at some moment between `sent` and `came`.
        least = max(one.seconds - one.came for one in readings)
        most = min(one.seconds + one.step - one.sent for one in readings)
        if least > most:
            raise FactError(f"the clock was set by {human(least - most, 's')} or more while it was looked at")
        return Seen(holds=True, saw=f"the clock is {readings[0].in_words()}", number=least, most=most)

    def measure(self) -> Measure:
        return Measure(label="clocks apart", unit="s", minimum=0)


@act(
    "the clock is moved forward by {by:time}",
    example="the clock is moved forward by 5 min",
    undo="moved back by as much",
)
def clock_is_moved_forward(by: str) -> ClockAct:
    """Set the host's clock forward; refused where the kernel is this machine's."""
    return _moved(by, 1)


@act(
    "the clock is moved back by {by:time}", example="the clock is moved back by 5 min", undo="moved forward by as much"
)
def clock_is_moved_back(by: str) -> ClockAct:
    """Set the host's clock back; refused where the kernel is this machine's."""
    return _moved(by, -1)


def _moved(by: str, sign: int) -> ClockAct:
    from infratest.acts.clock import ClockAct  # a check does not act
    from infratest.units import duration

    return ClockAct(sign * round(duration(by, "the clock")))
