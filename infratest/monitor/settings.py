"""How scenarios are watched, changed for a trial: `attempts=5` or `flap.changes=6` instead of the stack file's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from infratest.alerting.subject import Subject
from infratest.errors import UserError, unknown
from infratest.monitor.watched import Watched
from infratest.plan.subjects import own, policy, subjects
from infratest.stack.monitor import Flapping, Monitor
from infratest.stack.monitor_schema import OFF
from infratest.units import duration

_ATTEMPTS = re.compile(r"(?P<failures>[0-9]{1,9})(?:/(?P<of>[0-9]{1,9}))?")


def changed(said: Monitor, settings: Iterable[str]) -> Monitor:
    """Return what a stack file says of its monitor, with these settings in place of its own.

    Args:
        settings: `KEY=VALUE` each, a later one in place of an earlier one.
    Raises:
        UserError: one is none of these, or together they cannot be.
    """
    listed = list(settings)
    for text in listed:
        key, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"--set {text!r}: write KEY=VALUE, as --set attempts=5")
        if key not in KEYS:
            raise UserError(f"--set {text!r}: {unknown('key', key, list(KEYS))}")
        try:
            said = KEYS[key](said, value)
        except UserError as error:
            raise UserError(f"--set {text!r}: {error}") from None
    try:
        policy(said)
    except UserError as error:
        raise UserError(f"--set {' '.join(listed)}: {error}") from None
    return said


def tried(watched: Watched, said: Monitor) -> tuple[Subject, ...]:
    """Return what is watched, as another `monitor:` has it watched. A scenario's own tags stay."""
    plan = watched.prepared.plan
    other = {each.id: each for each in (*subjects(plan, said), *own(said))}
    return tuple(other.get(each.id, each) for each in watched.subjects)


def differing(before: Sequence[Subject], after: Sequence[Subject]) -> frozenset[str]:
    """Return the ids of what would have been looked at at other times than it was."""
    intervals = {each.id: each.policy.interval for each in before}
    return frozenset(each.id for each in after if intervals.get(each.id) != each.policy.interval)


def _number(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise UserError(f"{value!r} is no whole number")
    return int(value)


def _attempts(said: Monitor, value: str) -> Monitor:
    found = _ATTEMPTS.fullmatch(value)
    if found is None:
        raise UserError(f"{value!r} is neither a whole number nor, as 3/5, so many failures of so many looks")
    failures = int(found["failures"])
    return replace(said, failures=failures, of=int(found["of"] or failures))


def _flap(said: Monitor, value: str) -> Monitor:
    if value != OFF:
        raise UserError(f"{value!r} is not {OFF}; a part of it is flap.changes, flap.within or flap.calm")
    return replace(said, flap=None)


def _flapping(said: Monitor) -> Flapping:
    return said.flap or Flapping()


#: Key -> what makes it so.
KEYS: dict[str, Callable[[Monitor, str], Monitor]] = {
    "interval": lambda said, value: replace(said, interval=duration(value)),
    "retry": lambda said, value: replace(said, retry=duration(value)),
    "attempts": _attempts,
    "attempts.failures": lambda said, value: replace(said, failures=_number(value)),
    "attempts.of": lambda said, value: replace(said, of=_number(value)),
    "recover": lambda said, value: replace(said, recover=_number(value)),
    "stale": lambda said, value: replace(said, stale=_number(value)),
    "flap": _flap,
    "flap.changes": lambda said, value: replace(said, flap=replace(_flapping(said), changes=_number(value))),
    "flap.within": lambda said, value: replace(said, flap=replace(_flapping(said), within=duration(value))),
    "flap.calm": lambda said, value: replace(said, flap=replace(_flapping(said), calm=duration(value))),
}
