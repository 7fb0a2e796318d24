"""`run: "rm -rf /var/cache/shop/*"`: a command on the failing host, by `sh -c`, as the stack file has it."""

from __future__ import annotations

from typing import Any

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.model import Result
from infratest.remedies._on_host import run_shell
from infratest.remedies.base import Outcome, Remedy, Surroundings


class Run(Remedy):
    """Run one command; nothing is put into it, so nothing from a feature or a host can be."""

    def __init__(self, argument: Any) -> None:
        super().__init__(argument)
        if not isinstance(argument, str) or not argument.strip() or "\0" in argument:
            raise UserError(f'run: expected a command, as `run: "systemctl reload nginx"`, found {argument!r}')

    def describe(self) -> str:
        return f"run {clean(self.argument, 80)}"

    def apply(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        return run_shell(self.argument, self.describe(), surroundings, deadline)
