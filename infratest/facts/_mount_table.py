"""A host's table of mounts, as a fact of mounts and one of all file systems read it: proc_pid_mountinfo(5)."""

from __future__ import annotations

from infratest.cleaning import cited, decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import lines, number
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Mount(Record):
    """A mounted file system; of several on one path, the one on top."""

    path: str
    device: str
    type: str
    options: tuple[str, ...]

    def in_words(self) -> str:
        return f"{self.type} of {self.device} with {','.join(self.options)}"


def mounts_of(table: str) -> dict[str, Mount]:
    """Return the mounts that who opens a path gets to: of several on one path that on top, and none that is hidden.

    Their order says nothing of that: one may be moved over a younger one, or put beneath an older one.
    """
    rows: dict[int, tuple[int, Mount]] = {}
    for row in lines(table):
        before, mark, after = row.partition(" - ")
        of_mount, of_system = before.split(" "), after.split(" ")
        if not mark or len(of_mount) < 6 or len(of_system) != 3:
            raise FactError(f"/proc/self/mountinfo holds a line that is not understood: {cited(row, 120)}")
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
