"""Processors taken: `all processors are busy`. As many loops run as the host has processors, and are ended."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from infratest.acts._fault import OWN_KERNEL, begin, ending, line, looked, shares_kernel, token
from infratest.acts.base import Access, Act
from infratest.deadline import Deadline
from infratest.errors import ActError
from infratest.facts.load import Load

#: $1: how many loops. The shell that begins them waits, so that its session is there for as long as they are.
LOOPS = """i=0
while [ $i -lt "$1" ]; do
  while :; do :; done &
  i=$((i + 1))
done
wait"""
#: Where a control group says what it may use of the processors: of version 2, and of version 1 (cgroup-v2.rst,
#: sched-bwc.rst); `max ...` and -1 are no limit.
LIMITS = {"": ("/sys/fs/cgroup", "cpu.max"), "cpu": ("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us")}


@dataclass(frozen=True)
class BusyAct(Act):
    """Every processor that the host may use, at work without an end."""

    id: str = field(default_factory=token, compare=False, metadata={"description": "what tells it from other faults"})

    def guard(self, access: Access, deadline: Deadline) -> None:
        """Refuse the processors of the machine that infratest runs on."""
        if not shares_kernel(access, deadline):
            return
        if not _limited(line(access, ["readlink", "/proc/self/ns/pid"], deadline)):
            raise ActError(
                f"the processors of {access.host} are those of the machine infratest runs on, without a limit: they "
                f"are left alone; give the host `cpus:`, or {OWN_KERNEL}"
            )

    def apply(self, access: Access, deadline: Deadline) -> str:
        load: Load = looked(access, deadline, "load")
        begin(access, deadline, self.id, LOOPS, str(load.processors))
        return f"{load.processors} loops run"

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        return ending(self.id)


def _limited(namespace: str) -> bool:
    """Whether the processes of another process namespace of this machine have a limit of processor time.

    Inside a container the limit of version 1 is not to be seen; here it is, by whoever may look at its processes.
    """
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str((process / "ns/pid").readlink()) == namespace != str(Path("/proc/self/ns/pid").readlink()):
                return any(map(_has_limit, (process / "cgroup").read_text("utf-8").splitlines()))
    return False


def _has_limit(group: str) -> bool:
    """Whether a line of /proc/PID/cgroup names a group that has a limit, or one above it has (cgroups(7))."""
    _, controllers, path = group.split(":", 2)
    for controller in controllers.split(","):
        if controller in LIMITS:
            root, file = LIMITS[controller]
            for folder in (Path(root + path), *Path(root + path).parents):
                with contextlib.suppress(OSError):
                    if (folder / file).read_text("ascii").split()[0] not in ("max", "-1"):
                        return True
    return False
