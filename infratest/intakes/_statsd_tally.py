"""What StatsD packets say, added up until the next flush. Pure: no clock, no I/O; called by `statsd`.

Source: https://github.com/statsd/statsd/blob/master/docs/metric_types.md; `name:value|c@rate`, `|ms`, `|g` with signs
for a change, `|s`; several lines a packet. Packets are many: what most of them are (a counter, alone) is seen first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from infratest.intakes._admission import (
    LONG_KEY,
    LONGEST,
    NOT_UNDERSTOOD,
    SERIES,
    Refusal,
    number_of,
    written_number,
)

#: Names that one flush may have; values of one timer whose percentile is known, and of one set; and of all together.
MOST_NAMES, MOST_VALUES, MOST_OF_ALL = 100_000, 10_000, 500_000
#: Gauges that are remembered, for what only says by how much they change.
MOST_GAUGES = 100_000
#: Digits of a whole number that adds up exactly.
EXACT = 15


@dataclass
class Times:
    """Values of one timer since the last flush; `count` with what sampling left out."""

    count: float = 0.0
    number: int = 0
    total: float = 0.0
    values: list[float] = field(default_factory=list)
    least: float = 0.0
    greatest: float = 0.0

    def add(self, value: float, rate: float, room: bool) -> bool:
        """Add a value. room: whether there is any for one more that is remembered. Return whether it is."""
        self.total = number_of(self.total + value)
        self.least = min(self.least, value) if self.number else value
        self.greatest = max(self.greatest, value) if self.number else value
        self.count += 1 / rate
        self.number += 1
        kept = not self.values or (room and len(self.values) < MOST_VALUES)
        if kept:
            self.values.append(value)
        return kept


class Tally:
    """Sums since the last flush."""

    def __init__(self) -> None:
        self.counters: dict[bytes, float] = {}
        self.gauges: dict[bytes, float] = {}
        self.times: dict[bytes, Times] = {}
        self.sets: dict[bytes, set[int]] = {}  # of hashes: members are counted, and may be long
        self._kept = 0  # values of timers, and members of sets
        self._levels: dict[bytes, float] = {}
        self.refusals: Counter[str] = Counter()
        self.metrics = 0

    def take(self, packet: bytes) -> None:
        """Add what a packet says."""
        if packet[-2:] == b"|c":
            name, _, value = packet[:-2].partition(b":")
            if value.isdigit() and len(value) <= EXACT:
                try:
                    # A name that has a line break in it is never one of them.
                    self.counters[name] += int(value)
                    self.metrics += 1
                    return
                except KeyError:
                    pass
        for line in packet.split(b"\n"):
            if line.strip():
                try:
                    self._line(line.rstrip(b"\r"))
                    self.metrics += 1
                except Refusal as refusal:
                    self.refusals[refusal.reason] += 1

    def flushed(self, seconds: float) -> Iterator[tuple[bytes, str, float, str]]:
        """Yield name, what is behind it, number and unit of all since the last flush, and begin anew.

        seconds: how long that was.
        """
        counters, gauges, times, sets = self.counters, self.gauges, self.times, self.sets
        self.counters, self.gauges, self.times, self.sets, self._kept = {}, {}, {}, {}, 0
        for name, count in counters.items():
            yield name, "", count / seconds, ""
            yield name, ".count", count, ""
        for name, value in gauges.items():
            yield name, "", value, ""
        for name, its in times.items():
            yield name, "", its.total / its.number / 1000, "s"
            yield name, ".lower", its.least / 1000, "s"
            yield name, ".upper", its.greatest / 1000, "s"
            yield name, ".upper_90", ninetieth(its.values) / 1000, "s"
            yield name, ".count", its.count, ""
        for name, members in sets.items():
            yield name, "", float(len(members)), ""

    def _line(self, line: bytes) -> None:
        name, colon, rest = line.partition(b":")
        parts = rest.split(b"|")
        if not colon or not name or len(parts) not in (2, 3):
            raise Refusal(NOT_UNDERSTOOD)
        if len(name) > LONGEST:
            raise Refusal(LONG_KEY)
        value, kind, rate = parts[0], parts[1], _rate(parts[2:])
        if kind == b"c":
            self._known(self.counters, name)
            self.counters[name] = number_of(self.counters.get(name, 0) + written_number(value) / rate)
        elif kind == b"g":
            self._gauge(name, value)
        elif kind == b"ms":
            number = written_number(value)
            self._known(self.times, name)
            self._kept += self.times.setdefault(name, Times()).add(number, rate, self._kept < MOST_OF_ALL)
        elif kind == b"s" and 0 < len(value) <= LONGEST:
            self._known(self.sets, name)
            self._member(name, hash(value))
        else:
            raise Refusal(NOT_UNDERSTOOD)

    def _member(self, name: bytes, member: int) -> None:
        members = self.sets.get(name, set())
        if member not in members:
            if len(members) >= MOST_VALUES or self._kept >= MOST_OF_ALL:
                raise Refusal(SERIES)
            members.add(member)
            self.sets[name], self._kept = members, self._kept + 1

    def _gauge(self, name: bytes, value: bytes) -> None:
        number = written_number(value)
        self._known(self.gauges, name)
        if value[:1] in (b"+", b"-"):
            number = number_of(number + self._levels.get(name, 0.0))
        if name not in self._levels and len(self._levels) >= MOST_GAUGES:
            del self._levels[next(iter(self._levels))]
        self._levels[name] = self.gauges[name] = number

    def _known(self, those: dict[bytes, float] | dict[bytes, Times] | dict[bytes, set[int]], name: bytes) -> None:
        """Raise Refusal where a name is new and there are too many."""
        if name in those:
            return
        if len(self.counters) + len(self.gauges) + len(self.times) + len(self.sets) >= MOST_NAMES:
            raise Refusal(SERIES)


def ninetieth(values: list[float]) -> float:
    """Return the greatest of the least nine tenths of some values: StatsD's `upper_90`."""
    listed = sorted(values)
    return listed[max(0, round(len(listed) * 0.9) - 1)]


def _rate(parts: list[bytes]) -> float:
    """Return which share of all was sent. Raises Refusal: it is none."""
    if not parts:
        return 1.0
    if parts[0][:1] != b"@":
        raise Refusal(NOT_UNDERSTOOD)
    rate = written_number(parts[0][1:])
    if not 1e-9 <= rate <= 1:
        raise Refusal(NOT_UNDERSTOOD)
    return rate
