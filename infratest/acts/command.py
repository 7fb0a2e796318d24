"""A command of the user's: `the command "nginx -s reload" is run`, `run: "systemctl reload nginx"`."""

from __future__ import annotations

from dataclasses import dataclass, field

from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline
from infratest.errors import UserError


@dataclass(frozen=True)
class CommandAct(Act):
    """Run by `sh -c` as written: nothing is put into it here, so nothing from a host can be."""

    command: str = field(
        metadata={
            "description": "the command, for the host's shell",
            "title": "a command",
            "example": '"systemctl reload nginx"',
            "short": True,
            "shell": True,
        }
    )

    remedies = {"run": {}}

    def __post_init__(self) -> None:
        if not self.command.strip() or "\0" in self.command:
            raise UserError(f"expected a command for the host's shell, without a NUL, found {self.command!r}")

    def apply(self, access: Access, deadline: Deadline) -> str:
        return succeeded(access.run(["sh", "-c", self.command], deadline), f"the command {self.command!r}")
