"""A clock moved: `the clock is moved forward by 5 min`. It is moved back by as much, so that it goes as it went."""

from __future__ import annotations

from dataclasses import dataclass, field

from infratest.acts._fault import KEPT, line, refuse_shared_kernel, token
from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline
from infratest.errors import ActError, UserError

#: A clock that follows a time server is set right at once: then the fault is none. Bytes to seconds: date(1) takes @N.
MOVE = 'date -s "@$(($(date +%s) + $1))" >/dev/null'
#: $1: what says that it was moved, $2: by how many seconds. Twice moved back it would be wrong the other way.
BACK = """[ -e "$1" ] || exit 0
date -s "@$(($(date +%s) - $2))" >/dev/null && rm -f -- "$1\""""


@dataclass(frozen=True)
class ClockAct(Act):
    """The host's clock, moved by whole seconds."""

    seconds_by: int = field(metadata={"description": "by how many seconds, back where it is negative"})
    id: str = field(default_factory=token, compare=False, metadata={"description": "what tells it from other faults"})

    def __post_init__(self) -> None:
        if not self.seconds_by:
            raise UserError("a clock moved by less than a second is not moved: write 1 s or more")

    def guard(self, access: Access, deadline: Deadline) -> None:
        refuse_shared_kernel(access, deadline, "the clock")

    def apply(self, access: Access, deadline: Deadline) -> str:
        before = int(line(access, ["date", "+%s"], deadline))
        move = f': >"$2" && {MOVE}'
        command = ["sh", "-c", move, "sh", str(self.seconds_by), self._kept]
        succeeded(access.run(command, deadline), f"the clock moved by {self.seconds_by} s")
        moved = int(line(access, ["date", "+%s"], deadline)) - before
        if (moved > 0) != (self.seconds_by > 0):
            raise ActError(f"the clock stands {moved} s from where it was: it was set right again by a time server")
        return f"the clock stands {moved} s from where it was"

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        return ("sh", "-c", BACK, "sh", self._kept, str(self.seconds_by))

    @property
    def _kept(self) -> str:
        return f"{KEPT}{self.id}.clock"
