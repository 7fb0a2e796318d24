"""The fact `clock-reading`: what a host's clock showed before all else was asked. It has no argument."""

from __future__ import annotations

from infratest.facts._clock_reading import ReadsClock


class ClockReadingFact(ReadsClock):
    """Clocks of hosts, read at the beginning."""

    turn = -1
