"""A disk filled: `the disk "/srv" is filled to 97 %`. A file of that size is made on it, and removed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from infratest.acts._fault import OWN_KERNEL, line, looked, shares_kernel, token
from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline
from infratest.errors import ActError, UserError
from infratest.facts._space import Space
from infratest.units import human

#: $1: the file, $2: its size in bytes. Where the file system cannot set room aside, zeros are written.
FILL = """fallocate -l "$2" -- "$1" 2>/dev/null && exit
rm -f -- "$1"
exec head -c "$2" /dev/zero >"$1\""""
#: A file system in memory that is at most so large harms nobody: bytes.
SMALL = 1024**3
#: Percent by which the disk may be emptier than was asked for: blocks, and what others free meanwhile.
NEAR = 1.0


@dataclass(frozen=True)
class FillAct(Act):
    """The file system mounted on a path, filled to a percentage as `df` counts it."""

    path: str = field(metadata={"description": "the path it is mounted on"})
    percent: int = field(metadata={"description": "how full it is then"})
    id: str = field(default_factory=token, compare=False, metadata={"description": "what tells it from other faults"})

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise UserError(f"the disk {self.path!r}: name it by the absolute path that it is mounted on, as /srv")
        if not 1 <= self.percent <= 100:
            raise UserError(f"the disk {self.path!r} cannot be filled to {self.percent} %: write 1 to 100")

    def guard(self, access: Access, deadline: Deadline) -> None:
        """Refuse a disk of the machine that infratest runs on."""
        if not shares_kernel(access, deadline):
            return
        kind = line(access, ["stat", "-f", "-c", "%T", "--", self.path], deadline)
        device = int(line(access, ["stat", "-c", "%d", "--", self.path], deadline))
        if kind == "tmpfs" and self._space(access, deadline).size <= SMALL:
            return
        if os.major(device) and device not in _devices_here():
            return
        raise ActError(
            f"the disk {self.path} of {access.host} ({kind}) takes its room from the machine infratest runs on: it is "
            f"left alone; {OWN_KERNEL}, or fill a file system of a size of its own (a tmpfs up to {human(SMALL, 'B')}, "
            "a mounted image)"
        )

    def apply(self, access: Access, deadline: Deadline) -> str:
        before = self._space(access, deadline)
        room = before.used + before.available
        size = room * self.percent // 100 - before.used
        if size <= 0:
            return f"it is {before.percent:.0f} % full already"
        result = access.run(["sh", "-c", FILL, "sh", self._file, str(size)], deadline)
        succeeded(result, f"{human(size, 'B')} into {self._file}")
        after = self._space(access, deadline)
        if after.percent is None or after.percent < self.percent - NEAR:
            raise ActError(f"the disk {self.path} is {after.percent or 0:.1f} % full with {human(size, 'B')} more")
        return f"it is {after.percent:.0f} % full"

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        return ("rm", "-f", "--", self._file)

    @property
    def _file(self) -> str:
        return f"{self.path.rstrip('/')}/.infratest-{self.id}"

    def _space(self, access: Access, deadline: Deadline) -> Space:
        space: Space = looked(access, deadline, "disk", (self.path,))
        if space.problem or not space.there or space.percent is None:
            raise ActError(f"how full the disk {self.path} is cannot be seen: {space.problem or 'it is not there'}")
        return space


def _devices_here() -> set[int]:
    """Return the devices of all file systems that are mounted on this machine (proc(5), mountinfo)."""
    rows = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    pairs = (row.split(" ", 3)[2].split(":") for row in rows)
    return {os.makedev(int(major), int(minor)) for major, minor in pairs}
