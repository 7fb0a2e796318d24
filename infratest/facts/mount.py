"""The fact `mount`: every mounted file system that a path leads to, path -> Mount. It has no argument: all are told.

Of /proc/self/mounts and /proc/self/mountinfo, proc_pid_mountinfo(5), the latter alone tells which are hidden by others.
"""

from __future__ import annotations

from infratest.cleaning import decoded
from infratest.errors import FactError, InfratestError
from infratest.facts import _machine
from infratest.facts._mount_table import Mount as Mount
from infratest.facts._mount_table import mounts_of
from infratest.facts.base import Answer, Argument, LooksHere, Need

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.facts.base import FactValues


def mounted_on(path: str, facts: FactValues) -> Mount | None:
    """Return what is mounted on a path, links followed.

    A path that the kernel's table has is not looked at: that would wait where a network share's server is gone.

    Args:
        facts: `mount`, and `real-path` of this path, which may be an error.
    Raises:
        FactError: the table does not have it, and where it leads is not known.
    """
    mounts: Mapping[str, Mount] = facts[Need("mount")]
    if path in mounts:
        return mounts[path]
    real = facts[Need("real-path", (path,))]
    problem = str(real) if isinstance(real, InfratestError) else real.problem
    if isinstance(real, InfratestError) or problem:
        raise FactError(f"nothing is mounted on {path} by that name, and where it leads is not known: {problem}")
    return mounts.get(real.path)


class MountFact(LooksHere):
    """Mounted file systems."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return "cat /proc/self/mountinfo\n"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        return dict.fromkeys(arguments, mounts_of(self.readable(answer).out))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            table = _machine.whole("/proc/self/mountinfo")
        except OSError:
            return None
        return dict.fromkeys(arguments, _read(table))


#: The table that was read last, and what it says.
_last: tuple[bytes, dict[str, Mount]] = (b"", {})


def _read(table: bytes) -> dict[str, Mount]:
    """Return the mounts of a table; one that is as it was is not taken apart again."""
    global _last
    seen, mounts = _last
    if table != seen or not table:
        mounts = mounts_of(decoded(table))
        _last = (table, mounts)
    return mounts
