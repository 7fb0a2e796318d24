"""What can be said of the monitor of the stack itself, which `infratest monitor run` begins: it is asked by its socket.

Where none runs, or it does not answer, it is not alive, and of all else nothing is known.
"""

from __future__ import annotations

from infratest.check import CONTROLLER, Check, Measure, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import counted, human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.monitor import Monitor


class _OfMonitor(Check):
    viewpoint = CONTROLLER

    state_directory: str = ""
    place: str = ""

    @property
    def of_store(self) -> bool:
        return True

    def in_store(self, state_directory: str, place: str) -> Check:
        return self.changed(state_directory=state_directory, place=place)

    @derived
    def asked(self) -> Need[Monitor]:
        return Need("monitor", (self.state_directory, self.place))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def alive(self, facts: FactValues) -> Monitor:
        """Return how it does. Raises FactError where nobody says."""
        monitor = facts[self.asked]
        if not monitor.alive:
            raise FactError(f"the monitor is not alive: {monitor.reason}")
        return monitor


@check("the monitor is alive", negation="the monitor is not alive", example="the monitor is alive")
class MonitorAlive(_OfMonitor):
    """The monitor of this stack and environment runs on this state directory, and answers."""

    def observe(self, facts: FactValues) -> Seen:
        monitor = facts[self.asked]
        return Seen(monitor.alive, f"the monitor is {monitor.in_words()}")


@check(
    "the last cycle of the monitor is {bound:time} old",
    example="the last cycle of the monitor is less than 60 s old, warning 30 s",
)
class MonitorCycle(_OfMonitor):
    """How long ago a cycle of the monitor ended of which all is in its store; it has one each second."""

    def observe(self, facts: FactValues) -> Seen:
        age = self.alive(facts).age
        return Seen(True, f"the last cycle of the monitor is {human(age, 's')} old", number=age)

    def measure(self) -> Measure:
        return Measure(label="monitor cycle", unit="s", minimum=0)


@check("the monitor is {bound:time} late", example="the monitor is less than 60 s late, warning 30 s")
class MonitorLate(_OfMonitor):
    """How long the look has waited that should have begun first; 0 where none waits."""

    def observe(self, facts: FactValues) -> Seen:
        late = self.alive(facts).late
        return Seen(True, f"the monitor is {human(late, 's')} late", number=late)

    def measure(self) -> Measure:
        return Measure(label="monitor late", unit="s", minimum=0)


@check("the monitor has {bound:count} look[s] waiting", example="the monitor has less than 100 looks waiting")
class MonitorWaiting(_OfMonitor):
    """How many hosts are to be looked at as soon as one of those that are looked at just now is done."""

    def observe(self, facts: FactValues) -> Seen:
        waiting = self.alive(facts).waiting
        return Seen(True, f"the monitor has {counted(waiting, 'look')} waiting", number=waiting)

    def measure(self) -> Measure:
        return Measure(label="monitor looks waiting", minimum=0)


@check(
    "the monitor keeps what it sees",
    negation="the monitor does not keep what it sees",
    example="the monitor keeps what it sees",
)
class MonitorKeeps(_OfMonitor):
    """Its store takes what it writes: the disk has room, the database answers."""

    def observe(self, facts: FactValues) -> Seen:
        unwritten = self.alive(facts).unwritten
        words = f"does not keep what it sees: {unwritten}" if unwritten else "keeps what it sees"
        return Seen(not unwritten, f"the monitor {words}")


@check(
    "the monitor keeps its store within its size",
    negation="the monitor does not keep its store within its size",
    example="the monitor keeps its store within its size",
)
class MonitorSize(_OfMonitor):
    """What `store: keep:` says goes in time, and what is left is not larger than the `size` that stands there."""

    def observe(self, facts: FactValues) -> Seen:
        overgrown = self.alive(facts).overgrown
        words = (
            f"does not keep its store within its size: {overgrown}" if overgrown else "keeps its store within its size"
        )
        return Seen(not overgrown, f"the monitor {words}")


@check(
    "the monitor reaches every receiver",
    negation="the monitor does not reach every receiver",
    example="the monitor reaches every receiver",
)
class MonitorReaches(_OfMonitor):
    """None of those whom it tells has refused what it was sent three times in a row."""

    def observe(self, facts: FactValues) -> Seen:
        dead = self.alive(facts).dead
        words = f"does not reach {', '.join(dead)}" if dead else "reaches every receiver"
        return Seen(not dead, f"the monitor {words}")
