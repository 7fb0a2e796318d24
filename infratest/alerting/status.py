"""What is remembered of one result, and `advance`: what one event makes of it. Pure; called by the monitor.

Two things are counted apart. *Failure*: warning and critical looks fill a window, and enough of them in it make the
failure hard; so many greens in a row end it. *Not knowing*: unknown and blocked looks in a row, or none at all for too
long, make it hard that nothing is known. Neither confirms nor heals the other: the state is the worse of the two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from infratest.alerting.moments import Moment
from infratest.alerting.policy import Policy
from infratest.errors import UserError
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WAIVED, WARNING, WORST_FIRST, worst


@dataclass(frozen=True, slots=True)
class Look:
    """A result came in.

    Args:
        at: when it was looked at. state: of the result. blocked_by: the id of what stood in its way. final: hard at
        once, as where the provider says that the host is gone. reason: in one line.
    """

    at: Moment
    state: str
    blocked_by: str | None = None
    final: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed, and nothing came."""

    at: Moment


@dataclass(frozen=True, slots=True)
class Restart:
    """The monitor runs again: from now on a result that does not come is missing, and not before."""

    at: Moment


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Somebody has it. seconds: how long that holds; None until it has recovered."""

    at: Moment
    by: str
    comment: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Unacknowledge:
    """Nobody has it any longer."""

    at: Moment


Event = Look | Tick | Restart | Acknowledge | Unacknowledge


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who has a problem, since when and until when (in the monitor's own time; None until recovery).

    Args:
        state: what it was when it was acknowledged. What gets worse than that is not covered.
    """

    at: Moment
    by: str
    comment: str
    until: float | None
    state: str

    def covers(self, state: str) -> bool:
        """Whether a state is no worse than the one that was acknowledged."""
        return WORST_FIRST.index(state) >= WORST_FIRST.index(self.state)


@dataclass(frozen=True, slots=True)
class Status:
    """What is remembered of one result.

    Args:
        since: when the hard state began. watched: since when results are expected, in the monitor's own time.
        failure: the hard failure, `ok` where there is none. unknown: whether it is hard that nothing is known.
        seen, looked, blocked_by, reason: of the newest look. window: which of the newest looks failed, the oldest
        first. greens, blanks: in a row at the end: those that held, those that said nothing. turned: when the newest
        look's state was first seen in a row, confirmed or not.
        opened: when the problem began, None without one. trouble: the newest hard state that was not ok.
        changes: when the hard state changed, in the monitor's own time, the newest few. unstable: since when it flaps.
        ack: who has it. lapsed: when an acknowledgement ended by time, in the monitor's own time.
    """

    since: Moment
    watched: float
    failure: str = OK
    unknown: bool = False
    seen: str | None = None
    looked: float | None = None
    blocked_by: str | None = None
    reason: str = ""
    window: tuple[bool, ...] = ()
    greens: int = 0
    blanks: int = 0
    turned: Moment | None = None
    opened: Moment | None = None
    trouble: str = OK
    changes: tuple[float, ...] = ()
    unstable: Moment | None = None
    ack: Acknowledgement | None = None
    lapsed: float | None = None

    @property
    def state(self) -> str:
        """The hard state."""
        return worst((self.failure, UNKNOWN)) if self.unknown else self.failure

    @property
    def soft(self) -> bool:
        """Whether the newest look is not confirmed: another one soon would say more."""
        if self.seen in (None, SKIPPED):
            return False
        if self.seen in (OK, WAIVED):
            return self.state != OK
        if self.seen == UNKNOWN:
            return not self.unknown
        return self.unknown or self.seen != self.failure

    @property
    def pending(self) -> bool:
        """Whether it was never seen to hold, and is not confirmed not to: the `ok` it begins with is nobody's."""
        held = self.greens or False in self.window or self.trouble != OK or self.seen in (OK, WAIVED)
        return self.state == OK and self.seen not in (None, SKIPPED) and not held

    def stale(self, policy: Policy, now: Moment) -> bool:
        """Whether what is known of it is too old to say what is so."""
        last = self.watched if self.looked is None else max(self.watched, self.looked)
        return now.steady - last >= policy.freshness


def begun(at: Moment) -> Status:
    """Return the status of what is watched from now on: nothing is known, and for a while nothing need be."""
    return Status(since=at, watched=at.steady)


