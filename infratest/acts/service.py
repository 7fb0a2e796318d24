"""A service stopped, started, restarted, reloaded: `the service "nginx" is stopped`, `restart-service: nginx`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline
from infratest.facts._systemd import unit_name
from infratest.quoting import template

#: systemd refuses to start a unit that failed too often in a short time (StartLimitBurst in systemd.unit(5));
#: `reset-failed` forgets those failures. It fails for a unit that is not loaded, which the restart then says better.
RESTART = "systemctl reset-failed -- %s 2>/dev/null; exec systemctl restart -- %s"


@dataclass(frozen=True)
class ServiceAct(Act):
    """One unit of the host. A name is a name: systemctl would take a pattern too."""

    unit: str = field(
        metadata={"description": "the unit", "title": "the name of a unit", "example": "nginx", "short": True}
    )
    verb: Literal["stop", "start", "restart", "reload"] = field(metadata={"description": "what is done with it"})

    seconds = 90.0  # systemd gives a unit DefaultTimeoutStartSec=90s to start
    remedies = {"restart-service": {"verb": "restart"}, "reload-service": {"verb": "reload"}}

    def __post_init__(self) -> None:
        unit_name(self.unit)

    def apply(self, access: Access, deadline: Deadline) -> str:
        command = ["systemctl", self.verb, "--", self.unit]
        if self.verb == "restart":
            unit = unit_name(self.unit)
            command = ["sh", "-c", template(RESTART, unit, unit)]
        return succeeded(access.run(command, deadline), f"systemctl {self.verb} {self.unit}")

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...] | None:
        if self.verb in ("restart", "reload"):
            return None
        active = access.run(["systemctl", "is-active", "--quiet", "--", self.unit], deadline).exit == 0
        if active == (self.verb == "start"):
            return None
        return ("systemctl", "start" if active else "stop", "--", self.unit)
