"""What a monitor hands to its heal engine at once: looks, those that newer ones have overtaken among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from infratest import rfc3339
from infratest.model import Report, Result
from infratest.monitor.ruled import Ruled
from infratest.monitor.uncounted import Look
from infratest.monitor.watched import Watched


@dataclass(frozen=True)
class Work:
    """What the engine is to attend to.

    Args:
        seen: by when it was looked at (seconds since the epoch), the results. before: looks that newer ones of theirs
        have overtaken: they are counted alone. ruled: what there is a rule for.
    """

    watched: Watched
    seen: Mapping[float, Sequence[Result]]
    before: Sequence[Look]
    ruled: Ruled

    @property
    def looks(self) -> Iterator[Look]:
        """All looks, the newest of each id at the end."""
        yield from self.before
        yield from ((result, at) for at, results in self.seen.items() for result in results)

    @property
    def overtaken(self) -> list[Report]:
        """Return the looks that are counted alone as reports, the oldest first."""
        seen: dict[float, list[Result]] = {}
        for result, at in self.before:
            seen.setdefault(at, []).append(result)
        return [self.report(at, seen[at]) for at in sorted(seen)]

    def report(self, at: float, results: Sequence[Result]) -> Report:
        """Return what was looked at at one time as a report."""
        stack = self.watched.session.stack
        return Report(stack.name, stack.env, rfc3339.written(at), 0.0, results)
