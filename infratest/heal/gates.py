"""May this result be healed now? Pure: every gate gets rule, result and situation, and answers with a reason.

The heal engine asks all of them before every single act, and the audit keeps every answer. Where one refuses, nothing
is done; where only `mode` does, the record says what would have been done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import floor, inf
from typing import Protocol

from infratest.hosts import Host
from infratest.model import Result
from infratest.stack.declared import AUTO, OBSERVE, PROPOSE, HealRule
from infratest.states import CRITICAL, UNKNOWN, WARNING
from infratest.store.failures import Row
from infratest.units import human

MODE = "mode"
BUDGET = "budget"
QUALIFY = "qualify"
FRESH = "fresh"
PROOF, TRUST = "proof", "trust"
#: The gates that a person's approval opens.
OPENED_BY_APPROVAL = (PROOF, TRUST, MODE)
#: Seconds that a result may lie in the future, by clocks that differ; beyond that a clock was set back.
AHEAD = 60.0
#: As `Limits.look_again`: whatever its age, a report is looked at again.
ALWAYS = -1.0


class Stored(Protocol):
    """A last stored result, as store/history.py keeps it; `blocked` is anything true where another one blocks it."""

    @property
    def host(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def blocked(self) -> object: ...

    @property
    def time(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A stored result as a value."""

    host: str
    state: str
    time: float
    blocked: bool = False


@dataclass(frozen=True, kw_only=True)
class Try:
    """One try of a rule on a host, from the audit.

    Args:
        until: when it must have ended. ended: its end is on record. verified: it healed. alive: a process of it lives.
    """

    rule: str
    host: str
    time: float
    until: float
    ended: bool = True
    verified: bool = False
    alive: bool = False


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Ages and times in seconds that no rule sets.

    Args:
        report_age: a report older than this is stale. stored_age: a host whose last stored result is older is not
        known. settle: how long a remedy is given until the scenario must hold again. look_again: a report older
        than this is looked at again before acting.
    """

    report_age: float = 600.0
    stored_age: float = 3600.0
    settle: float = 10.0
    look_again: float = 30.0


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Everything that gates may know beside rule and result.

    Args:
        now, looked: seconds since the epoch; looked is when the result was seen. row: its failures in a row.
        hosts: all of the stack, by name. history: the last stored results by id, this run's included.
        tries: of this environment, oldest first. paused: the end of the pause, or None. left: seconds until the whole
        run must end. climbing: the rung before failed in this same run, so no wait is due. acted: when it began; what
        was seen of other hosts before that says nothing of what it did to them. suppressed: why the caller wants
        nothing healed, or empty. drilled: the rule that a drill is about, or empty. production: the stack is. proof:
        whether the rule is proven, and why or why not; trust: how much it may do by the ledger, and why. approved: by
        whom this very act was approved, or empty.
    """

    now: float
    looked: float
    row: Row
    hosts: Mapping[str, Host]
    history: Mapping[str, Stored]
    tries: tuple[Try, ...] = ()
    paused: float | None = None
    left: float = inf
    climbing: bool = False
    acted: float = -inf
    suppressed: str = ""
    drilled: str = ""
    production: bool = False
    proof: tuple[bool, str] = (False, "nobody has looked for its proof")
    trust: tuple[str, str] = (OBSERVE, "nobody has looked into the ledger")
    approved: str = ""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one gate said."""

    name: str
    passed: bool
    reason: str


def gates(rule: HealRule, result: Result, situation: Situation) -> list[Answer]:
    """Return every gate's answer, in their order."""
    return [
        Answer(name=name, passed=passed, reason=reason)
        for name, gate in GATES.items()
        for passed, reason in (gate(rule, result, situation),)
    ]


def refusals(answers: Iterable[Answer]) -> list[Answer]:
    """Return the gates that refused."""
    return [answer for answer in answers if not answer.passed]


def settling_time(rule: HealRule) -> float:
    """Return the seconds due after a heal: a 360th of the window (10 s of 1 h), at most an even share.

    A service that a heal has just brought back is not restarted again while it still starts.
    """
    return waiting_time(rule, 1)


def waiting_time(rule: HealRule, tries: int) -> float:
    """Return the seconds due after so many failed tries: the settling time, doubled each time, at most an even share.

    With 3 tries in 1 h: 10 s, then 20 s.
    """
    return float(min(rule.per / 360 * 2 ** min(tries - 1, 60), rule.per / max(1, rule.tries)))


