"""What can be said of systemd units, services and timers, and done to them."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import act, check
from infratest.record import derived
from infratest.units import counted, human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, Literal

    from infratest.acts.quota import SlowAct
    from infratest.acts.service import ServiceAct
    from infratest.facts.base import FactValues
    from infratest.facts.service import Unit
    from infratest.facts.unit_file import UnitFile
    from infratest.facts.unit_property import UnitProperty

TIMER = ".timer"

#: Seconds that systemd's moments, which are whole seconds, may be ahead of the host's clock.
AHEAD = 2


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
        kind = "unit" if unit.system == "systemd" else "service"
        name = unit.id if kind == "unit" else unit.id.removesuffix(".service")
        return (
            f"{self.subject} does not exist: {unit.system} knows no {kind} {name}" if unit.load == "not-found" else ""
        )

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
    """The unit is active, as `systemctl is-active` says; one that has done its work and stays active, `(exited)`, too.

    Such a unit has no process. Debian's `postgresql` is one, whatever its clusters do: ask `postgresql@15-main`, or the
    process or the port. A timer runs as long as it will start something: one that has elapsed for the last time is
    active, but does not. One that is not there does not run: misspell a name in a *not*, and it is met.
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
    """The timer is active and has a next moment, or what it starts runs; one that is not there does not run."""
    return UnitRunning(name, TIMER)


