"""The fact `uptime`: the time since the host was booted. It has no argument.

/proc/uptime: proc(5). In a container that has no such file of its own, it is the time since the machine was booted.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts.base import Answer, Argument, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

PATH = "/proc/uptime"

SNIPPET = f"""
read -r up idle <{PATH} || exit 1
echo "$up $idle"
"""


class Uptime(Record):
    """Seconds since the host was booted."""

    seconds: float

    def in_words(self) -> str:
        from infratest.units import human

        return f"booted {human(self.seconds, 's')} ago"


class UptimeFact(LooksHere):
    """The time since the boot."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        return dict.fromkeys(arguments, _uptime(self.readable(answer).out))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            return dict.fromkeys(arguments, _uptime(_machine.begun(PATH).decode()))
        except OSError:
            return None


def _uptime(text: str) -> Uptime:
    try:
        up, _ = (float(word) for word in text.split())
    except ValueError:
        raise FactError(f"{PATH} is not understood: {cited(text, 80)}") from None
    if not 0 <= up < 2**40:
        raise FactError(f"{PATH} says {up}, which is no time since a boot")
    return Uptime(up)
