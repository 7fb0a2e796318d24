"""The fact `load`: the load averages and the number of processors. It has no argument."""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts._shell import lines
from infratest.facts.base import Answer, Argument, Fact
from infratest.found import Load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SNIPPET = r"""
read -r one five fifteen rest </proc/loadavg
echo "$one $five $fifteen"
nproc 2>/dev/null || getconf _NPROCESSORS_ONLN
"""


class LoadFact(Fact):
    """Load averages."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        try:
            averages, processors = rows
            one, five, fifteen = (float(field) for field in averages.split())
            load = Load(averages=(one, five, fifteen), processors=int(processors))
        except ValueError:
            raise FactError(f"the answer about the load is not understood: {answer.out[:80]!r}") from None
        return dict.fromkeys(arguments, load)
