"""The fact `mount`: every mounted file system, path -> Mount. It has no argument: all are told."""

from __future__ import annotations

from infratest.cleaning import decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts.base import Answer, Argument, LooksHere
from infratest.found import Mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class MountFact(LooksHere):
    """Mounted file systems."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return "cat /proc/self/mounts\n"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        return dict.fromkeys(arguments, _mounts(_machine.encoded(self.readable(answer).out)))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            table = _machine.whole("/proc/self/mounts")
        except OSError:
            return None
        return dict.fromkeys(arguments, _mounts(table))


def _mounts(table: bytes) -> dict[str, Mount]:
    found: dict[str, Mount] = {}
    for fields in _machine.mount_rows(table):
        if len(fields) != 6:
            raise FactError(f"/proc/self/mounts holds a line that is not understood: {b' '.join(fields)[:120]!r}")
        device, path, kind, options = (decoded(_machine.plain(field)) for field in fields[:4])
        # A later line covers an earlier one on the same path.
        found[path] = Mount(path=path, device=device, type=kind, options=tuple(options.split(",")))
    if not found:
        raise FactError("/proc/self/mounts is empty: is /proc mounted?")
    return found
