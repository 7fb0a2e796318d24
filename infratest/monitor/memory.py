"""What a store has of a monitor's earlier life: values alone, that `keeping` reads and `book` begins with."""

from __future__ import annotations

from dataclasses import dataclass, field

from infratest.alerting.downtime import Downtime
from infratest.alerting.heartbeats import Pulse
from infratest.alerting.ledger import Entry
from infratest.alerting.status import Status
from infratest.model import Result


@dataclass
class Memory:
    """What a store has of an earlier life, and a monitor begins with.

    Args:
        results: the newest of each id that was worth keeping. sent: when each receiver was sent its newest message.
        paused: until when nobody is told anything, in the monitor's own time. pulses: of heartbeats, by name.
    """

    statuses: dict[str, Status] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    sent: dict[str, float] = field(default_factory=dict)
    downtimes: tuple[Downtime, ...] = ()
    paused: float | None = None
    pulses: dict[str, Pulse] = field(default_factory=dict)
