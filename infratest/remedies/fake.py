"""`fake: {log: tries.txt, fail: "no disk"}`: a remedy that only does what its options script, for trying rules."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from infratest.deadline import Deadline
from infratest.errors import HealError
from infratest.model import Result
from infratest.remedies.base import Outcome, Remedy, Surroundings


@dataclass(frozen=True, kw_only=True)
class Options:
    """What it pretends."""

    fail: str = field(default="", metadata={"description": "fail with these words"})
    log: str = field(
        default="", metadata={"description": "a file beside the stack file; each try adds the result's id"}
    )
    remove: str = field(default="", metadata={"description": "a file beside the stack file to remove, as the fault"})
    takes: float = field(default=0.0, metadata={"description": "how long it takes", "dimension": "time"})


class Fake(Remedy):
    """Fails on demand, takes its time on demand, and leaves a trace of every try."""

    name = "fake"
    Options = Options
    usage = "expected options, as `fake: {log: tries.txt}`"
    on_host = False

    def describe(self) -> str:
        return "fake"

    def apply(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        options: Options = self.options
        if options.log:
            with (surroundings.folder / options.log).open("a", encoding="utf-8") as log:
                log.write(f"{result.id}\n")
        time.sleep(min(options.takes, deadline.left))
        if options.takes and deadline.passed:
            raise HealError(f"fake: did not end within {deadline.seconds:g} s")
        if options.fail:
            raise HealError(f"fake: {options.fail}")
        if options.remove:
            (surroundings.folder / options.remove).unlink(missing_ok=True)
        return Outcome(words="pretended", command="fake")
