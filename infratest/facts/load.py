"""The fact `load`: the load averages and the number of processors. It has no argument."""

from __future__ import annotations

import os

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import lines
from infratest.facts.base import Answer, Argument, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Load(Record):
    """The load averages over 1, 5 and 15 minutes, and the processors that share it."""

    averages: tuple[float, float, float]
    processors: int

    def in_words(self) -> str:
        return f"load {' '.join(f'{one:g}' for one in self.averages)} on {self.processors} processors"


# nproc tells the processors that may be used, but for what programs of OpenMP are told in the environment.
SNIPPET = r"""
read -r one five fifteen rest </proc/loadavg || exit 1
echo "$one $five $fifteen"
OMP_NUM_THREADS= OMP_THREAD_LIMIT= nproc 2>/dev/null || getconf _NPROCESSORS_ONLN
"""


class LoadFact(LooksHere):
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
            raise FactError(f"the answer about the load is not understood: {cited(answer.out, 80)}") from None
        return dict.fromkeys(arguments, load)

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            one, five, fifteen = (float(field) for field in _machine.whole("/proc/loadavg").split()[:3])
        except (OSError, ValueError):
            return None
        return dict.fromkeys(arguments, Load(averages=(one, five, fifteen), processors=len(os.sched_getaffinity(0))))
