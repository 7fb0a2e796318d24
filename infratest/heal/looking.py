"""How the heal engine looks again: at one scenario, at it until it holds, at a group, at all that waits on a host."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from math import inf

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InfratestError
from infratest.heal.gates import Seen, Stored
from infratest.heal.means import Means
from infratest.model import Report, Result
from infratest.states import OK, UNKNOWN

#: Seconds between two looks while a remedy is given time to take effect; they grow by half each time.
FIRST_LOOK, LONGEST_PAUSE = 0.2, 2.0
#: Seconds for which what was seen beside another result is good enough, where nothing was done since.
AHEAD = 30.0


class Looks:
    """What one run of the engine knows of the stack: the report, what was stored before, and what it sees since."""

    def __init__(self, report: Report, means: Means, history: Mapping[str, Stored]) -> None:
        self._report = report
        self._means = means
        self._history = dict(history)
        self._acted_on: set[str] = set()
        #: What was seen of results that are yet to be attended to, and when, since the last act.
        self._ahead: dict[str, tuple[float, Result]] = {}

    def _acts_on(self, host: str) -> None:
        """Take note that something is about to be done to a host: what was seen before is no longer good enough."""
        self._acted_on.add(host)
        self._ahead.clear()

    def _look_until(self, result: Result, deadline: Deadline, cut: bool = False) -> Result:
        """Run a scenario again until it holds, or the deadline. Args: cut: it is not run once more after that."""
        pause, after = FIRST_LOOK, self._look(result)
        while not well(after) and not deadline.passed:
            time.sleep(min(pause, deadline.left))
            pause = min(pause * 1.5, LONGEST_PAUSE)
            if not cut or not deadline.passed:
                after = self._look(result)
        return after

    def _why_not_well(self, result: Result, settle: float, deadline: Deadline) -> str:
        """Return why a scenario does not hold, looked at for so many seconds until it may; empty where it does."""
        after = self._look_until(result, deadline.at_most(settle))
        return "" if well(after) else clean(after.reason, 500) or f"it is {after.state}"

    def _look_at_group(self, result: Result) -> None:
        """Run again what is known of the hosts that share a group with one, and of itself."""
        hosts = self._means.hosts
        groups = set(hosts[result.host].groups) if result.host in hosts else set()
        near = {name for name, host in hosts.items() if not groups or groups & set(host.groups)}
        features = {one.feature for one in self._report.results}
        ids = [id for id, one in self._history.items() if one.host in near and id.partition("#")[0] in features]
        try:
            report = self._means.rerun(ids)
        except InfratestError:
            return  # what was not seen since the act is not known: the gates refuse
        now = self._means.clock()
        for again in report.results:
            self._history[again.id] = seen(again, now)

    def _look(self, result: Result) -> Result:
        """Run one scenario again; what cannot be seen is unknown."""
        return self._look_at(result, ())

    def _look_at(self, result: Result, behind: Sequence[str]) -> Result:
        """Run one scenario again, and others beside it, which are kept for when their turn comes."""
        began = self._means.clock()
        try:
            report = self._means.rerun([result.id, *behind])
        except InfratestError as error:
            return _unseen(result, f"could not be run again: {clean(str(error))}")
        found = {one.id: one for one in report.results}
        again = found.get(result.id)
        if again is None:
            again = _unseen(result, f"was not run again: {clean(report.problem) or 'no such scenario now'}")
        self._history[result.id] = seen(again, self._means.clock())
        self._ahead.update((id, (began, found[id])) for id in behind if id in found)
        return again

    def _looked_again(self, result: Result, behind: Sequence[str]) -> tuple[float, Result]:
        """Return a result as it is now, and when it was looked at.

        An act on a host may have mended all that was wrong there: those that are attended to later are looked at in
        the same run, and not again unless something was done or time went by in between.
        """
        now = self._means.clock()
        at, again = self._ahead.pop(result.id, (-inf, result))
        if 0 <= now - at <= AHEAD:
            self._history[result.id] = seen(again, now)
            return at, again
        return now, self._look_at(result, behind if result.host in self._acted_on else ())


def well(result: Result) -> bool:
    """Whether a result is ok and nothing blocks it."""
    return result.state == OK and result.blocked_by is None


def _unseen(result: Result, reason: str) -> Result:
    unseen: Result = result.changed(state=UNKNOWN, reason=reason, steps=())
    return unseen


def seen(result: Result, at: float) -> Seen:
    """Return a result as a stored one."""
    blocked = False if result.blocked_by is None else result.blocked_by
    return Seen(host=result.host, state=result.state, time=at, blocked=blocked, since=result.since)


def overlaid(history: Mapping[str, Stored], report: Report, looked: float) -> dict[str, Stored]:
    """Return the last stored results with this report's over those that are older."""
    last = dict(history)
    for result in report.results:
        if result.id not in last or last[result.id].time <= looked:
            last[result.id] = seen(result, looked)
    return last
