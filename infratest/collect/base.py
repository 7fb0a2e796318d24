"""The contract of what asks for facts: the collector of many hosts, or of this machine alone. For type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from infratest.collect.asked import Batch, Ended, Facts
    from infratest.deadline import Deadline
    from infratest.facts.base import Need
    from infratest.model import Cost


class MakesTrips(Protocol):
    """What asks batches, and hands them over as they end."""

    def begin(self, batch: Batch, needs: Iterable[Need], deadline: Deadline) -> None:
        """Have a batch asked: what is needed of a host, or one need from the controller."""

    def ended(self, seconds: float | None) -> Ended | None:
        """Return the next batch that is complete; where none is within these seconds, None."""


class Collects(Protocol):
    """What asks for facts, again and again, until it is closed."""

    @property
    def cost(self) -> Cost:
        """What it has cost so far."""

    def trips(self, places: int) -> MakesTrips:
        """Return what asks so many batches at a time, for one caller."""

    def collect(self, needs: Mapping[str, Iterable[Need]], deadline: Deadline) -> Facts:
        """Ask everything once and return what came back."""

    def close(self) -> None:
        """Let go of what it holds."""
