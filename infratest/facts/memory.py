"""The fact `memory`: main memory and swap of the host's kernel. It has no argument.

In a container these are the numbers of the machine around it: /proc/meminfo knows nothing of its limits.
"""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts._shell import lines, number
from infratest.facts.base import Answer, Argument, Fact
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


class MemoryFact(Fact):
    """Memory."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        found = {}
        for row in lines(self.readable(answer).out):
            key, _, value = row.partition(": ")
            found[key] = number(value, key) * 1024
        missing = [field for field in FIELDS if field not in found]
        if missing:
            # MemAvailable came with Linux 3.14; a guess from free and cached would be another number.
            raise FactError(f"/proc/meminfo does not tell {', '.join(missing)}")
        memory = Memory(
            total=found["MemTotal"],
            available=found["MemAvailable"],
            swap_total=found["SwapTotal"],
            swap_free=found["SwapFree"],
        )
        return dict.fromkeys(arguments, memory)
