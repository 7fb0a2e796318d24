"""Heartbeats: jobs of others that have to be heard of, and what is so of one at a moment. Pure; called by the monitor.

What is heard meets every date up to then. `ok` and `fail` end a run. `start` begins one: where `runs-at-most` says
until when it has to end, nothing is late while it runs; else it says nothing, for who only starts would never be late.
`alive` is a sign of life of what is heard of `every` so often; to a run with dates it says nothing.

Failed, late, running too long and never heard of are told apart: they are mended by other people. What is late stays
so until a run ends, over restarts and clocks that are set: `looked` notes it in the pulse, which the store keeps. Dates
(`at`) go by the wall clock, as people give them; all that lasts goes by the monitor's own time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from infratest import cron
from infratest.alerting.moments import Moment
from infratest.errors import UserError
from infratest.stack.monitor import Heartbeat
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN
from infratest.units import counted, human

START, ENDED, FAIL, ALIVE = "start", "ok", "fail", "alive"
SIGNALS = (START, ENDED, FAIL, ALIVE)

ON_TIME, WAITING, FAILED, LATE = "on time", "waiting", "failed", "late"
NEVER, TOO_LONG = "never heard", "running too long"

#: Seconds by which two machines' clocks may differ: a job that is heard of so little before its date has met it. Of
#: dates that are close, a tenth of what lies between them.
EARLY = 60.0


@dataclass(frozen=True, slots=True)
class Signal:
    """A job was heard of. kind: one of `SIGNALS`."""

    at: Moment
    kind: str

    def __post_init__(self) -> None:
        if self.kind not in SIGNALS:
            raise UserError(f"heartbeat: {self.kind!r} is no signal; send {', '.join(SIGNALS[:-1])} or {SIGNALS[-1]}")


@dataclass(frozen=True, slots=True)
class Pulse:
    """What is remembered of one heartbeat.

    Args:
        schedule, terms: of its declaration, to know when that was changed. watched: since when it is expected.
        heard, last: when it was heard of last, and how. met: when last in a way that meets dates. covered: the time up
        to which all dates are met, in seconds since the epoch. begun, newest, starts: the oldest and the newest start
        without an end, and how many there were. ended, outcome: the newest end, `ok` or `fail`; of what never ended,
        `ok` where it was alive, else empty. missed: since when it is late, in the monitor's own time. delay: seconds by
        which the newest end was late.
    """

    schedule: str
    terms: str
    watched: Moment
    heard: Moment | None = None
    last: str = ""
    met: Moment | None = None
    covered: float = 0.0
    begun: Moment | None = None
    newest: Moment | None = None
    starts: int = 0
    ended: Moment | None = None
    outcome: str = ""
    missed: float | None = None
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is so of a heartbeat at a moment.

    Args:
        state: ok, critical or unknown; skipped while it is not due for the first time, which counts for nothing.
        kind: of those above. since: when it began to be so, in the monitor's own time. until: when it may change
        although nothing is heard, in the monitor's own time; None for never.
    """

    state: str
    kind: str
    reason: str
    since: float
    until: float | None = None


def of_heartbeat(name: str) -> str:
    """Return the id of the result that says how a heartbeat is."""
    return f"monitor#heartbeat/{name}@-"


def expected(pulse: Pulse | None, heartbeat: Heartbeat, at: Moment) -> Pulse:
    """Return a pulse as the monitor begins with it, or goes on after its configuration was read again.

    Args:
        pulse: as it was kept; None of one that is new. Where its dates were changed, it is expected from now on by the
        new ones, and where only what is late was, that is asked anew.
    """
    schedule = f"{heartbeat.at} {heartbeat.zone} {heartbeat.every:g}"
    terms = f"{heartbeat.grace:g} {heartbeat.misses}"
    if pulse is None:
        return Pulse(schedule, terms, at, covered=at.wall)
    if pulse.schedule != schedule:
        return replace(pulse, schedule=schedule, terms=terms, watched=at, met=None, covered=at.wall, missed=None)
    return pulse if pulse.terms == terms else replace(pulse, terms=terms, missed=None)