def advance(status: Status, event: Event, policy: Policy) -> Status:
    """Return what an event makes of a status; the very same object where that is nothing.

    A look that is no newer than the newest one is nothing: it was counted, or is overtaken.

    Raises:
        UserError: there is nothing to acknowledge, or no acknowledgement to take back.
    """
    if isinstance(event, Look) and status.looked is not None and event.at.steady <= status.looked:
        return status
    before = _after_time(status, event.at, policy)
    match event:
        case Look():
            return _changed(before, _after_look(before, event, policy), event.at, policy)
        case Tick():
            return _changed(before, _after_nothing(before, event.at, policy), event.at, policy)
        case Restart():
            return replace(before, watched=event.at.steady)
        case Acknowledge():
            return _acknowledged(before, event)
        case Unacknowledge():
            if before.ack is None:
                raise UserError("unack: it is not acknowledged")
            return replace(before, ack=None)


def _after_time(status: Status, at: Moment, policy: Policy) -> Status:
    """Return a status in which what ends by time has ended."""
    if status.ack is not None and status.ack.until is not None and at.steady >= status.ack.until:
        status = replace(status, ack=None, lapsed=at.steady)
    if status.unstable is not None:
        calm = policy.flap.calm if policy.flap is not None else 0.0
        if not status.changes or at.steady - status.changes[-1] >= calm:
            status = replace(status, unstable=None, changes=())
    return status


def _after_nothing(status: Status, at: Moment, policy: Policy) -> Status:
    return replace(status, unknown=True, greens=0) if not status.unknown and status.stale(policy, at) else status


def _after_look(status: Status, look: Look, policy: Policy) -> Status:
    """Return a status with a look counted."""
    newest: dict[str, Any] = {"looked": look.at.steady, "blocked_by": look.blocked_by, "reason": look.reason}
    seen, blocked = UNKNOWN if look.blocked_by is not None else look.state, status.blocked_by is not None
    as_before = (status.seen, blocked) == (seen, look.blocked_by is not None)
    # What an earlier version kept has no such time.
    newest["turned"] = (status.turned or status.opened or look.at) if as_before else look.at
    if look.state == SKIPPED:
        return replace(status, **newest, seen=look.state)
    if look.blocked_by is not None or look.state == UNKNOWN:
        blanks = min(status.blanks + 1, policy.attempts.of)
        unknown = status.unknown or look.final or blanks >= policy.attempts.failures
        return replace(status, **newest, seen=UNKNOWN, greens=0, blanks=blanks, unknown=unknown)
    window = (*status.window, look.state in (WARNING, CRITICAL))[-policy.attempts.of :]
    if look.state in (WARNING, CRITICAL):
        status = replace(status, **newest, seen=look.state, window=window, greens=0, blanks=0)
        if look.final or status.failure != OK or sum(window) >= policy.attempts.failures:
            return replace(status, failure=look.state, unknown=False)
        return status
    greens = min(status.greens + 1, policy.recover)
    status = replace(status, **newest, seen=look.state, window=window, greens=greens, blanks=0)
    if status.state != OK and (look.final or greens >= policy.recover):
        return replace(status, failure=OK, unknown=False, window=())
    return status


def _changed(before: Status, after: Status, at: Moment, policy: Policy) -> Status:
    """Return a status with what follows from a change of the hard state, where there is one."""
    state = after.state
    if state == before.state:
        return after
    after = replace(after, since=at)
    if state == OK:
        after = replace(after, opened=None, ack=None, lapsed=None)
    else:
        after = replace(after, opened=after.opened or at, trouble=state)
    if policy.flap is None:
        return after
    changes = (*after.changes, at.steady)[-policy.flap.changes :]
    flaps = len(changes) == policy.flap.changes and at.steady - changes[0] <= policy.flap.within
    return replace(after, changes=changes, unstable=after.unstable or (at if flaps else None))


def _acknowledged(status: Status, event: Acknowledge) -> Status:
    if status.state == OK:
        raise UserError(
            f"ack: it is {OK}, newest look {status.seen or 'none'}: there is no hard problem to acknowledge"
        )
    until = None if event.seconds is None else event.at.steady + event.seconds
    ack = Acknowledgement(event.at, event.by, event.comment, until, status.state)
    return replace(status, ack=ack, lapsed=None)
