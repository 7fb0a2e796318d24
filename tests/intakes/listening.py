"""An intake that really listens, on a free port of the loopback, and what came of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infratest.intakes._arrivals import Arrivals
from infratest.intakes.base import House, Intake, opened
from infratest.store.events import Event

#: Seconds within which what is sent has come, on a machine that is busy.
LONG = 60.0


class Listening:
    """One intake and its arrivals."""

    def __init__(self, intake: Intake, house: House) -> None:
        self.intake, self.house, self.arrivals = intake, house, house.arrivals
        self.port = intake.port
        self.events: list[Event] = []
        self.signals: list[tuple[str, str]] = []
        self.writes = True

    def until(self, seen: Callable[[Listening], bool]) -> None:
        """Take what comes until something is so."""
        end = time.monotonic() + LONG
        while not seen(self):
            assert time.monotonic() < end, (self.events, self.arrivals.refusals)
            self.take()
            time.sleep(0.01)
        self.take()

    def take(self) -> None:
        taken = self.arrivals.take()
        self.events += taken.events
        self.signals += taken.signals
        for ticket in taken.tickets:
            ticket.end(kept=self.writes)

    def keep(self, ended: threading.Event) -> None:
        """Take what comes, as a monitor does with each turn, until it is ended."""
        while not ended.wait(0.002):
            self.take()

    @property
    def numbers(self) -> dict[str, float | str]:
        return {event.key: event.value for event in self.events}


@contextmanager
def listening(kind: str, options: dict[str, Any] | None = None, **house: Any) -> Iterator[Listening]:
    """Give an intake that listens."""
    given = {"address": "127.0.0.1:0", **(options or {})}
    folder = Path(house.pop("folder", "/"))
    made = opened(kind, given, f"stack.yaml:9: monitor.listen.{kind}", folder)
    shown = House(house.pop("arrivals", None) or Arrivals(), **house)
    made.open(shown)
    here, ended = Listening(made, shown), threading.Event()
    thread = threading.Thread(target=here.keep, args=(ended,))
    if kind == "http":  # whose senders wait until it is written
        thread.start()
    try:
        yield here
    finally:
        ended.set()
        if kind == "http":
            thread.join()
        made.close()
