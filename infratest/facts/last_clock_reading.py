"""The fact `last-clock-reading`: what a host's clock showed after all else was asked. It has no argument."""

from __future__ import annotations

from infratest.facts._clock_reading import ReadsClock


class LastClockReadingFact(ReadsClock):
    """Clocks of hosts, read at the end."""

    turn = 2
