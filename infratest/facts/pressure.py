"""The fact `pressure`: how much of the time tasks waited for the processor, memory or input and output. No argument.

/proc/pressure, psi.rst of Linux. Of the machine: a container sees that of the machine it is on.
"""

from __future__ import annotations

from infratest.cleaning import cited, decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import lines
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

RESOURCES = ("cpu", "memory", "io")
#: Seconds that the kernel keeps averages over.
WINDOWS = (10, 60, 300)
PLACE = "/proc/pressure"
NO_PLACE = f"the kernel keeps no {PLACE}: it is of before 4.20, or was started without psi=1"


class Pressure(Record):
    """Shares of the time, in percent: resource, `some` or `full` of the tasks that wait, seconds, share."""

    shares: tuple[tuple[str, str, int, float], ...]

    def share(self, resource: str, kind: str, seconds: int) -> float | None:
        """Return one of them; None where the kernel does not keep it (older ones have no `full` of the processor)."""
        return next((share for *key, share in self.shares if key == [resource, kind, seconds]), None)

    def in_words(self) -> str:
        return ", ".join(f"{one} {kind} {share:g} %" for one, kind, seconds, share in self.shares if seconds == 10)


# Lines: the name of a file, then its lines.
SNIPPET = r"""
[ -e PLACE/memory ] || { echo 'NO_PLACE' >&2; exit NO_TOOL; }
for name in RESOURCES; do
  echo "$name"
  while read -r line; do
    echo "$line"
  done <"PLACE/$name" || exit 1
done
echo done
""".replace("NO_PLACE", NO_PLACE)
SNIPPET = SNIPPET.replace("PLACE", PLACE).replace("RESOURCES", " ".join(RESOURCES)).replace("NO_TOOL", str(NO_TOOL))


class PressureFact(LooksHere):
    """Pressure on what tasks wait for."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        if end != "done":
            raise FactError(f"the answer about pressure is not understood: {cited(answer.out, 80)}")
        return dict.fromkeys(arguments, _pressure(rows))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        rows = []
        try:
            for name in RESOURCES:
                rows += [name, *lines(decoded(_machine.whole(f"{PLACE}/{name}")))]
        except OSError:
            return None  # the snippet says why
        return dict.fromkeys(arguments, _pressure(rows))


def _pressure(rows: Iterable[str]) -> Pressure:
    """Return the shares of lines as `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`. Raises FactError."""
    shares: list[tuple[str, str, int, float]] = []
    resource = ""
    for row in rows:
        if row in RESOURCES:
            resource = row
            continue
        kind, *fields = row.split()
        values = dict(field.split("=", 1) for field in fields if "=" in field)
        try:
            shares += [(resource, kind, window, float(values[f"avg{window}"])) for window in WINDOWS]
        except (KeyError, ValueError):
            raise FactError(f"{PLACE}/{resource} holds a line that is not understood: {cited(row, 120)}") from None
    if {one[0] for one in shares} != set(RESOURCES):
        raise FactError(f"{PLACE} does not tell of all of {', '.join(RESOURCES)}")
    return Pressure(tuple(shares))
