"""The fact `swap`: the files and devices that the kernel swaps to. It has no argument.

/proc/swaps has them by their real paths, sizes in KiB: proc(5). A container sees those of its machine.
"""

from __future__ import annotations

from infratest.cleaning import cited, decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import lines, number
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

HEAD = ["Filename", "Type", "Size", "Used", "Priority"]
#: Stands behind the path of one that was removed while it is in use.
DELETED = "\\040(deleted)"


class Swap(Record):
    """One file or device that is swapped to; sizes in bytes, its own page at the beginning not counted."""

    path: str
    type: str
    size: int
    used: int
    priority: int

    def in_words(self) -> str:
        from infratest.units import human

        return f"{self.path} ({self.type} of {human(self.size, 'B')}, {human(self.used, 'B')} used)"


class Swaps(tuple[Swap, ...]):
    """All of them."""

    __slots__ = ()

    def in_words(self) -> str:
        return ", ".join(swap.in_words() for swap in self) or "no swap"


SNIPPET = f"""
[ -r /proc/swaps ] || {{ echo '/proc/swaps is not there: this kernel does not swap, or /proc is not mounted' >&2
exit {NO_TOOL}; }}
while IFS= read -r line; do
  printf '%s\\n' "$line"
done </proc/swaps
echo done
"""


class SwapFact(LooksHere):
    """What is swapped to."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        if end != "done":
            raise FactError("the answer about swap is not understood: it ends before its time")
        return dict.fromkeys(arguments, _swaps(rows))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            return dict.fromkeys(arguments, _swaps(lines(decoded(_machine.whole("/proc/swaps")))))
        except OSError:
            return None


def _swaps(rows: Sequence[str]) -> Swaps:
    if not rows or rows[0].split() != HEAD:
        raise FactError(f"/proc/swaps is not understood: it begins with {cited((rows or [''])[0], 80)}")
    return Swaps(_swap(row) for row in rows[1:])


def _swap(row: str) -> Swap:
    fields = row.split()
    if len(fields) != 5:
        raise FactError(f"/proc/swaps has a line that is not understood: {cited(row, 120)}")
    path = decoded(_machine.plain(_machine.encoded(fields[0].removesuffix(DELETED))))
    size, used = (number(field, "a size") * 1024 for field in fields[2:4])
    return Swap(path, fields[1], size, used, number(fields[4], "a priority"))
