"""How the time of a run is shared out among its results, for readers that add up times. Pure.

A result's duration says how long it took until it was known. Checks are asked together, so their durations overlap,
and their sum is many times the time that passed. Called by the outputs and faces that give each result a time.
"""

from __future__ import annotations

from infratest.model import Report


def shares(report: Report) -> dict[str, float]:
    """Return each result's part of the run's time, in seconds, by id; together they are no longer than the run.

    What cannot have run one after the other ran together: the shortest, as many as it takes.
    """
    ordered = sorted(report.results, key=lambda result: result.duration)
    together, left = 0, sum(result.duration for result in ordered)
    beside = 0.0  # the durations of those that ran together
    for place, result in enumerate(ordered):
        if (ordered[place - 1].duration if place else 0.0) + left <= report.duration + 0.0005:
            break
        left -= result.duration
        beside += result.duration
        together = place + 1
    took = min(ordered[together - 1].duration, report.duration) if together else 0.0
    part = took / beside if beside else 1.0
    return {result.id: result.duration * (part if place < together else 1.0) for place, result in enumerate(ordered)}
