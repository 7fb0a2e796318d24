"""What can be said of the system as a whole: its state, its failed units, its boot."""

from __future__ import annotations

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.units import counted, human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.systemd import System
    from infratest.facts.uptime import Uptime

SYSTEM: Need[System] = Need("systemd")
UPTIME: Need[Uptime] = Need("uptime")

#: Failed units that are named.
NAMED = 10


class _OfSystem(Check):
    def needs(self) -> tuple[Need, ...]:
        return (SYSTEM,)


def _failed(system: System) -> str:
    if not system.failed:
        return "no unit is failed"
    more = f" and {len(system.failed) - NAMED} more" if len(system.failed) > NAMED else ""
    return f"{counted(len(system.failed), 'failed unit')}: {', '.join(system.failed[:NAMED])}{more}"


@check("no unit is failed", negation="a unit is failed", example="no unit is failed")
class NoUnitFailed(_OfSystem):
    """systemd has no unit that is failed, of any kind."""

    def observe(self, facts: FactValues) -> Seen:
        system = facts[SYSTEM]
        return Seen(holds=not system.failed, saw=_failed(system))


@check("the system has {bound:count} failed units", example="the system has at most 2 failed units")
class FailedUnits(_OfSystem):
    """How many units of systemd are failed, of any kind."""

    def observe(self, facts: FactValues) -> Seen:
        system = facts[SYSTEM]
        return Seen(holds=True, saw=_failed(system), number=len(system.failed))

    def measure(self) -> Measure:
        return Measure(label="failed units", minimum=0)


@check("the system is running", negation="the system is not running", example="the system is running")
class SystemRunning(_OfSystem):
    """The system has booted and no unit is failed, as `systemctl is-system-running` says."""

    state = "running"

    def observe(self, facts: FactValues) -> Seen:
        system = facts[SYSTEM]
        failed = f" ({_failed(system)})" if system.failed else ""
        return Seen(holds=system.state == self.state, saw=f"the system is {system.state}{failed}")


@check("the system is degraded", negation="the system is not degraded", example="the system is degraded")
class SystemDegraded(SystemRunning):
    """The system has booted and a unit is failed, as `systemctl is-system-running` says."""

    state = "degraded"


@check(
    'the system boots into "{target}"',
    negation='the system does not boot into "{target}"',
    example='the system boots into "multi-user.target"',
)
class BootTarget(_OfSystem):
    """The target that the system boots into, as `systemctl get-default` says."""

    target: str

    def __post_init__(self) -> None:
        from infratest.facts._systemd import unit_name

        unit_name(self.target, ".target")

    def observe(self, facts: FactValues) -> Seen:
        from infratest.facts._systemd import unit_name

        target = facts[SYSTEM].target
        if not target:
            raise FactError("systemctl get-default does not say into what the system boots")
        return Seen(holds=target == unit_name(self.target, ".target"), saw=f'the system boots into "{target}"')


@check("the boot took {bound:time}", example="the boot took less than 60 s")
class BootTime(_OfSystem):
    """How long the last boot took, from its first part to the end of its jobs, as `systemd-analyze time` says."""

    def observe(self, facts: FactValues) -> Seen:
        system = facts[SYSTEM]
        if system.problem:
            raise FactError(f"how long the boot took is not known: {system.problem}")
        if system.boot is None:
            return Seen(holds=False, saw=f"the boot has not finished: the system is {system.state}", absent=True)
        return Seen(holds=True, saw=f"the boot took {human(system.boot, 's')}", number=system.boot)

    def measure(self) -> Measure:
        return Measure(label="boot time", unit="s", minimum=0)


@check("the host was booted {bound:time} ago", example="the host was booted more than 1 h ago")
class HostUptime(Check):
    """The time since the host was booted."""

    def needs(self) -> tuple[Need, ...]:
        return (UPTIME,)

    def observe(self, facts: FactValues) -> Seen:
        seconds = facts[UPTIME].seconds
        return Seen(holds=True, saw=f"the host was booted {human(seconds, 's')} ago", number=seconds)

    def measure(self) -> Measure:
        return Measure(label="uptime", unit="s", minimum=0)