def _qualify(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if result.blocked_by is not None:
        return False, f"blocked by {result.blocked_by}: what stands in its way must be mended first"
    if result.state == UNKNOWN:
        return False, "the result is unknown, and what is not known is never healed"
    if result.state not in (WARNING, CRITICAL) or result.state != rule.when_state:
        return False, f"the result is {result.state}, the rule is for {rule.when_state}"
    return True, f"the result is {result.state}"


def _fresh(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    age, limit = situation.now - situation.looked, situation.limits.report_age
    if age > limit:
        return False, f"stale: seen {human(age, 's')} ago, at most {human(limit, 's')} is allowed; check again"
    if age < -AHEAD:
        return False, f"seen {human(-age, 's')} in the future: a clock is wrong"
    if situation.row.last > situation.looked:
        return False, f"stale: it was looked at again at {moment(situation.row.last)}, after this result"
    return True, f"seen {human(max(0.0, age), 's')} ago"


def _target(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if not situation.hosts:
        return False, "there is no host to act on: the stack has none"
    if result.host == "-":
        return False, "there is no host to act on: the result is of the whole stack, not of one host"
    if result.host not in situation.hosts:
        return False, f"there is no host to act on: {result.host} is none of the stack"
    return True, f"acts on {result.host} alone"


def _confirm(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    row, wanted = situation.row, max(1, rule.confirm)
    failures = row.failures if row.state == result.state else 0
    return failures >= wanted, f"failure {failures} in a row, {wanted} confirm"


def _suppressed(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if situation.suppressed:
        return False, f"suppressed by the caller ({situation.suppressed}), as in a downtime"
    return True, "not suppressed"


def _pause(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if situation.paused is not None and situation.paused > situation.now:
        return False, f"paused until {moment(situation.paused)}; `infratest heal resume` ends it"
    return True, "not paused"


def _blast_radius(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    host = situation.hosts.get(result.host)
    if host is None:
        return False, f"no group: {result.host} is no host of the stack"
    words = []
    for group in host.groups or ("",):
        passed, reason = _share(rule, group, situation)
        if not passed:
            return False, reason
        words.append(reason)
    return True, "; ".join(words)


def _share(rule: HealRule, group: str, situation: Situation) -> tuple[bool, str]:
    """Judge one group; the empty name is the whole stack, for a host that is in no group."""
    members = sorted(name for name, host in situation.hosts.items() if not group or group in host.groups)
    what = f"group {group}" if group else "the stack"
    oldest = max(situation.now - situation.limits.stored_age, situation.acted)
    fresh: dict[str, list[Stored]] = {name: [] for name in members}
    for stored in situation.history.values():
        if stored.host in fresh and oldest <= stored.time <= situation.now + AHEAD:
            fresh[stored.host].append(stored)
    silent = [name for name in members if not fresh[name]]
    if silent:
        age = human(situation.limits.stored_age, "s")
        than = f"younger than {age}" if situation.acted == -inf else "since the rung before"
        return False, f"{what}: no stored result {than} of {_names(silent)}: check the whole group"
    bad = {CRITICAL, UNKNOWN, rule.when_state}
    sick = [name for name in members if any(stored.blocked or stored.state in bad for stored in fresh[name])]
    allowed = max(1, floor(rule.at_most * len(members) + 1e-9))
    words = f"{what}: {len(sick)} of {len(members)} sick ({_names(sick)}), at most {allowed} may be"
    return len(sick) <= allowed, words


def _floor(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    """Count the hosts of the group that are known to be well; the one that is healed is not among them."""
    if rule.keep is None:
        return True, "no `keep:`"
    least, group = rule.keep
    members = [n for n, host in situation.hosts.items() if group in host.groups and n != result.host]
    oldest = max(situation.now - situation.limits.stored_age, situation.acted)
    known: dict[str, list[Stored]] = {name: [] for name in members}
    for stored in situation.history.values():
        if stored.host in known and oldest <= stored.time <= situation.now + AHEAD:
            known[stored.host].append(stored)
    bad = {CRITICAL, UNKNOWN, rule.when_state}
    well = [n for n in members if known[n] and not any(one.blocked or one.state in bad for one in known[n])]
    words = f"{len(well)} other hosts of group {group} are known to be well, {least} must stay"
    return len(well) >= least, words


def _concurrency(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    for attempt in situation.tries:
        if attempt.host != result.host or attempt.ended:
            continue
        if attempt.alive:
            return False, f"rule {attempt.rule} began on {attempt.host} at {moment(attempt.time)} and its process lives"
        if attempt.until > situation.now:
            return False, (
                f"rule {attempt.rule} began on {attempt.host} at {moment(attempt.time)} and no end is on record; "
                f"it counts as running until {moment(attempt.until)}"
            )
    return True, f"nothing else acts on {result.host}"


def _budget(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    used = len(_spent(rule, result, situation))
    words = f"{used} of {rule.tries} tries in {human(rule.per, 's')} are used on {result.host}"
    return used < rule.tries, words


def begins_again(rule: HealRule, result: Result, situation: Situation) -> float | None:
    """Return when a rule that has given up tries again: as a try leaves the window. None where it never does."""
    spent = sorted(attempt.time for attempt in _spent(rule, result, situation))
    return spent[-rule.tries] + rule.per if 0 < rule.tries <= len(spent) else None


def _wait(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    spent, healed = _spent(rule, result, situation), _healed(rule, result, situation)
    if situation.climbing:
        return True, "no wait is due"
    failed_due = max((attempt.time for attempt in spent), default=-inf) + waiting_time(rule, len(spent))
    healed_due = max((attempt.time for attempt in healed), default=-inf) + settling_time(rule)
    if situation.now < max(failed_due, healed_due):
        after = f"try {len(spent)}" if failed_due > healed_due else "the last heal"
        return False, f"settling after {after}: the next one not before {moment(max(failed_due, healed_due))}"
    return True, "no wait is due" if not spent and not healed else "the wait since the last try is over"


def _spent(rule: HealRule, result: Result, situation: Situation) -> list[Try]:
    """Return the tries that the budget counts: those that did not heal."""
    return [attempt for attempt in _in_window(rule, result, situation) if not attempt.verified]


def _healed(rule: HealRule, result: Result, situation: Situation) -> list[Try]:
    return [attempt for attempt in _in_window(rule, result, situation) if attempt.verified]


def flapping(rule: HealRule, result: Result, situation: Situation) -> int:
    """Return how often the rule has healed this host in its window, where that is as often as its budget; else 0."""
    times = len(_healed(rule, result, situation))
    return times if times >= max(1, rule.tries) else 0


def _in_window(rule: HealRule, result: Result, situation: Situation) -> list[Try]:
    # A try that lies in the future (the clock was set back) counts: the budget never grows by a clock.
    begin = situation.now - rule.per
    return [t for t in situation.tries if t.rule == rule.name and t.host == result.host and t.time > begin]


def _time(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if situation.left <= 0:
        return False, "the time of this run is over; give it more with --timeout"
    return True, "there is time"


def _proof(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if situation.drilled == rule.name:
        return True, "a drill of this rule, whatever its proof"
    if situation.approved:
        return True, f"approved by {situation.approved}"
    if rule.mode != AUTO:
        return True, f"mode {rule.mode} needs none"
    if rule.proof is not None:
        return situation.proof
    if situation.production:
        return False, "unproven: on production a rule acts by itself with a `proof:` alone"
    return True, "unproven: it has no `proof:`, and the stack is not production"


def _trust(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    level, why = situation.trust
    if situation.drilled == rule.name:
        return True, "a drill of this rule, whatever the ledger says"
    if level not in (PROPOSE, AUTO):
        return False, f"trusted to observe alone: {why}"
    if situation.approved:
        return True, f"approved by {situation.approved}"
    if level == AUTO or rule.mode != AUTO:
        return True, why
    return False, f"trusted to propose, not to act by itself: {why}"


def _mode(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if situation.drilled == rule.name:
        return True, "a drill of this rule, whatever its mode"
    if rule.mode == AUTO:
        return True, "mode auto"
    if rule.mode == OBSERVE:
        return False, "mode observe: says what it would do, never acts"
    if situation.approved:
        return True, f"mode {rule.mode}, approved by {situation.approved}"
    return False, f"mode {rule.mode}: it waits for a person's approval"


def moment(seconds: float) -> str:
    """Write a point in time for people."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _names(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") or "none"


GATES = {
    QUALIFY: _qualify,
    FRESH: _fresh,
    "target": _target,
    "confirm": _confirm,
    "suppressed": _suppressed,
    "pause": _pause,
    "blast radius": _blast_radius,
    "floor": _floor,
    "concurrency": _concurrency,
    BUDGET: _budget,
    "wait": _wait,
    "time": _time,
    PROOF: _proof,
    TRUST: _trust,
    MODE: _mode,
}
