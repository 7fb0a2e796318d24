"""A service that systemd gives little of a processor: `the service "nginx" is slowed to 5 % of a processor`."""

from __future__ import annotations

from dataclasses import dataclass, field

from infratest.acts._fault import line
from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline
from infratest.errors import ActError, UserError
from infratest.facts._systemctl import span
from infratest.facts._systemd import unit_name


@dataclass(frozen=True)
class SlowAct(Act):
    """One service that may use so much of one processor, until it is undone or the host boots (CPUQuota=)."""

    unit: str = field(metadata={"description": "the unit", "title": "the name of a unit", "example": "nginx"})
    percent: int = field(metadata={"description": "how much of one processor's time it may use"})

    def __post_init__(self) -> None:
        unit_name(self.unit)
        if not 1 <= self.percent <= 100:
            raise UserError(f"the service {self.unit!r} cannot be slowed to {self.percent} %: write 1 to 100")

    def apply(self, access: Access, deadline: Deadline) -> str:
        return succeeded(access.run(self._quota(f"{self.percent}%"), deadline), f"systemctl set-property {self.unit}")

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        if line(access, ["systemctl", "show", "-P", "ActiveState", "--", self.unit], deadline) != "active":
            raise ActError(f"the service {self.unit!r} does not run: it cannot be slowed")
        before = line(access, ["systemctl", "show", "-P", "CPUQuotaPerSecUSec", "--", self.unit], deadline)
        seconds = span(before)
        if before != "infinity" and seconds is None:
            raise ActError(f"what {self.unit} may use is not understood: {before!r} (CPUQuotaPerSecUSec)")
        return tuple(self._quota("" if seconds is None else f"{100 * seconds:g}%"))

    def _quota(self, quota: str) -> list[str]:
        return ["systemctl", "set-property", "--runtime", "--", self.unit, f"CPUQuota={quota}"]