def advance(pulse: Pulse, signal: Signal, heartbeat: Heartbeat) -> Pulse:
    """Return what a signal makes of a pulse; the very same where an older one than the newest is nothing.

    How it was until then `looked` says, asked before with the signal's moment: what was late is late, even where
    nobody looked between the deadline and a late end.
    """
    at = signal.at
    if pulse.heard is not None and at.steady < pulse.heard.steady:
        return pulse
    before = verdict(pulse, heartbeat, at)
    pulse = replace(pulse, heard=at, last=signal.kind)
    if signal.kind == START:
        # What was never heard of is heard of now; what is late stays so until a run ends.
        missed = before.since if before.kind == LATE else None
        pulse = replace(pulse, begun=pulse.begun or at, newest=at, starts=pulse.starts + 1, missed=missed)
        return pulse if heartbeat.runs_at_most is None else _met(pulse, heartbeat, at, at)
    if signal.kind == ALIVE:
        return replace(pulse, met=at, missed=None, outcome=pulse.outcome or ENDED) if heartbeat.every else pulse
    delay = at.steady - before.since if before.kind in (LATE, NEVER) else 0.0
    pulse = _met(pulse, heartbeat, at, pulse.newest or at)
    ended = replace(pulse, ended=at, outcome=signal.kind, missed=None, delay=delay)
    return replace(ended, begun=None, newest=None, starts=0)


def looked(pulse: Pulse, heartbeat: Heartbeat, now: Moment) -> tuple[Pulse, Verdict]:
    """Return what is so of a heartbeat, and its pulse with that noted: the same where there is nothing to note."""
    pulse = _set_right(pulse, heartbeat, now)
    seen = verdict(pulse, heartbeat, now)
    if seen.kind in (LATE, NEVER) and pulse.missed is None:
        pulse = replace(pulse, missed=seen.since)
    return pulse, seen


def verdict(pulse: Pulse, heartbeat: Heartbeat, now: Moment) -> Verdict:
    """Return what is so of a heartbeat at a moment."""
    limit = None
    if pulse.begun is not None and heartbeat.runs_at_most is not None:
        limit = pulse.begun.steady + heartbeat.runs_at_most
    if limit is not None and now.steady >= limit:
        return Verdict(CRITICAL, TOO_LONG, _too_long(pulse, heartbeat), limit)
    due = _due(_set_right(pulse, heartbeat, now), heartbeat, now)
    missed, until = pulse.missed, limit
    if limit is None:
        until = due.deadline
        if missed is None and now.steady >= due.deadline:
            missed = due.deadline
    if missed is not None:
        kind, state = (NEVER, UNKNOWN) if pulse.heard is None else (LATE, CRITICAL)
        return Verdict(state, kind, _late(pulse, heartbeat, due, missed, now), missed, limit)
    if pulse.outcome == FAIL and pulse.ended is not None:
        return Verdict(CRITICAL, FAILED, _ended(pulse, heartbeat), pulse.ended.steady, until)
    if not pulse.outcome:
        return Verdict(SKIPPED, WAITING, _waiting(pulse, heartbeat, due), pulse.watched.steady, until)
    last = pulse.ended or pulse.met or pulse.watched
    return Verdict(OK, ON_TIME, _ended(pulse, heartbeat), last.steady, until)


@dataclass(frozen=True, slots=True)
class _Due:
    """When it has to be heard of: first by the wall clock, and until when, in the monitor's own time."""

    first: float
    deadline: float


def _due(pulse: Pulse, heartbeat: Heartbeat, now: Moment) -> _Due:
    """Return when it has to be heard of next."""
    if heartbeat.every:
        last = (pulse.met or pulse.watched).steady
        first = now.wall + last + heartbeat.every - now.steady
        return _Due(first, last + heartbeat.misses * heartbeat.every + heartbeat.grace)
    dates = cron.following(heartbeat.at, heartbeat.zone, pulse.covered, heartbeat.misses)
    return _Due(dates[0], now.steady + dates[-1] + heartbeat.grace - now.wall)


