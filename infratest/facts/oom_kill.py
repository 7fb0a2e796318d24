"""The fact `oom-kill`: how many processes the kernel has killed for want of memory. It has no argument.

Of the control group that a container is limited by (memory.events, cgroup-v2.rst), which counts since that was made; of
a machine /proc/vmstat, proc(5), which counts since its boot.
"""

from __future__ import annotations

import os

from infratest.cleaning import cited, decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import lines, number
from infratest.facts.base import Answer, Argument, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class OomKills(Record):
    """How many processes were killed for want of memory; `limited`: as the control group counts, not the machine."""

    count: int
    limited: bool = False

    def in_words(self) -> str:
        whose = "its control group" if self.limited else "the machine"
        return f"{self.count} killed for want of memory, counted by {whose}"


GROUP, MACHINE = "/sys/fs/cgroup/memory.events", "/proc/vmstat"

SNIPPET = r"""
path=MACHINE
[ ! -e GROUP ] || path=GROUP
while read -r key value; do
  [ "$key" != oom_kill ] || echo "$path $value"
done <"$path"
""".replace("GROUP", GROUP).replace("MACHINE", MACHINE)


class OomKillFact(LooksHere):
    """Processes killed for want of memory."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        path, _, value = rows[0].partition(" ") if len(rows) == 1 else ("", "", "")
        if path not in (GROUP, MACHINE):
            raise FactError(f"the host does not tell how often it had no memory (Linux 4.13): {cited(answer.out, 80)}")
        return dict.fromkeys(arguments, OomKills(number(value, "a count"), path == GROUP))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        path = GROUP if os.path.exists(GROUP) else MACHINE
        try:
            rows = lines(decoded(_machine.whole(path)))
        except OSError:
            return None
        counts = [row.partition(" ")[2] for row in rows if row.startswith("oom_kill ")]
        if len(counts) != 1:
            return None  # the snippet says why
        return dict.fromkeys(arguments, OomKills(number(counts[0], "a count"), path == GROUP))
