"""The fact `monitor`: whether the monitor of a state directory runs, and how it does, asked by its socket.
Arguments: the state directory, stack and environment that it has to be of.
"""

from __future__ import annotations

from infratest.facts._monitor_store import OfMonitorStore
from infratest.record import Record
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Monitor(Record):
    """How it does.

    Args:
        alive: whether it answers. reason: why not. age: seconds since the end of its newest cycle whose results are in
        the store. late: seconds that the look which waits longest is late. waiting: looks that wait for somebody.
        unwritten: why what it sees is not kept; empty where it is. overgrown: why its store is not kept within its
        size; empty where it is. dead: receivers that do not take what they are sent.
    """

    alive: bool
    reason: str = ""
    age: float = 0.0
    late: float = 0.0
    waiting: int = 0
    unwritten: str = ""
    overgrown: str = ""
    dead: tuple[str, ...] = ()

    def in_words(self) -> str:
        if not self.alive:
            return f"not alive: {self.reason}"
        return f"alive: its last cycle is {human(self.age, 's')} old"


class MonitorFact(OfMonitorStore):
    """Monitors."""

    name = "monitor"

    def value(self, **fields: Any) -> Monitor:
        return Monitor(**fields)
