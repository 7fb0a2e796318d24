"""What a monitor saw, made by hand for senders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infratest.model import Observation, Result, StepResult
from infratest.monitor.sending import Sending
from infratest.senders.base import Handed, Seen, Sender, Service, opened
from infratest.states import CRITICAL
from infratest.store.events import Event

NOW = 1_796_000_000.0
WHERE = "stack.yaml:9: monitor.send[0]"
#: Seconds that nothing here takes on any machine.
LONG = 60.0
ID = "features/web.feature#nginx-answers@web-1"


def result(state: str = CRITICAL, reason: str = "port 80 is not listening", **fields: Any) -> Result:
    """Return a result of a scenario on web-1 that looked at one number."""
    seen = Observation("disk / used", 71.5, "%", "80", "90", 0, 100)
    step = StepResult('the disk "/" is less than 90 % full', 3, state, reason, (seen,))
    known: dict[str, Any] = {
        "id": ID, "feature": "features/web.feature", "scenario": "nginx answers", "line": 2, "host": "web-1",
        "state": state, "reason": reason, "steps": (step,),
    }  # fmt: skip
    return Result(**{**known, **fields})


class Kept(Sender):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(None, Path())
        self.seen: list[Seen] = []

    def send(self, seen: Sequence[Seen], deadline: object) -> Handed:
        self.seen += seen
        return Handed(len(seen))


def seen(one: Result | None = None, time: float = NOW, service: Service | None = None) -> Seen:
    """Return a result as a monitor of shop/prod gives it to senders."""
    given = one or result()
    made = Sending({}, "shop", "prod")._seen(given, time)
    on = service or Service(given.host, "nginx-answers", (given,))
    return Seen(made.time, made.stack, made.env, made.events, given, on)


def number(key: str, value: float | str = 1.0, time: float = NOW, **labels: str) -> Seen:
    """Return a number that came from outside."""
    return Seen(time, "shop", "prod", (Event(time, key, value, "", {"kind": "metric", **labels}),))


def sender(kind: str, options: Any, folder: Path = Path("/")) -> Sender:
    """Return a sender as a stack file declares it."""
    return opened(kind, options, WHERE, folder)
