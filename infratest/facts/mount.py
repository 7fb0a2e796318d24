"""The fact `mount`: every mounted file system that a path leads to, path -> Mount. It has no argument: all are told.

Of /proc/self/mounts and /proc/self/mountinfo, proc_pid_mountinfo(5), the latter alone tells which are hidden by others.
"""

from __future__ import annotations

from infratest.cleaning import decoded
from infratest.errors import FactError, InfratestError
from infratest.facts import _machine
from infratest.facts._shell import lines, number
from infratest.facts.base import Answer, Argument, LooksHere, Need
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.facts.base import FactValues


class Mount(Record):
    """A mounted file system; of several on one path, the one on top."""

    path: str
    device: str
    type: str
    options: tuple[str, ...]

    def in_words(self) -> str:
        return f"{self.type} of {self.device} with {','.join(self.options)}"


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


def mounts_of(table: str) -> dict[str, Mount]:
    """Return the mounts that who opens a path gets to: of several on one path that on top, and none that is hidden.

    Their order says nothing of that: one may be moved over a younger one, or put beneath an older one.
    """
    rows: dict[int, tuple[int, Mount]] = {}
    for row in lines(table):
        before, mark, after = row.partition(" - ")
        of_mount, of_system = before.split(" "), after.split(" ")
        if not mark or len(of_mount) < 6 or len(of_system) != 3:
            raise FactError(f"/proc/self/mountinfo holds a line that is not understood: {row[:120]!r}")
        key, parent, _, _, path, options, *_ = of_mount
        kind, device, more = of_system
        mount = Mount(path=_plain(path), device=_plain(device), type=_plain(kind), options=_options(options, more))
        rows[number(key, "a mount's id")] = number(parent, "a mount's id"), mount
    if not rows:
        raise FactError("/proc/self/mountinfo is empty: is /proc mounted?")
    hidden = _hidden(rows) | _covered(rows)
    return {mount.path: mount for key, (_, mount) in rows.items() if key not in hidden}


def _covered(rows: Mapping[int, tuple[int, Mount]]) -> set[int]:
    """Return the ids of mounts that another one stands on, on their own path."""
    return {
        parent
        for parent, mount in rows.values()
        if mount.path != "/" and parent in rows and rows[parent][1].path == mount.path
    }


def _options(of_mount: str, of_system: str) -> tuple[str, ...]:
    """Return the options as /proc/self/mounts joins them: of one that may not be written, by either, `ro`."""
    first, *own = of_mount.split(",")
    of_all, *rest = of_system.split(",")
    options = ["ro" if "ro" in (first, of_all) else "rw", *own, *rest]
    return tuple(map(_plain, options))


def _hidden(rows: Mapping[int, tuple[int, Mount]]) -> set[int]:
    """Return the ids of mounts that no path leads to: a folder above them was mounted over, or their parent is hidden.

    What is mounted over the root itself hides nothing from us, who are in it; no path leads there.
    """
    places = {(parent, mount.path) for parent, mount in rows.values() if mount.path != "/"}
    hidden = {
        key
        for key, (parent, mount) in rows.items()
        if any((parent, one) in places for one in _above(mount.path)) or (mount.path == "/" and parent in rows)
    }
    while more := {key for key, (parent, _) in rows.items() if parent in hidden} - hidden:
        hidden |= more
    return hidden


def _above(path: str) -> list[str]:
    """Return the folders above a path, but for the root."""
    return [path[:place] for place, character in enumerate(path) if character == "/" and place]


def _plain(field: str) -> str:
    return decoded(_machine.plain(_machine.encoded(field))) if "\\" in field else field
