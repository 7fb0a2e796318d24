"""What a monitor has to write: all that changed between two commits. Values; made by the book, written by the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infratest.alerting.downtime import Downtime
from infratest.alerting.heartbeats import Pulse
from infratest.alerting.ledger import Entry
from infratest.alerting.moments import Moment
from infratest.alerting.owed import Withheld
from infratest.alerting.status import Status
from infratest.model import Result
from infratest.store.database.changes import Change
from infratest.store.database.ledger import Delivery
from infratest.store.database.people import Note, Pause
from infratest.store.events import Event

#: Numbers, changes and deliveries, each, that wait at most while nothing can be written.
MOST = 100_000


@dataclass(frozen=True, slots=True)
class Number:
    """One number that was seen, of which the result says on what. time: seconds since the epoch."""

    result: Result
    name: str
    unit: str
    time: float
    value: float


@dataclass
class Changes:
    """All that is to be written together, or not at all.

    Args:
        statuses, entries: what they are now; None for those that are no more. changes: of hard states. deliveries:
        what became of notices. sent: when receivers were sent their newest message, in the monitor's own time.
        withheld: at each moment at which it changed, everything that is not told, and why. pulses, downtimes, pauses:
        of heartbeats, what is planned and what is paused, by name; None for those that are no more. notes: in history.
        events: numbers that came from outside.
    """

    statuses: dict[str, Status | None] = field(default_factory=dict)
    entries: dict[tuple[str, str], Entry | None] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    withheld: list[tuple[Moment, tuple[Withheld, ...]]] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    sent: dict[str, float] = field(default_factory=dict)
    pulses: dict[str, Pulse] = field(default_factory=dict)
    downtimes: dict[str, Downtime | None] = field(default_factory=dict)
    pauses: dict[str, Pause | None] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def behind(self, older: Changes) -> Changes:
        """Return these with what is older before them, as where that could not be written.

        Of what is only appended no more than MOST are kept: a disk that is full for long must not fill the memory.
        """
        made = Changes()
        for name, value in vars(made).items():
            first, second = getattr(older, name), getattr(self, name)
            if isinstance(value, dict):
                value.update(first)
                value.update(second)
            else:
                value.extend([*first, *second][-MOST:])
        return made

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        parts: tuple[Mapping[object, object] | list[object], ...] = tuple(vars(self).values())
        return any(parts)
