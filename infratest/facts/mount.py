"""The fact `mount`: every mounted file system, path -> Mount. It has no argument: all are told."""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts._shell import lines
from infratest.facts.base import Answer, Argument, Fact
from infratest.found import Mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class MountFact(Fact):
    """Mounted file systems."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return "cat /proc/self/mounts\n"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        found: dict[str, Mount] = {}
        for row in lines(self.readable(answer).out):
            fields = row.split(" ")
            if len(fields) != 6:
                raise FactError(f"/proc/self/mounts holds a line that is not understood: {row[:120]!r}")
            device, path, kind, options = (_text(field) for field in fields[:4])
            # A later line covers an earlier one on the same path.
            found[path] = Mount(path=path, device=device, type=kind, options=tuple(options.split(",")))
        if not found:
            raise FactError("/proc/self/mounts is empty: is /proc mounted?")
        return dict.fromkeys(arguments, found)


def _text(field: str) -> str:
    """Undo the octal escapes of blanks, tabs, line breaks, backslashes and `#`: getmntent(3)."""
    first, *rest = field.split("\\")
    return first + "".join(_character(part) for part in rest)


def _character(part: str) -> str:
    digits = part[:3]
    if len(digits) == 3 and all(digit in "01234567" for digit in digits):
        return chr(int(digits, 8)) + part[3:]
    return "\\" + part
