"""The fact `heartbeat`: what a monitor knows of a job that has to be heard of.
Arguments: the state directory, whose store it is, the heartbeat's name.
"""

from __future__ import annotations

from infratest.facts._monitor_store import OfMonitorStore
from infratest.record import Record
from infratest.states import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Heartbeat(Record):
    """What is so of it.

    Args:
        state: ok, critical, or unknown where nothing can be said yet. reason: in the monitor's words.
    """

    state: str
    reason: str = ""

    def in_words(self) -> str:
        return f"on time: {self.reason}" if self.state == OK else self.reason


class HeartbeatFact(OfMonitorStore):
    """Heartbeats of jobs."""

    name = "heartbeat"

    def value(self, **fields: Any) -> Heartbeat:
        return Heartbeat(**fields)
