"""Questions about systemd units: services and timers."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.found import Unit, UnitFile
from infratest.names import unit_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class _OfUnit(Check):
    name: str
    suffix: str = ".service"

    def __post_init__(self) -> None:
        unit_name(self.name, self.suffix)

    def needs(self) -> tuple[Need, ...]:
        return (Need("service", (unit_name(self.name, self.suffix),)),)

    def unit(self, facts: Mapping[Need, Any]) -> Unit:
        found: Unit = facts[self.needed[0]]
        return found

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


class UnitExists(_OfUnit):
    """Whether systemd can load the unit (a masked one exists)."""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        unit = self.unit(facts)
        absence = self.absence(unit)
        there = f"{self.subject} exists (unit {unit.id}, {unit.load}){self.broken(unit)}"
        return Seen(holds=not absence, saw=absence or there)


class UnitRunning(_OfUnit):
    """Whether the unit is active, as `systemctl is-active` says: a oneshot that has ended well may be, too.

    A timer runs as long as it will start something: one that has elapsed for the last time is active, but does not.
    """

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        unit = self.unit(facts)
        # A unit whose file is gone may still run, so the state decides and not whether it is found.
        running = unit.active in ("active", "reloading", "refreshing")
        masked = " and masked: it cannot be started" if unit.load == "masked" and not running else ""
        words = f"{self.subject} is {unit.active} ({unit.sub}){masked}{self.broken(unit)}"
        if running and unit.sub == "elapsed" and not unit.next:
            return Seen(holds=False, saw=f"{words} and has no next moment: it will not start anything any more")
        return Seen(holds=running, saw=words if running else self.absence(unit) or words)


class UnitEnabled(_OfUnit):
    """Whether the unit is enabled, as `systemctl is-enabled` says: a static one counts, for others start it."""

    def __post_init__(self) -> None:
        unit_name(self.name, self.suffix, template=True)

    def needs(self) -> tuple[Need, ...]:
        return (Need("unit-file", (unit_name(self.name, self.suffix, template=True),)),)

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        file: UnitFile = facts[self.needed[0]]
        if file.problem:
            raise FactError(f"systemctl is-enabled could not tell: {file.problem}")
        state = file.state or f"not enabled: systemd finds no file of the unit {self.needed[0].argument[0]}"
        return Seen(holds=file.enabled, saw=f"{self.subject} is {state}")


class UnitMasked(_OfUnit):
    """Whether the unit is masked: it cannot be started at all."""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        unit = self.unit(facts)
        words = f"{self.subject} is {'masked' if unit.load == 'masked' else f'not masked ({unit.load})'}"
        return Seen(holds=unit.load == "masked", saw=self.absence(unit) or words)
