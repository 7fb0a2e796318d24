"""What can be said of the runs of systemd timers. That a timer exists, runs and is enabled is said as of a service."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.timer import Timer

#: Seconds that systemd's moments, which are whole seconds, may be ahead of the host's clock.
AHEAD = 2


class _OfTimer(Check):
    name: str

    def __post_init__(self) -> None:
        self.asked  # noqa: B018 - a name that no timer can have is refused before anything is asked

    @derived
    def asked(self) -> Need[Timer]:
        from infratest.errors import UserError
        from infratest.facts._systemd import unit_name

        name = unit_name(self.name, ".timer")
        if not name.endswith(".timer"):
            raise UserError(f"{self.name!r} is no timer: its name ends with .timer, or has no such ending")
        return Need("timer", (name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @derived
    def subject(self) -> str:
        return f'the timer "{self.name}"'

    def observe(self, facts: FactValues) -> Seen:
        timer = facts[self.asked]
        if timer.load == "not-found" and timer.active != "active":
            words = f"{self.subject} does not exist: systemd knows no unit {timer.id}"
            return Seen(holds=False, saw=words, absent=True)
        return self.look(timer)

    @abstractmethod
    def look(self, timer: Timer) -> Seen:
        """Return what is seen of a timer that is there."""

    def never(self) -> Seen:
        """What is seen where it has not run."""
        return Seen(holds=False, saw=f"{self.subject} has never run", absent=True)

    def age(self, timer: Timer, last: float) -> float:
        """Return the seconds since its last run.

        Raises:
            FactError: that is in the future.
        """
        age = timer.now - last
        if age < -AHEAD:
            raise FactError(f"{timer.id} ran {human(-age, 's')} in the future: a clock was set back since")
        return age


@check('the timer "{name}" ran {bound:time} ago', example='the timer "backup" ran less than 26 h ago')
class TimerLast(_OfTimer):
    """The time since the timer last started its unit, by the host's clock; one that never ran meets no bound."""

    def look(self, timer: Timer) -> Seen:
        if timer.last is None:
            return self.never()
        age = self.age(timer, timer.last)
        return Seen(holds=True, saw=f"{self.subject} ran {human(age, 's')} ago", number=age)

    def measure(self) -> Measure:
        return Measure(label=f"timer {self.name} last run", unit="s")


@check('the timer "{name}" runs next in {bound:time}', example='the timer "backup" runs next in less than 25 h')
class TimerNext(_OfTimer):
    """The time until the timer starts its unit again; one that is stopped, or is over, meets no bound."""

    def look(self, timer: Timer) -> Seen:
        if timer.next is None:
            why = f"it is {timer.active}" if timer.active != "active" else "it waits for nothing any more"
            return Seen(holds=False, saw=f"{self.subject} does not run again: {why}", absent=True)
        # A moment that has just passed is one whose unit is being started, or waits for AccuracySec=.
        left = max(0.0, timer.next - timer.now)
        return Seen(holds=True, saw=f"{self.subject} runs next in {human(left, 's')}", number=left)

    def measure(self) -> Measure:
        return Measure(label=f"timer {self.name} next run", unit="s")


@check(
    'the last run of the timer "{name}" succeeded',
    negation='the last run of the timer "{name}" did not succeed',
    example='the last run of the timer "backup" succeeded',
)
class TimerResult(_OfTimer):
    """What the timer last started ended well; while that still runs, and of a run before this boot, it is unknown."""

    def look(self, timer: Timer) -> Seen:
        subject = f'the last run of the timer "{self.name}"'
        if timer.last is None:
            return self.never()
        when = f"{human(self.age(timer, timer.last), 's')} ago"
        if timer.skipped:
            return Seen(holds=False, saw=f"{subject} was skipped: a condition of {timer.unit} was not met")
        if timer.result not in ("", "success"):
            status = f" with status {timer.status}" if timer.result == "exit-code" else ""
            return Seen(holds=False, saw=f"{subject} did not succeed: {timer.unit}: {timer.result}{status}, {when}")
        if timer.unit_active in ("active", "activating", "deactivating", "reloading") and timer.unit_sub != "exited":
            raise FactError(f"{subject} has not ended: {timer.unit} is {timer.unit_active} ({timer.unit_sub})")
        if not timer.result or timer.started is None:
            raise FactError(f"how {subject} ended is not known: {timer.unit} has not been started in this boot")
        return Seen(holds=True, saw=f"{subject} succeeded, {when}")
