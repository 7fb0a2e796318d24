"""Gates about the result itself: is it one to heal, is it news, is there a host, do failures in a row confirm it."""

from __future__ import annotations

from infratest.cleaning import clean
from infratest.heal.gates.situation import AHEAD, Situation, moment
from infratest.heal.rules import says
from infratest.model import Result
from infratest.stack.declared import HealRule
from infratest.states import CRITICAL, UNKNOWN, WARNING
from infratest.store.failures import Row
from infratest.units import human


def qualify(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if result.blocked_by is not None:
        return False, f"blocked by {result.blocked_by}: what stands in its way must be mended first"
    if result.state == UNKNOWN:
        return False, "the result is unknown, and what is not known is never healed"
    if result.state not in (WARNING, CRITICAL) or result.state != rule.when_state:
        return False, f"the result is {result.state}, the rule is for {rule.when_state}"
    if not says(result, rule.when_reason):
        said = clean(result.reason, 200)
        return False, f"the rule is for failures that say {rule.when_reason!r}, and this one says: {said}"
    return True, f"the result is {result.state}"


def fresh(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    age, limit = situation.now - situation.looked, situation.limits.report_age
    if age > limit:
        return False, f"stale: seen {human(age, 's')} ago, at most {human(limit, 's')} is allowed; check again"
    if age < -AHEAD:
        return False, f"seen {human(-age, 's')} in the future: a clock is wrong"
    if situation.row.last > situation.looked:
        return False, f"stale: it was looked at again at {moment(situation.row.last)}, after this result"
    return True, f"seen {human(max(0.0, age), 's')} ago"


def target(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if not situation.hosts:
        return False, "there is no host to act on: the stack has none"
    if result.host == "-":
        return False, "there is no host to act on: the result is of the whole stack, not of one host"
    if result.host not in situation.hosts:
        return False, f"there is no host to act on: {result.host} is none of the stack"
    return True, f"acts on {result.host} alone"


def confirm(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    return confirmation(rule, result, situation.row, bool(situation.drilled))


def confirmation(rule: HealRule, result: Result, row: Row, drilled: bool = False) -> tuple[bool, str]:
    """Return whether the failures of a result confirm it, and how many there were of how many.

    Args:
        drilled: it is the drill that asks.
    """
    if row.drill and not drilled:
        return False, "a drill has broken it, as far as was seen: outside of one that confirms nothing; check again"
    wanted, failures = max(1, rule.confirm), row.failures if row.state == result.state else 0
    if not rule.confirm_of:
        return failures >= wanted, f"failure {failures} in a row, {wanted} confirm"
    found = row.failed(result.state, rule.confirm_of) if failures else 0
    return found >= wanted, f"failed in {found} of the newest {rule.confirm_of} looks, {wanted} confirm"
