"""Questions about systemd units: services and timers."""

from __future__ import annotations

from infratest.checks.base import Check, Seen
from infratest.facts.base import Need
from infratest.found import Unit
from infratest.names import unit_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: Unit file states for which `systemctl is-enabled` ends with 0: systemctl(1).
ENABLED = ("enabled", "enabled-runtime", "static", "alias", "indirect")


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


class UnitExists(_OfUnit):
    """Whether systemd can load the unit (a masked one exists)."""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        unit = self.unit(facts)
        absence = self.absence(unit)
        return Seen(holds=not absence, saw=absence or f"{self.subject} exists (unit {unit.id}, {unit.load})")


class UnitRunning(_OfUnit):
    """Whether the unit is active, as `systemctl is-active` says: a oneshot that has ended well may be, too."""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        unit = self.unit(facts)
        # A unit whose file is gone may still run, so the state decides and not whether it is found.
        running = unit.active in ("active", "reloading")
        masked = " and masked: it cannot be started" if unit.load == "masked" and not running else ""
        words = f"{self.subject} is {unit.active} ({unit.sub}){masked}"
        return Seen(holds=running, saw=words if running else self.absence(unit) or words)


class UnitEnabled(_OfUnit):
    """Whether the unit is enabled, as `systemctl is-enabled` says: a static one counts, for others start it."""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        unit = self.unit(facts)
        if unit.file == "generated":
            held = "links" if unit.boot_links else "no links"
            return Seen(holds=unit.boot_links, saw=f"{self.subject} is a System V script with {held} in a runlevel")
        state = unit.file or "without a unit file"
        return Seen(holds=unit.file in ENABLED, saw=self.absence(unit) or f"{self.subject} is {state}")


class UnitMasked(_OfUnit):
    """Whether the unit is masked: it cannot be started at all."""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        unit = self.unit(facts)
        words = f"{self.subject} is {'masked' if unit.load == 'masked' else 'not masked'} ({unit.file or unit.load})"
        return Seen(holds=unit.load == "masked", saw=self.absence(unit) or words)
