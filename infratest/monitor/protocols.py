"""What the monitor's loop is given, as it asks for it: what is watched, and who takes in, sends on and heals.

The loop knows no more of these than stands here, so that a test can stand in for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from infratest.alerting.moments import Moment
from infratest.alerting.owed import Receiver, Route
from infratest.alerting.subject import Subject
from infratest.model import Result
from infratest.monitor.book import Book
from infratest.monitor.crew import Errand, Findings
from infratest.monitor.sending import Figures
from infratest.stack.monitor import Heartbeat
from infratest.store.events import Event


class Intaking(Protocol):
    """What comes from outside (`taking.Taking`)."""

    def take(self, book: Book, now: Moment) -> None:
        """Put all that came since the turn before into the book."""

    def ended(self, kept: bool) -> None:
        """The turn has ended, and what it took is written, or is not."""


class Heals(Protocol):
    """Heals what is found (`healing.Healing`)."""

    def see(self, looked: Iterable[tuple[Result, float]], book: Book, now: Moment) -> None:
        """Take in what was looked at, each with when that was in seconds since the epoch; in every turn."""


class Outgoing(Protocol):
    """What other tools are sent (`sending.Sending`)."""

    def watch(self, watched: Any) -> None:
        """Send what is watched from now on, by the senders that there are now."""

    def offer(self, looked: Sequence[tuple[Result, float]], came: Sequence[Event]) -> None:
        """Have all that was seen sent, waiting for nobody."""

    def results(self) -> Sequence[Result]: ...
    def figures(self) -> Mapping[str, Figures]: ...
    def losses(self, now: float, wall: float) -> list[Event]: ...


class Watches(Protocol):
    """What is watched (`watched.Watched`)."""

    @property
    def subjects(self) -> Sequence[Subject]: ...
    @property
    def routes(self) -> Sequence[Route]: ...
    @property
    def receivers(self) -> Iterable[Receiver]: ...
    @property
    def heartbeats(self) -> Mapping[str, Heartbeat]: ...
    @property
    def place(self) -> str: ...
    @property
    def left(self) -> Mapping[str, str]: ...
    @property
    def seconds(self) -> float: ...
    def findings(self, now: float) -> Sequence[Result]: ...
    def unit(self, id: str) -> str: ...
    def look(self, errand: Errand) -> Findings: ...
