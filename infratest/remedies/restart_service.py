"""`restart-service: nginx`: restart a systemd unit, even one that systemd has stopped restarting."""

from __future__ import annotations

from typing import Any

from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.facts._systemd import unit_name
from infratest.model import Result
from infratest.quoting import template
from infratest.remedies._on_host import run_shell
from infratest.remedies.base import Outcome, Remedy, Surroundings


class RestartService(Remedy):
    """Restart one unit of the host.

    systemd refuses to start a unit that failed too often in a short time (StartLimitBurst in systemd.unit(5));
    `reset-failed` forgets those failures. It fails for a unit that is not loaded, which the restart then says better.
    """

    seconds = 90.0  # systemd gives a unit DefaultTimeoutStartSec=90s to start

    def __init__(self, argument: Any) -> None:
        super().__init__(argument)
        if not isinstance(argument, str):
            raise UserError(
                f"restart-service: expected the name of a unit, as `restart-service: nginx`, found {argument!r}"
            )
        try:
            self._unit = unit_name(argument)
        except UserError as error:
            raise UserError(f"restart-service: {error}") from error

    def describe(self) -> str:
        return f"restart-service {self.argument}"

    def apply(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        command = template(
            "systemctl reset-failed -- %s 2>/dev/null; exec systemctl restart -- %s", self._unit, self._unit
        )
        return run_shell(command, self.describe(), surroundings, deadline)
