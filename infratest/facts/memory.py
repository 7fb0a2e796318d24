"""The fact `memory`: main memory and swap of the host's kernel. It has no argument.

In a container these are the numbers of the machine around it: /proc/meminfo knows nothing of its limits.
"""

from __future__ import annotations

from infratest.cleaning import decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import lines, number
from infratest.facts.base import Answer, Argument, LooksHere
from infratest.found import Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

FIELDS = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")

SNIPPET = r"""
while read -r key value unit; do
  case $key in
    MemTotal: | MemAvailable: | SwapTotal: | SwapFree:) echo "$key $value" ;;
  esac
done </proc/meminfo
"""


class MemoryFact(LooksHere):
    """Memory."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = (row.partition(": ") for row in lines(self.readable(answer).out))
        return dict.fromkeys(arguments, _memory({key: number(value, key) * 1024 for key, _, value in rows}))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            rows = [row.split() for row in lines(decoded(_machine.whole("/proc/meminfo")))]
        except OSError:
            return None
        told = {row[0].removesuffix(":"): row[1] for row in rows if len(row) > 1}
        found = {key: number(told[key], key) * 1024 for key in FIELDS if key in told}
        return dict.fromkeys(arguments, _memory(found))


def _memory(found: dict[str, int]) -> Memory:
    missing = [field for field in FIELDS if field not in found]
    if missing:
        # MemAvailable came with Linux 3.14; a guess from free and cached would be another number.
        raise FactError(f"/proc/meminfo does not tell {', '.join(missing)}")
    return Memory(
        total=found["MemTotal"],
        available=found["MemAvailable"],
        swap_total=found["SwapTotal"],
        swap_free=found["SwapFree"],
    )
