"""The heartbeats of a monitor: what was heard of each job, and when it has to be asked next what is so of it.

`alerting.heartbeats` decides; this holds what it is asked with, as the book does for results. Used by one thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from infratest.alerting.due import Agenda
from infratest.alerting.heartbeats import Pulse, Signal, Verdict, advance, expected, looked, of_heartbeat
from infratest.alerting.moments import Moment
from infratest.errors import UnknownName, unknown
from infratest.model import Result
from infratest.stack.monitor import Heartbeat
from infratest.states import OK, SKIPPED

#: Seconds between two looks at most: dates go by the wall clock, and that may be set at any time.
OFTEN = 60.0
#: Seconds by which what was so before a signal is older than it: of two looks at one moment the second is nothing.
BEFORE = 1e-6


class Pulses:
    """What is known of heartbeats, and what of it is not written yet.

    Args:
        pulses: of an earlier life, by name.
    """

    def __init__(self, pulses: Mapping[str, Pulse]) -> None:
        self._pulses = dict(pulses)
        self._declared: Mapping[str, Heartbeat] = {}
        self._agenda = Agenda()
        self._changed: dict[str, Pulse] = {}
        self._found: list[tuple[Moment, Result]] = []

    def expect(self, heartbeats: Mapping[str, Heartbeat], now: Moment) -> None:
        """Expect these from now on, and no others. What was heard of others stays, should they come back."""
        self._agenda.drop(self._declared.keys() - heartbeats.keys())
        self._declared = heartbeats
        for name, heartbeat in heartbeats.items():
            self._keep(name, expected(self._pulses.get(name), heartbeat, now))
            self._agenda.put(name, now.steady)

    def hear(self, name: str, kind: str, at: Moment) -> Verdict:
        """A job was heard of. Return what is so of it now.

        Args:
            kind: one of `alerting.heartbeats.SIGNALS`.
        Raises:
            UnknownName: none of that name is declared. UserError: it is no such signal.
        """
        heartbeat, signal = self._declared.get(name), Signal(at, kind)
        if heartbeat is None:
            raise UnknownName(unknown("heartbeat", name, sorted(self._declared)))
        pulse, before = looked(self._pulses[name], heartbeat, at)
        if before.state not in (OK, SKIPPED):  # it was late, even where nobody looked since its deadline
            self._found.append((replace(at, steady=at.steady - BEFORE), _result(name, before)))
        self._keep(name, advance(pulse, signal, heartbeat))
        return self._look(name, heartbeat, at)

    def looked(self, now: Moment) -> list[tuple[Moment, Result]]:
        """Return what is so of those that were heard of, or are to be asked by now, and at which moment it was."""
        for name in self._agenda.take(now.steady):
            self._look(name, self._declared[name], now)
        found, self._found = self._found, []
        return found

    def next(self) -> float | None:
        """Return when the first is to be asked, in the monitor's own time; None where there is none."""
        return self._agenda.next()

    def taken(self) -> dict[str, Pulse]:
        """Return what is to be written, no longer kept here."""
        changed, self._changed = self._changed, {}
        return changed

    def whole(self) -> dict[str, Pulse]:
        """Return all that is known."""
        return dict(self._pulses)

    def _look(self, name: str, heartbeat: Heartbeat, now: Moment) -> Verdict:
        pulse, seen = looked(self._pulses[name], heartbeat, now)
        self._keep(name, pulse)
        self._found.append((now, _result(name, seen)))
        later = now.steady + OFTEN
        self._agenda.put(name, later if seen.until is None else max(now.steady, min(seen.until, later)))
        return seen

    def _keep(self, name: str, pulse: Pulse) -> None:
        if self._pulses.get(name) != pulse:
            self._pulses[name] = self._changed[name] = pulse


def _result(name: str, seen: Verdict) -> Result:
    return Result(of_heartbeat(name), "", f"heartbeat {name}", 0, "-", seen.state, seen.reason)
