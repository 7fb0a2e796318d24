"""Gates about what was tried before: nothing acts on the host, few others are healed, tries are left, no wait."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from infratest.heal.gates.situation import Situation, Try, listed, moment
from infratest.model import Result
from infratest.stack.declared import HealRule
from infratest.units import counted, human


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


def concurrency(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
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


def settling(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if situation.settling is None:
        return True, "nothing that was done has yet to take effect"
    until = moment(situation.settling)
    if situation.settling <= situation.now:
        return False, f"what was done had until {until} to take effect, and this was seen before that; check again"
    return False, f"what was done has until {until} to take effect; a check after that tells whether it helped"


def together(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    """Count the other hosts that the rule has begun to heal, and of which nobody knows yet how that ended."""
    if not rule.together:
        return True, "no `together:`"
    # A host that is of the stack no longer is looked at no longer.
    others = situation.hosts.keys() - {result.host}
    since = {one.host: one.time for one in situation.begun
             if one.rule == rule.name and one.host in others and _under_way(one, rule, situation)}  # fmt: skip
    named = [f"{host}, since {human(max(0.0, round(situation.now - at)), 's')}" for host, at in since.items()]
    words = f"{counted(len(since), 'heal')} of {rule.name} {'is' if len(since) == 1 else 'are'} not verified yet"
    shown = f" ({listed(named, '; ')})" if named else ""
    return len(since) < rule.together, f"{words}{shown}; at most {rule.together} together"


def _under_way(one: Try, rule: HealRule, situation: Situation) -> bool:
    """Whether a heal acts, or may be seen to have helped; by its deadline alone once nobody can tell any more."""
    if not one.ended:
        return one.alive or one.until > situation.now
    settle = max((each or 0.0 for each in rule.settles), default=0.0)
    return one.verifying and one.until + settle + situation.limits.verify > situation.now


def budget(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    used = len(_spent(rule, result, situation))
    words = f"{used} of {rule.tries} tries in {human(rule.per, 's')} are used on {result.host}"
    return used < rule.tries, words


def group_budget(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    """Count all that the rule has done to a group, whether it helped or not: what heals again and again is not well."""
    if rule.group is None:
        return True, "no `budget: group`"
    most, seconds = rule.group
    begin, words = situation.now - seconds, []
    host = situation.hosts.get(result.host)
    for group in (host.groups if host is not None else ()) or ("",):
        members = {name for name, one in situation.hosts.items() if not group or group in one.groups}
        used = sum(
            one.rule == rule.name and one.host in members and one.time > begin and not one.drill
            for one in situation.tries
        )
        words.append(f"{used} of {most} acts in {human(seconds, 's')} are used on {group_words(group)}")
        if used >= most:
            return False, words[-1]
    return True, "; ".join(words)


def group_words(group: str) -> str:
    return f"group {group}" if group else "the stack"


def begins_again(rule: HealRule, result: Result, situation: Situation) -> float | None:
    """Return when a rule that has given up tries again: as a try leaves the window. None where it never does."""
    spent = sorted(attempt.time for attempt in _spent(rule, result, situation))
    return spent[-rule.tries] + rule.per if 0 < rule.tries <= len(spent) else None


def wait(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
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
    return spent(rule, result.host, situation.tries, situation.now, bool(situation.drilled))


def spent(rule: HealRule, host: str, tries: Iterable[Try], now: float, drilled: bool = False) -> list[Try]:
    """Return the tries that a rule's budget counts on a host: those that did not heal, but for what is gone by now.

    Args:
        now: seconds since the epoch. drilled: in a drill, which has the rule's budget, and no more.
    """
    mine = _in_window(rule, host, tries, now, drilled)
    return [attempt for attempt in mine if not (attempt.verified or attempt.gone)]


def _healed(rule: HealRule, result: Result, situation: Situation) -> list[Try]:
    mine = _in_window(rule, result.host, situation.tries, situation.now, bool(situation.drilled))
    return [attempt for attempt in mine if attempt.verified]


def flapping(rule: HealRule, result: Result, situation: Situation) -> int:
    """Return how often the rule has healed this host in its window, where that is as often as its budget; else 0."""
    times = len(_healed(rule, result, situation))
    return times if times >= max(1, rule.tries) else 0


def _in_window(rule: HealRule, host: str, tries: Iterable[Try], now: float, drilled: bool = False) -> list[Try]:
    """Return the tries of a rule on a host that its window holds. Args: as for `spent`."""
    # A try that lies in the future (the clock was set back) counts: the budget never grows by a clock.
    mine = [t for t in tries if t.rule == rule.name and t.host == host and t.time > now - rule.per]
    return [t for t in mine if not t.drill or drilled]  # what is done in drills costs nothing afterwards
