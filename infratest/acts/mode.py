"""Other permission bits for a while: `the file "/etc/shadow" is given mode "0666"`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from infratest.acts._fault import line
from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.facts.base import absolute

MODE = re.compile(r"[0-7]{3,4}")


@dataclass(frozen=True)
class ModeAct(Act):
    """One file or directory with another mode for a while."""

    path: str = field(metadata={"description": "the file or directory"})
    mode: str = field(metadata={"description": "its permission bits, in octal"})

    def __post_init__(self) -> None:
        absolute(self.path)
        if not MODE.fullmatch(self.mode):
            raise UserError(f"{self.mode!r} is no mode: write it in octal, as 0644")

    def apply(self, access: Access, deadline: Deadline) -> str:
        return succeeded(access.run(["chmod", self.mode, "--", self.path], deadline), f"chmod {self.mode} {self.path}")

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        return ("chmod", line(access, ["stat", "-L", "-c", "%a", "--", self.path], deadline), "--", self.path)