def _met(pulse: Pulse, heartbeat: Heartbeat, at: Moment, begun: Moment) -> Pulse:
    """Return a pulse of what was heard of in a way that meets all dates up to then.

    Args:
        begun: when its run began, or it was heard of where nobody knows: that may be a little before its date.
    """
    covered = at.wall
    if heartbeat.at:
        before = cron.newest(heartbeat.at, heartbeat.zone, _minute(begun.wall))
        after = cron.following(heartbeat.at, heartbeat.zone, begun.wall, 1)[0]
        early = EARLY if before is None else min(EARLY, (after - before) / 10)
        covered = max(covered, after) if after - begun.wall <= early else covered
    return replace(pulse, met=at, covered=covered)


def _set_right(pulse: Pulse, heartbeat: Heartbeat, now: Moment) -> Pulse:
    """Return a pulse for a clock that may have been set back since it was heard of: the very same where it was not.

    A date that was met lies ahead then. Where it is near, it is the one that was met, and does not count twice. Where
    more than half the time between two dates has to pass until then, what was heard is of no date that is to come.
    """
    if not heartbeat.at or pulse.covered <= now.wall:
        return pulse
    date = cron.newest(heartbeat.at, heartbeat.zone, _minute(pulse.covered))
    if date is None or date <= now.wall:
        return pulse
    before = cron.newest(heartbeat.at, heartbeat.zone, _minute(date) - 60)
    far = before is not None and date - now.wall > (date - before) / 2
    return replace(pulse, covered=now.wall) if far else pulse


def _minute(wall: float) -> int:
    return int(wall // 60) * 60


def _too_long(pulse: Pulse, heartbeat: Heartbeat) -> str:
    most = human(heartbeat.runs_at_most or 0.0, "s")
    again = f"; it was started {counted(pulse.starts - 1, 'time')} more" if pulse.starts > 1 else ""
    begun = _time(pulse.begun.wall if pulse.begun else 0.0, heartbeat)
    return f"running too long: started {begun}, and no end after {most}{again}"


def _late(pulse: Pulse, heartbeat: Heartbeat, due: _Due, missed: float, now: Moment) -> str:
    # Once it has begun to be late, its deadline stands: what is due next may be another date by now.
    by = due.first if pulse.begun is None else now.wall + missed - now.steady
    when = "due" if pulse.begun is None else "since"
    several = f", {counted(heartbeat.misses, 'time')} in a row" if heartbeat.misses > 1 else ""
    terms = f"{when} {_time(by, heartbeat)}{several}, grace {human(heartbeat.grace, 's')}"
    if pulse.heard is None:
        since = _time(pulse.watched.wall, heartbeat)
        return f"never heard of since it is watched, {since}: {terms}; does the job report to this monitor?"
    runs = f"; runs since {_time(pulse.begun.wall, heartbeat)}" if pulse.begun is not None else ""
    return f"late: {terms}; last heard of {_time(pulse.heard.wall, heartbeat)}, {pulse.last!r}{runs}"


def _ended(pulse: Pulse, heartbeat: Heartbeat) -> str:
    last = pulse.ended or pulse.met or pulse.watched
    words = {FAIL: "failed", ENDED: "ok" if pulse.ended else "alive"}[pulse.outcome]
    delay = f", {human(pulse.delay, 's')} late" if pulse.delay and pulse.ended else ""
    runs = f"; runs since {_time(pulse.begun.wall, heartbeat)}" if pulse.begun is not None else ""
    return f"{words} {_time(last.wall, heartbeat)}{delay}{runs}"


def _waiting(pulse: Pulse, heartbeat: Heartbeat, due: _Due) -> str:
    if pulse.begun is not None:
        return f"runs for the first time, since {_time(pulse.begun.wall, heartbeat)}"
    return f"due for the first time {_time(due.first, heartbeat)}"


def _time(wall: float, heartbeat: Heartbeat) -> str:
    """Return a time as people of the job's own zone read it."""
    local = datetime.fromtimestamp(wall, cron.zone_of(heartbeat.zone))
    return f"{local:%Y-%m-%d %H:%M:%S} ({heartbeat.zone})"
