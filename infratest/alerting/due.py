"""When each result is looked at next: `due`, and the agenda that holds many such times. Pure; called by the monitor.

All times are seconds of the monitor's own time, so that a wall clock which is set moves nothing. Looks are on a grid:
each host has its own shift of it, which spreads hosts over the interval and keeps the scenarios of one host together,
who are then asked in one round trip. What was missed while the machine slept is made up for by one look.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import floor
from zlib import crc32

from infratest.alerting.policy import Policy
from infratest.alerting.status import Status

#: Seconds between two looks at a host that hints bring forward: a service that restarts all the time gives one each
#: time.
HINT_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of the looks at one result.

    Args:
        begun: when the newest look began, None before the first. until: when a look that runs is given up; None where
        none runs. hint: when something said last that it may have changed.
    """

    begun: float | None = None
    until: float | None = None
    hint: float | None = None


def due(status: Status, asked: Asked, policy: Policy, host: str, now: float) -> float:
    """Return when a result is to be looked at next; what is not later than now is due.

    A result that was never looked at is due at once. A hint moves a look forward, never back, and says nothing of its
    verdict.

    Args:
        host: its name, by which looks are spread. now: in the monitor's own time.
    """
    if asked.until is not None:
        return asked.until
    times = [each for each in (asked.begun, status.looked) if each is not None]
    if not times:
        return now
    last = min(max(times), now)  # a look of the future is of a store that another machine wrote
    if status.soft:
        later = last + min(policy.retry, policy.interval)
    else:
        later = _on_grid(last, policy.interval, shift(host) * policy.interval)
    if asked.hint is not None and asked.hint > last:
        later = min(later, max(asked.hint, last + HINT_PAUSE))
    return later


def wake(status: Status, policy: Policy) -> float | None:
    """Return when a status changes at the latest although nothing comes, in the monitor's own time; None for never.

    It is then that `advance` is to be asked with a Tick: before, it would return the same.
    """
    times = [] if status.unknown else [max(status.watched, status.looked or status.watched) + policy.freshness]
    if status.ack is not None and status.ack.until is not None:
        times.append(status.ack.until)
    if status.unstable is not None:
        calm = policy.flap.calm if policy.flap is not None else 0.0
        times.append(status.changes[-1] + calm if status.changes else status.unstable.steady)
    return min(times, default=None)


def shift(host: str) -> float:
    """Return a host's place in the interval, from 0 to 1; the same in every run and on every machine."""
    return crc32(host.encode()) / 2**32


def _on_grid(last: float, interval: float, shift: float) -> float:
    """Return the next time of the grid that is at least half an interval after the last one."""
    time = shift + floor((last - shift) / interval) * interval
    while time - last < interval / 2:
        time += interval
    return time


class Agenda:
    """What is due when, of many: a heap in which a time that was moved is passed over once it comes up."""

    def __init__(self) -> None:
        self._times: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._times)

    def put(self, id: str, time: float) -> None:
        """Have an id due at a time, whenever it was due before."""
        if self._times.get(id) != time:
            self._times[id] = time
            heappush(self._heap, (time, id))
            if len(self._heap) > 2 * len(self._times) + 64:
                self._heap = [(time, id) for id, time in self._times.items()]
                heapify(self._heap)

    def drop(self, ids: Iterable[str]) -> None:
        """Have these ids due no more."""
        for id in ids:
            self._times.pop(id, None)

    def time_of(self, id: str) -> float | None:
        """Return when an id is due; None where it is not."""
        return self._times.get(id)

    def next(self) -> float | None:
        """Return when the first is due; None where nothing is."""
        while self._heap and self._times.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, now: float) -> list[str]:
        """Return what is due by now, the longest first, and by id; each is taken out until it is put in again."""
        taken = []
        while (first := self.next()) is not None and first <= now:
            _, id = heappop(self._heap)
            del self._times[id]
            taken.append(id)
        return taken
