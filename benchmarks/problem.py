"""The one error of the benchmarks: a measurement that could not be taken, with why."""

from __future__ import annotations


class BenchError(Exception):
    """What was tried, on what, and what came of it."""
