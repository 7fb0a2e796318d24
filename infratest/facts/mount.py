"""The fact `mount`: every mounted file system, path -> Mount. It has no argument: all are told."""

from __future__ import annotations

from infratest.cleaning import decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import lines
from infratest.facts.base import Answer, Argument, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Mount(Record):
    """A mounted file system; of several on one path, the one on top."""

    path: str
    device: str
    type: str
    options: tuple[str, ...]

    def in_words(self) -> str:
        return f"{self.type} of {self.device} with {','.join(self.options)}"


class MountFact(LooksHere):
    """Mounted file systems."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return "cat /proc/self/mounts\n"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        return dict.fromkeys(arguments, _mounts(self.readable(answer).out))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            table = _machine.whole("/proc/self/mounts")
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
        mounts = _mounts(decoded(table))
        _last = (table, mounts)
    return mounts


def _mounts(table: str) -> dict[str, Mount]:
    found: dict[str, Mount] = {}
    for row in lines(table):
        fields = row.split(" ")
        if len(fields) != 6:
            raise FactError(f"/proc/self/mounts holds a line that is not understood: {row[:120]!r}")
        if "\\" in row:
            fields = [decoded(_machine.plain(_machine.encoded(field))) for field in fields]
        device, path, kind, options, _, _ = fields
        # A later line covers an earlier one on the same path.
        found[path] = Mount(path=path, device=device, type=kind, options=tuple(options.split(",")))
    if not found:
        raise FactError("/proc/self/mounts is empty: is /proc mounted?")
    return found
