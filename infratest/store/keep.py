"""What every run leaves in the state directory: its results, its events, and failures in a row."""

from __future__ import annotations

import time

from infratest.errors import StateError
from infratest.store import events, history

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from infratest.model import Report
    from infratest.store.directory import StateDir


def looks(state: StateDir, seen: Sequence[tuple[Report, float]]) -> None:
    """Keep what a monitor that heals has looked at, as `keep` does, but as of when that was.

    All at once, for each writes the whole history: it looks at each host by itself.

    Args:
        seen: reports of one environment, each with when it was looked at, in seconds since the epoch.
    """
    try:
        history.save_all(state, seen, time.time())
        events.append(state, [event for report, _ in seen for event in events.of_report(report)])
    except StateError as error:
        _not_stored(error)


def keep(state: StateDir, report: Report, *, counting: bool, drill: float | None = None) -> None:
    """Keep a report's results and events where the state directory can be written.

    Args:
        counting: count failures in a row too, as every check does and not only one that heals. drill: when a drill
        broke something before this was seen, in seconds since the epoch.
    """
    from infratest.store.failures import record_run

    now = time.time()
    try:
        if counting:
            record_run(state, report, now, drill is not None)
        history.save(state, report, now)
        events.append(state, events.of_report(report, drill))
        if report.trends:
            from infratest.store import readings  # few features ask for a trend

            readings.save(state, report, now)
    except StateError as error:
        # A check must answer from a directory that it may only read; the answer is right without its history.
        _not_stored(error)


def _not_stored(error: StateError) -> None:
    import logging

    logging.getLogger(__name__).info("nothing was stored: %s", error)
