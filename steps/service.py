"""What can be said of systemd units, services and timers, and done to them."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import act, check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, Literal

    from infratest.acts.service import ServiceAct
    from infratest.facts.base import FactValues
    from infratest.facts.service import Unit
    from infratest.facts.unit_file import UnitFile

TIMER = ".timer"


class _OfUnit(Check):
    #: Whether it looks at the unit's file, which a template has too.
    of_file: ClassVar[bool] = False

    name: str
    suffix: str = ".service"

    def __post_init__(self) -> None:
        self.full_name  # noqa: B018 - a name that no unit can have is refused before anything is asked

    @derived
    def full_name(self) -> str:
        from infratest.facts._systemd import unit_name

        return unit_name(self.name, self.suffix, template=self.of_file)

    @derived
    def asked(self) -> Need[Unit]:
        return Need("service", (self.full_name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @property
    def subject(self) -> str:
        return f'the {self.suffix.removeprefix(".")} "{self.name}"'

    def absence(self, unit: Unit) -> str:
        """Words for a unit that there is not; empty where there is."""
        return f"{self.subject} does not exist: systemd knows no unit {unit.id}" if unit.load == "not-found" else ""

    def broken(self, unit: Unit) -> str:
        """Words for a unit of which systemd could not load the file; empty where it could."""
        if unit.load not in ("error", "bad-setting"):
            return ""
        return f"; its file could not be loaded ({unit.load}): {unit.error or f'see systemctl status {unit.id}'}"


@check(
    'the service "{name}" exists',
    negation='the service "{name}" does not exist',
    example='the service "nginx" exists',
)
class UnitExists(_OfUnit):
    """systemd knows the unit; a name without a suffix is a `.service`."""

    def observe(self, facts: FactValues) -> Seen:
        unit = facts[self.asked]
        absence = self.absence(unit)
        there = f"{self.subject} exists (unit {unit.id}, {unit.load}){self.broken(unit)}"
        return Seen(holds=not absence, saw=absence or there)


@check('the timer "{name}" exists', negation='the timer "{name}" does not exist', example='the timer "backup" exists')
def timer_exists(name: str) -> UnitExists:
    """systemd knows the timer."""
    return UnitExists(name, TIMER)


@check(
    'the service "{name}" is running',
    negation='the service "{name}" is not running',
    example='the service "nginx" is running',
)
class UnitRunning(_OfUnit):
    """The unit is active, as `systemctl is-active` says.

    A timer runs as long as it will start something: one that has elapsed for the last time is active, but does not.
    """

    def observe(self, facts: FactValues) -> Seen:
        unit = facts[self.asked]
        # A unit whose file is gone may still run, so the state decides and not whether it is found.
        running = unit.active in ("active", "reloading", "refreshing")
        masked = " and masked: it cannot be started" if unit.load == "masked" and not running else ""
        words = f"{self.subject} is {unit.active} ({unit.sub}){masked}{self.broken(unit)}"
        if running and unit.sub == "elapsed" and not unit.next:
            return Seen(holds=False, saw=f"{words} and has no next moment: it will not start anything any more")
        return Seen(holds=running, saw=words if running else self.absence(unit) or words)


@check(
    'the timer "{name}" is running',
    negation='the timer "{name}" is not running',
    example='the timer "backup" is running',
)
def timer_running(name: str) -> UnitRunning:
    """The timer is active and has a next moment, or what it starts runs."""
    return UnitRunning(name, TIMER)


@check(
    'the service "{name}" is enabled',
    negation='the service "{name}" is not enabled',
    example='the service "nginx" is enabled',
)
class UnitEnabled(_OfUnit):
    """The unit starts at boot, as `systemctl is-enabled` says of its files; a static unit counts as enabled."""

    of_file = True

    @derived
    def file(self) -> Need[UnitFile]:
        return Need("unit-file", (self.full_name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.file,)

    def observe(self, facts: FactValues) -> Seen:
        file = facts[self.file]
        if file.problem:
            raise FactError(f"systemctl is-enabled could not tell: {file.problem}")
        state = file.state or f"not enabled: systemd finds no file of the unit {self.full_name}"
        return Seen(holds=file.enabled, saw=f"{self.subject} is {state}")


@check(
    'the timer "{name}" is enabled',
    negation='the timer "{name}" is not enabled',
    example='the timer "backup" is enabled',
)
def timer_enabled(name: str) -> UnitEnabled:
    """The timer starts at boot."""
    return UnitEnabled(name, TIMER)


@check(
    'the service "{name}" is masked',
    negation='the service "{name}" is not masked',
    example='the service "telnet" is masked',
)
class UnitMasked(_OfUnit):
    """The unit cannot be started at all."""

    def observe(self, facts: FactValues) -> Seen:
        unit = facts[self.asked]
        words = f"{self.subject} is {'masked' if unit.load == 'masked' else f'not masked ({unit.load})'}"
        return Seen(holds=unit.load == "masked", saw=self.absence(unit) or words)


@act(
    'the service "{name}" is stopped',
    example='the service "nginx" is stopped',
    undo="started again, if it was running",
)
def service_is_stopped(name: str) -> ServiceAct:
    """Stop a service."""
    return _act(name, "stop")


@act(
    'the service "{name}" is started',
    example='the service "nginx" is started',
    undo="stopped again, if it was not running",
)
def service_is_started(name: str) -> ServiceAct:
    """Start a service."""
    return _act(name, "start")


@act('the service "{name}" is restarted', example='the service "nginx" is restarted', undo="nothing to undo")
def service_is_restarted(name: str) -> ServiceAct:
    """Restart a service."""
    return _act(name, "restart")


def _act(name: str, verb: Literal["stop", "start", "restart"]) -> ServiceAct:
    from infratest.acts.service import ServiceAct  # a check does not act

    return ServiceAct(name, verb)
