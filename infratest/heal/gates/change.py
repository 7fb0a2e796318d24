"""The gate about changes that people make: while they deploy, in a freeze, and just after, a heal asks first.

What fails then may be what is being changed, and a remedy that undoes half of it makes it worse.
"""

from __future__ import annotations

from collections.abc import Iterator

from infratest.heal.gates.situation import Situation, moment
from infratest.model import Result
from infratest.stack.declared import HealRule
from infratest.stack.freeze import holds
from infratest.units import human

PROVISION = "provision"


def change(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if situation.drilled == rule.name:
        return True, "a drill of this rule, whatever is being changed"
    found = "; ".join(_changes(rule, result, situation))
    if not found:
        return True, "nobody is changing anything"
    if situation.approved:
        return True, f"approved by {situation.approved}, although {found}"
    return False, f"it asks first: {found}"


def _changes(rule: HealRule, result: Result, situation: Situation) -> Iterator[str]:
    for one in rule.freeze:
        if one.window and holds(one.window, situation.now):
            yield f"the freeze {one.window!r} is in force"
        if one.provisioned:
            yield from _provisioned(rule, result, situation, one.provisioned)
    yield from situation.changes.locks
    yield from situation.changes.drifted


def _provisioned(rule: HealRule, result: Result, situation: Situation, seconds: float) -> Iterator[str]:
    at = situation.changes.provisioned
    if at is None or situation.now - at >= seconds:
        return
    # What this very rule has provisioned is no change that somebody makes.
    own = any(name == PROVISION for name, _ in rule.do) and any(
        one.rule == rule.name and one.host == result.host and one.time <= at <= one.until for one in situation.tries
    )
    if not own:
        yield f"{result.host} was provisioned at {moment(at)}, less than {human(seconds, 's')} ago"