@check(
    'the service "{name}" is enabled',
    negation='the service "{name}" is not enabled',
    example='the service "nginx" is enabled',
)
class UnitEnabled(_OfUnit):
    """`systemctl is-enabled` ends with 0: enabled, enabled-runtime, static, alias, indirect, generated; not linked.

    So something starts the unit: at boot, or until the next one (enabled-runtime), or another unit does (static). It
    is not enabled where it is disabled, masked, masked-runtime, linked, linked-runtime or transient, or has no file,
    and one that is not there is not either. The reason has systemd's own word.
    """

    of_file = True

    @derived
    def file(self) -> Need[UnitFile]:
        return Need("unit-file", (self.full_name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.file,)

    def observe(self, facts: FactValues) -> Seen:
        file = facts[self.file]
        if file.problem:
            raise FactError(f"whether it is enabled could not be told: {file.problem}")
        state = file.state or f"not enabled: {file.system} finds no file of the unit {self.full_name}"
        return Seen(holds=file.enabled, saw=f"{self.subject} is {state}")


@check(
    'the timer "{name}" is enabled',
    negation='the timer "{name}" is not enabled',
    example='the timer "backup" is enabled',
)
def timer_enabled(name: str) -> UnitEnabled:
    """The timer starts at boot, as of a service; one that is not there does not."""
    return UnitEnabled(name, TIMER)


@check(
    'the service "{name}" is masked',
    negation='the service "{name}" is not masked',
    example='the service "telnet" is masked',
)
class UnitMasked(_OfUnit):
    """The unit cannot be started at all; one that is not there is not masked."""

    def observe(self, facts: FactValues) -> Seen:
        unit = facts[self.asked]
        words = f"{self.subject} is {'masked' if unit.load == 'masked' else f'not masked ({unit.load})'}"
        return Seen(holds=unit.load == "masked", saw=self.absence(unit) or words)


class _OfProperty(_OfUnit):
    """A number that systemd keeps of a unit."""

    #: The property that holds it.
    property: ClassVar[str]
    #: False where a unit that does not run has it too.
    of_running: ClassVar[bool] = True

    @derived
    def shown(self) -> Need[UnitProperty]:
        return Need("unit-property", (self.full_name, self.property))

    def needs(self) -> tuple[Need, ...]:
        return (self.shown,)

    def observe(self, facts: FactValues) -> Seen:
        unit = facts[self.shown]
        words = f"{self.subject} is {unit.active} ({unit.sub})"
        if unit.load == "not-found" and not unit.running:
            words = f"{self.subject} does not exist: systemd knows no unit {unit.id}"
            return Seen(holds=False, saw=words, absent=True)
        if self.of_running and not unit.running:
            return Seen(holds=False, saw=words, absent=True)
        return self.look(unit)

    def number(self, unit: UnitProperty) -> int:
        """Return the property as a number.

        Raises:
            FactError: systemd does not keep it.
        """
        if not unit.text.isdecimal():
            was = f"is {unit.text!r}" if unit.written is not None else "is unknown to this systemd"
            raise FactError(f"{unit.id}: {self.property} {was}: it is not accounted for on this host")
        return int(unit.text)

    @abstractmethod
    def look(self, unit: UnitProperty) -> Seen:
        """Return what is seen of a unit that is there."""


@check(
    'the service "{name}" was started {bound:time} ago', example='the service "nginx" was started more than 10 min ago'
)
class UnitAge(_OfProperty):
    """The time since the unit became active, by the host's own clock; one that is not running was not started."""

    property = "ActiveEnterTimestamp"

    def look(self, unit: UnitProperty) -> Seen:
        from infratest.facts._systemctl import moment

        since = moment(unit.text)
        if since is None:
            raise FactError(f"{unit.id} is {unit.active}, and systemd does not say since when")
        age = unit.now - since
        if age < -AHEAD:
            raise FactError(f"{unit.id} was started {human(-age, 's')} in the future: a clock was set back since")
        return Seen(holds=True, saw=f"{self.subject} was started {human(age, 's')} ago", number=age)

    def measure(self) -> Measure:
        return Measure(label=f"service {self.name} age", unit="s")


@check(
    'the service "{name}" has restarted {bound:count} times',
    example='the service "nginx" has restarted at most 3 times',
)
class UnitRestarts(_OfProperty):
    """How often systemd has restarted the unit by its `Restart=`, since somebody last started it."""

    property = "NRestarts"
    of_running = False

    def look(self, unit: UnitProperty) -> Seen:
        restarts = self.number(unit)
        words = f"{self.subject} has restarted {counted(restarts, 'time')} and is {unit.active} ({unit.sub})"
        return Seen(holds=True, saw=words, number=restarts)

    def measure(self) -> Measure:
        return Measure(label=f"service {self.name} restarts", minimum=0)


@check(
    'the service "{name}" uses {bound:size} of memory', example='the service "nginx" uses less than 200 MiB of memory'
)
class UnitMemory(_OfProperty):
    """How much memory the unit's control group holds, with what the kernel caches for it."""

    property = "MemoryCurrent"

    def look(self, unit: UnitProperty) -> Seen:
        used = self.number(unit)
        return Seen(holds=True, saw=f"{self.subject} uses {human(used, 'B')} of memory", number=used)

    def measure(self) -> Measure:
        return Measure(label=f"service {self.name} memory", unit="B", minimum=0)


@check('the service "{name}" has {bound:count} tasks', example='the service "nginx" has at most 100 tasks')
class UnitTasks(_OfProperty):
    """How many processes and threads are in the unit's control group."""

    property = "TasksCurrent"

    def look(self, unit: UnitProperty) -> Seen:
        tasks = self.number(unit)
        return Seen(holds=True, saw=f"{self.subject} has {counted(tasks, 'task')}", number=tasks)

    def measure(self) -> Measure:
        return Measure(label=f"service {self.name} tasks", minimum=0)


@check(
    'the service "{name}" has used {bound:time} of processor time',
    example='the service "backup" has used less than 10 min of processor time',
)
class UnitProcessorTime(_OfProperty):
    """How much processor time the unit's control group has used since the unit was started."""

    property = "CPUUsageNSec"

    def look(self, unit: UnitProperty) -> Seen:
        used = self.number(unit) / 1e9
        return Seen(holds=True, saw=f"{self.subject} has used {human(used, 's')} of processor time", number=used)

    def measure(self) -> Measure:
        return Measure(label=f"service {self.name} processor time", unit="s", minimum=0)


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


@act(
    'the service "{name}" is slowed to {percent:number} % of a processor',
    example='the service "nginx" is slowed to 5 % of a processor',
    undo="given what it had",
)
def service_is_slowed(name: str, percent: int) -> SlowAct:
    """Let a service use so much of one processor's time and no more (systemd's CPUQuota)."""
    from infratest.acts.quota import SlowAct  # a check does not act

    return SlowAct(name, percent)
